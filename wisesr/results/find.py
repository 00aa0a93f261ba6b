"""A cell by what a user calls it: its directory, a study with backbone, head and seed, or a part of its path. No torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from wisesr.errors import UserError
from wisesr.results.cell_files import CONFIG
from wisesr.results.differing import differing
from wisesr.results.store import find_cells, is_cell
from wisesr.wording import count_of

_SHOWN = 12
"""Cells listed for a name that is not one cell's."""


def find_cell(name: str, root: Path) -> Path:
    """The directory of a cell.

    Args:
        name: its directory, from here or from `root`; `STUDY:backbone-head-seed`, as `digits:resnet18-wise-0`, of a study below
            `root`; or a part of its path below `root` that no other cell's has. Where several have it, the one that has it as
            whole names: `seed-1` is not `seed-10`, and `wise` not `wise_dropout`. Or a directory that holds one cell, as
            the one above it does where there is one seed.
        root: where to look.

    Raises:
        UserError: there is none, or several; the nearest are listed.
    """
    if not name.strip("/ "):  # of a variable that is not set, most likely: `.` is the cell that one stands in
        raise UserError(f"{name!r} names no cell: give its directory, STUDY:backbone-head-seed, or a part of its path")
    for place in (Path(name), root / name):
        if is_cell(place):
            return place
    if not root.is_dir():
        if below := _cells_close_below(Path(name)):
            return _only(name, dict.fromkeys(below, ""), below, Path(name))
        if Path(name).is_dir():
            raise UserError(f"{name} is no cell: a cell is a directory with a {CONFIG}, made by training")
        raise UserError(f"no cell is called {name!r}: there is no such directory, and no {root} to look for it in")
    paths = {cell: f"/{cell.relative_to(root).as_posix()}/" for cell in find_cells(root)}
    study, colon, rest = name.partition(":")
    if not colon:
        if not (held := _holding(name.strip("/"), paths)) and (below := _cells_close_below(Path(name))):
            return _only(name, dict.fromkeys(below, ""), below, Path(name))
        return _only(name, paths, held, root)
    of_study = {cell: path for cell, path in paths.items() if f"/{study}/" in path}
    return _only(name, of_study or paths, [cell for cell in of_study if _is_called(rest, cell)], root)


def _cells_close_below(place: Path) -> list[Path]:
    """Cells in a directory as `train.py` makes them, from that of a study down; not those of whatever else it holds."""
    try:
        return sorted(path.parent for depth in range(4) for path in place.glob(f"{'*/' * depth}seed-*/{CONFIG}"))
    except (OSError, ValueError):  # no name of a directory
        return []


def _holding(part: str, paths: Mapping[Path, str]) -> list[Path]:
    """Cells whose path has a part; where some have it as whole names, those alone."""
    matching = [cell for cell, path in paths.items() if part in path]
    for border in (r"/{}/", r"(?<![\w.]){}(?![\w.])"):
        pattern = re.compile(border.format(re.escape(part)))
        if whole := [cell for cell in matching if pattern.search(paths[cell])]:
            return whole
    return matching


def _is_called(rest: str, cell: Path) -> bool:
    """Whether `backbone-head-seed` means a cell; the seed may be left out, or be followed by digits of the fingerprint."""
    seed = cell.name.removeprefix("seed-")
    whole = f"{cell.parent.name}-{seed}"
    return rest in (cell.parent.name, f"{cell.parent.name}-{seed.partition('-')[0]}", whole, f"{cell.parent.name}/{cell.name}")


def _only(name: str, paths: Mapping[Path, str], matches: list[Path], root: Path) -> Path:
    if len(matches) == 1:
        return matches[0]
    listed = matches or list(paths)
    shown = listed[:_SHOWN]
    told = differing(shown) if matches else [""] * len(shown)
    lines = [f"  {cell}" + (f" ({text})" if text else "") for cell, text in zip(shown, told, strict=True)]
    if len(listed) > _SHOWN:
        lines.append(f"  and {count_of(len(listed) - _SHOWN, 'more cell')}")
    what = f"means {len(matches)} cells; give more of the path" if matches else "is no cell's, and part of no cell's path"
    raise UserError("\n".join([f"{name!r} {what}. Cells below {root}:", *(lines or ["  none"])]))
