"""`wisesr data check`: a copy of a dataset held against what is published of it, and every file decoded."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.cli.names import file_name
from wisesr.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from wisesr.config.schema import Config
    from wisesr.data.check.decode import Decoded
    from wisesr.data.check.problems import Overlap
    from wisesr.data.listing import Listing

_CHECK = """\
Decode every image of a dataset, in parallel, and report what would stop or
falsify a training, or surprise you:

  - counts that are not the published ones, listed files that are missing,
    files that are listed twice, classes without images
  - files that are damaged or cannot be opened
  - the same picture in two splits (what is measured on it is memory), in two
    classes, or twice in a class; by decoded pixels, whatever the files' bytes
  - formats other than the name's ending says, unusual pixels, several frames,
    pictures that EXIF turns, tiny and huge images, a range that does not fit
  - files that are not taken, by kind; links to nothing; folders that look like
    splits and are none; classes without test images

NAME and KEY=VALUE are those of training (wisesr train). A summary is printed; a CSV file gets
a row for every finding (problem,path,split,class,detail). A copy that is not
whole is said to be one, and checked all the same.

exit code: 1 if a training would stop or use another dataset than the published
one: files that cannot be read (unless dataset.on_bad_image=skip, and for the
paper's datasets dataset.partial=true), other counts or missing files (unless
dataset.partial=true), dataset.partial=true of a whole copy, files listed twice,
classes without images, splits that cannot be had; else 0. Pictures that two
files hold in two splits change it if they are equal byte for byte, and with
dataset.on_leak=error alone.

examples:
  wisesr data check intel                       the copy in data/intel
  wisesr data check intel dataset.root=/data/intel dataset.partial=true
  wisesr data check folder dataset.root=photos --report photos.csv
  wisesr data check folder dataset.root=photos dataset.csv=labels.csv
"""


def add_check(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _CHECK
    parser.set_defaults(run=check)
    parser.add_argument("name", metavar="NAME", help="intel, folder, torchvision, ...: dataset=NAME of training")
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", default=[], help="overrides of training: dataset.root=...")
    parser.add_argument("--report", type=Path, metavar="FILE", help="default: outputs/checks/NAME.csv")


def check(chosen: argparse.Namespace) -> int:
    """Check a copy, print what was found and write it down.

    Returns:
        1 if a training on it would stop, or be another than it is called; else 0.

    Raises:
        UserError: its images are no files; it is not there; the report cannot be written.
    """
    from wisesr.build.data import build_listing
    from wisesr.config.compose import compose_checked
    from wisesr.data.check.problems import as_csv, find_problems, overlaps, stopping
    from wisesr.data.check.summary import print_summary
    from wisesr.data.published_facts import published_of
    from wisesr.grid.console import make_console, say
    from wisesr.results.atomic_files import write_text
    from wisesr.results.writable import require_writable

    config = compose_checked([f"dataset={chosen.name}", *chosen.overrides])
    dataset, console = config["dataset"], make_console()
    listing, facts = build_listing(config), published_of(dataset["_target_"])
    report = chosen.report or Path(config["output_dir"], "checks", f"{file_name(dataset['name'])}.csv")
    if report.is_dir():
        raise UserError(f"--report must be a file, and {report} is a folder")
    require_writable("--report", report)
    part, skip = dataset.get("partial") is True, dataset.get("on_bad_image") == "skip"
    decoded = _decode(listing, console)
    findings = find_problems(listing, decoded, facts)
    write_text(report, as_csv(findings))  # first: who reads the summary may stop reading
    remarks, refused = _as_training(config, listing, console)
    remarks += [] if listing.refused else _folds(config)
    print_summary(console, listing, decoded, findings, facts, partial=part, remarks=remarks)
    stops = stopping(listing, decoded, findings, facts, partial=part, skip=skip) or refused
    say(console, f"Every finding: {report}")
    say(console, _last(stops, overlaps(listing.rows, decoded)))
    return 1 if stops else 0


def _last(stops: Sequence[str], shared: Sequence[Overlap]) -> str:
    """The last line: whether a training would stop, and if not, whether what it measures would be worth something."""
    if stops:
        return f"A training would stop: {', '.join(stops)}."
    for overlap in shared:
        if (overlap.split, overlap.other) == ("test", "train"):
            return (
                f"Nothing here stops a training, but {overlap.images:,} of the {overlap.of:,} test images are also in the "
                "train split, as decoded: what is measured on them would be memory."
            )
    return "Nothing here stops a training."


def _as_training(config: Config, listing: Listing, console: Console) -> tuple[list[str], list[str]]:
    """What a training of this configuration would say of the data, and what it would stop at."""
    from wisesr.build.data import build_manifest
    from wisesr.data.listing import notes_of
    from wisesr.data.missing_files import missing_hint
    from wisesr.grid.console import tracked

    try:
        notes = build_manifest(config, progress=partial(tracked, console=console), with_unreadable=True).notes
    except UserError as error:
        notes = notes_of(listing)
        listed_in = config["dataset"]
        hint = (
            missing_hint(
                listing.base, listing.missing, list(listing.tree.files()), listed_in.get("csv"), listed_in.get("columns")
            )
            if listing.missing
            else ""
        )
        return notes.remarks() + ([hint] if hint else []), [str(error)]
    return notes.remarks(), []


def _folds(config: Config) -> list[str]:
    """How many images each fold tests, where the dataset is divided into folds."""
    from wisesr.build.data import build_listing
    from wisesr.data.manifest import TEST

    dataset = config["dataset"]
    if dataset["fold"] is None:
        return []
    sizes = []
    for fold in range(dataset["folds"]):
        rows = build_listing({**config, "dataset": {**dataset, "fold": fold}}).rows
        sizes.append(sum(row.split == TEST for row in rows))
    of_all = " with all classes" if dataset.get("classes") is not None else ""
    tested = f"test images of each{of_all}: {', '.join(f'{n:,}' for n in sizes)}"
    return [f"Fold {dataset['fold']} of 0 to {dataset['folds'] - 1}; {tested}"]


def _decode(listing: Listing, console: Console) -> list[Decoded]:
    """Each of the files after decoding; a bar on a terminal."""
    from wisesr.data.check.decode import decode_files
    from wisesr.grid.console import tracked

    paths = (listing.base / row.path for row in listing.rows)
    return list(tracked(decode_files(paths, listing.rules), len(listing.rows), "decoding", console))
