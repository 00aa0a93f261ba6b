"""Whose best weights stay: one model of each head, or of each row, chosen as an epoch is, by validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from wisesr.errors import UserError
from wisesr.results.cell_files import BEST
from wisesr.space.finished import Finished
from wisesr.space.names import KEEP

_KEYS: Mapping[str, Callable[[Finished], str]] = {
    "head": lambda cell: cell.head_key,
    "row": lambda cell: cell.row_key,
    "all": lambda cell: str(cell.directory),
}


def kept_cells(cells: Iterable[Finished], keep: str) -> list[Finished]:
    """The finished cells whose `best.ckpt` stays, best first of each group; of those alone that still have one.

    Args:
        cells: of a study.
        keep: `head`: of the cells that differ in no more than seed, split and fold the one with the highest validation top-1
            (of equals the lower loss, then the lower seed). `row`: of all heads of such a row one. `all` and `none`.

    Raises:
        UserError: `keep` is none of these.
    """
    if keep not in KEEP:
        raise UserError(f"keep must be one of {', '.join(KEEP)}, not {keep!r}")
    if keep == "none":
        return []
    best: dict[str, Finished] = {}
    for cell in sorted((cell for cell in cells if has_weights(cell.directory)), key=lambda cell: cell.rank):
        best.setdefault(_KEYS[keep](cell), cell)
    return list(best.values())


def has_weights(directory: Path) -> bool:
    """Whether a cell has its `best.ckpt`, be it behind a link."""
    return (directory / BEST).is_file()
