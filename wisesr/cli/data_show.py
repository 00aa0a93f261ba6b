"""`wisesr data show`: contact sheets of what a cell is fed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr.cli.names import file_name, file_names
from wisesr.cli.numbers import at_least_1
from wisesr.errors import UserError, unknown
from wisesr.wording import count_of

if TYPE_CHECKING:
    from PIL import Image

_SHOW = """\
Contact sheets of a dataset: for some training images of each class the test
view, and beside it what training sees of the image in its first epochs. The
pictures come from the very code that feeds a cell, with the cell's seed, split,
resolution, augmentation and normalisation (undone to be looked at; what leaves
the range of colours is clipped).

NAME and KEY=VALUE are those of training (wisesr train). One PNG a class, and index.png with one
image of each class, below outputs/sheets/NAME-AUGMENT-SIZE.

examples:
  wisesr data show digits
  wisesr data show intel augment=standard resolution=224
  wisesr data show intel augment=standard augment.min_area=0.1 --classes sea
  wisesr data show folder dataset.root=photos backbone=xception --images 8
"""


_INDEX = "index"


def add_show(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _SHOW
    parser.set_defaults(run=show)
    parser.add_argument("name", metavar="NAME", help="digits, layouts, intel, folder, ...: dataset=NAME of training")
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", default=[], help="overrides of training: augment=standard")
    parser.add_argument("--classes", metavar="A,B", help="only these (default: all)")
    parser.add_argument("--images", type=at_least_1, default=4, metavar="N", help="of each class (default: 4)")
    parser.add_argument("--draws", type=at_least_1, default=6, metavar="N", help="epochs of training (default: 6)")
    parser.add_argument("--to", type=Path, metavar="DIR", help="default: outputs/sheets/NAME-AUGMENT-SIZE")


def show(chosen: argparse.Namespace) -> int:
    """Write the sheets, and print where.

    Raises:
        UserError: the cell cannot be composed, the images cannot be had, a class does not exist.
    """
    from wisesr.build.data import build_manifest
    from wisesr.build.keep import check_views
    from wisesr.build.parts import build_view
    from wisesr.config.compose import compose_checked, option_of
    from wisesr.data.sheet import Views, draw_sheet
    from wisesr.grid.console import make_console, say, tracked
    from wisesr.results.writable import require_writable

    config = compose_checked([f"dataset={chosen.name}", *chosen.overrides])
    option, console = option_of("augment"), make_console()
    dataset, size = config["dataset"]["name"], config["resolution"]["size"]
    to = chosen.to or Path(config["output_dir"], "sheets", file_name(f"{dataset}-{option}-{size}"))
    if to.exists() and not to.is_dir():
        raise UserError(f"--to must be a folder, and {to} is a file")
    require_writable("--to", to / f"{_INDEX}.png")
    manifest = build_manifest(config, progress=partial(tracked, console=console))
    labels = _labels(chosen.classes, manifest.class_names)
    augment, drawn = build_view(config), config["dataset"]["views"]
    check_views(drawn, augment, manifest)
    views = Views(manifest, augment, seed=config["seed"], views=drawn)
    where, settings = f"{dataset} · augment={option} · {size} px", _settings(config)
    files, rows = file_names(manifest.class_names, [_INDEX]), []
    for label in tracked(labels, len(labels), "drawing", console):
        name, strips = manifest.class_names[label], views.strips(label, images=chosen.images, draws=chosen.draws)
        count = f"{len(strips)} of {views.count(label):,} training images"
        _write(to / f"{files[label]}.png", draw_sheet(f"{name} · {where}", [count, *settings], strips))
        rows.append(strips[0].reduced()._replace(caption=f"{name}: {strips[0].caption}"))
    _write(to / f"{_INDEX}.png", draw_sheet(where, [f"one image of each of {len(labels)} classes", *settings], rows))
    for sentence in manifest.notes.sentences():
        say(console, sentence)
    say(console, f"{count_of(len(labels), 'sheet')} and {_INDEX}.png in {to}")
    return 0


def _write(path: Path, picture: Image.Image) -> None:
    from wisesr.results.atomic_files import write_with

    write_with(path, partial(picture.save, format="PNG"))


def _labels(chosen: str | None, names: Sequence[str]) -> list[int]:
    """Indices of the classes that the user names, in their order; of all where none is named."""
    wanted = names if chosen is None else [chosen] if chosen in names else [name.strip() for name in chosen.split(",")]
    number = {name: index for index, name in enumerate(names)}
    for name in wanted:
        if name not in number:
            raise UserError(unknown("class", name, names))
    return [number[name] for name in dict.fromkeys(wanted)]


def _settings(config: Mapping[str, Any]) -> list[str]:
    """What the pictures depend on, in a few lines."""
    own = ", ".join(f"{key} {json.dumps(value)}" for key, value in config["augment"].items() if key != "_target_")
    inputs = f"seed {config['seed']}, backbone {config['backbone']['name']}; normalisation undone"
    dataset = config["dataset"]
    drawn = ["dataset.cache=reduced: crops of smaller copies"] if dataset["cache"] == "reduced" else []
    drawn += [f"dataset.views={dataset['views']}: each image has so many"] if dataset["views"] else []
    return [inputs] + ([f"augment: {own}".replace('"', "")] if own else []) + drawn
