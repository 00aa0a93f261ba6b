"""MIT Indoor67: 67 kinds of rooms and halls, 5,360 / 1,340 of its images listed as a split. No torch.

Quattoni and Torralba 2009, https://web.mit.edu/torralba/www/indoor.html. The split is the two official lists, which this
package carries, so that a copy without them has it too: 77 to 83 images of a class train, 17 to 23 test. Images that neither
list names are not used. 18 of the listed files end in `_gif.jpg` and hold a GIF, whose first frame counts.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Literal

from wisesr.data.listing import AS_STORED, Listing, Row, listing_of_lists
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.data.published_facts import MIT_INDOOR, read_copy, require_folder
from wisesr.data.tree import scan
from wisesr.errors import UserError

LISTS = {TRAIN: "TrainImages.txt", TEST: "TestImages.txt"}
IMAGES = ("indoorCVPR_09/Images", "Images", "indoorCVPR_09/indoorCVPR_09/Images")
"""Where the folders of the classes may lie below the root."""


def mit_indoor(*, root: str, partial: bool = False, on_bad_image: Literal["error", "skip"] = "error") -> Manifest:
    """The listed images below `indoorCVPR_09/Images/<class>`.

    `root` is the folder that holds `indoorCVPR_09` (or `Images`).
    `partial` and `on_bad_image` are those of `wisesr.data.published_facts.read_copy`.

    Raises:
        UserError: another layout, listed images that are missing, lists in the copy that are not the official ones.
    """
    return read_copy(MIT_INDOOR, listed(root=root), partial=partial, on_bad_image=on_bad_image)


def listed(*, root: str) -> Listing:
    """The files of a copy. Argument and errors as of `mit_indoor`, whatever is missing."""
    base = require_folder(MIT_INDOOR, root)
    below = next((path for path in IMAGES if (base / path).is_dir()), None)
    if below is None:
        raise UserError(f"dataset.root: {base} is no copy of mit_indoor: it has no folder {IMAGES[0]}")
    _check_lists(base, below)
    rows = (Row(f"{below}/{name}", name.split("/")[0], split) for split in LISTS for name in official(split))
    lists = {posixpath.join(place, name) for place in ("", posixpath.dirname(below)) for name in LISTS.values()}
    return listing_of_lists(scan(base), rows, lists, AS_STORED)


def official(split: str) -> list[str]:
    """The official list of a split: `<class>/<file>`, as in the file."""
    return read_list(Path(__file__).parent / "mit_indoor_lists" / LISTS[split])


def read_list(path: Path) -> list[str]:
    """The names in a list; the official ones end without a newline.

    Raises:
        UserError: it is not in UTF-8.
    """
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise UserError(f"{path} cannot be read as a list in UTF-8: {error}") from error


def _check_lists(base: Path, below: str) -> None:
    """Refuse lists in the copy that say something else, as they would be ignored."""
    for split, name in LISTS.items():
        for path in {base / name, (base / below).parent / name}:
            if path.is_file() and sorted(read_list(path)) != sorted(official(split)):
                raise UserError(
                    f"{path} is not the official list: for a split of your own take dataset=folder with dataset.csv, "
                    "or remove the file"
                )
