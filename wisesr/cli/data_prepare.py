"""`wisesr data prepare`: a dataset's folder from its download."""

from __future__ import annotations

import argparse
import sys

_PREPARE = """\
Makes a dataset's folder from what you have downloaded: a zip, a tar (.tar,
.tar.gz, .tar.bz2, .tar.xz) or a folder. The dataset is found in any folder of it.

  intel         https://www.kaggle.com/datasets/puneet6060/intel-image-classification
  mit_indoor    https://www.kaggle.com/datasets/itsahmad/indoor-scenes-cvpr-2019,
                or indoorCVPR_09.tar, https://web.mit.edu/torralba/www/indoor.html
  sub_imagenet  https://www.kaggle.com/datasets/mohammadrahimzadeh/imagenet-70classes

Before anything is written, all of it is looked at: the name, kind and size of
each entry, and the dataset's lists. What the images hold is not: it is read while
they are copied, and held against the checksums of a zip then. An archive with an
entry that leads out of it, a link, a device, an entry that comes twice, or a bomb
is refused, and the entry is named; if you trust it all the same, unpack it and
name the folder. Then the images are counted: if some are missing, you are told
which. Only then are they copied, to <folder>.partial, whose files take the name of
the folder at the end: what has that name is whole.

Stopped, killed, or the disk was full? The same command begins anew, and removes
what was left. A folder that exists is never written to.

The folder notes in .wisesr.json what it was made from (name, SHA-256, date).

--from kaggle lets kagglehub download and unpack (pip install 'wisesr[kaggle]',
and a login as it describes). It does so on its own, before the checks above, and
keeps its copy in its cache, ~/.cache/kagglehub, so that the disk holds the
dataset twice until you delete that one.

examples:
  wisesr data prepare intel --from ~/Downloads/archive.zip
  wisesr data prepare mit_indoor --from indoorCVPR_09.tar --to /scratch/mit
      then: wisesr train dataset=mit_indoor dataset.root=/scratch/mit
      (or make data/mit_indoor a link to there, before or after)
  wisesr data prepare sub_imagenet --from kaggle
  wisesr data prepare intel --from a_part_of_it --partial
      then: wisesr train dataset=intel dataset.partial=true
"""


def add_prepare(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _PREPARE
    parser.set_defaults(run=run)
    parser.add_argument("name", metavar="NAME", help="intel, mit_indoor or sub_imagenet")
    parser.add_argument("--from", dest="source", metavar="PATH|kaggle", required=True, help="a zip, a tar, a folder; or kaggle")
    parser.add_argument("--to", metavar="DIR", help="the folder to make (default: data/NAME)")
    parser.add_argument("--partial", action="store_true", help="take what is there, though images are missing")


def run(chosen: argparse.Namespace) -> int:
    """Prepare a dataset.

    Raises:
        UserError: it cannot be done.
    """
    try:
        from rich.console import Console

        from wisesr.data.prepare.dataset_folder import prepare

        console = Console(highlight=False)
        prepare(chosen.name, chosen.source, to=chosen.to, take_part=chosen.partial, console=console)
    except KeyboardInterrupt:
        print("Stopped, and nothing was left behind. The same command begins anew", file=sys.stderr)
        return 130
    return 0
