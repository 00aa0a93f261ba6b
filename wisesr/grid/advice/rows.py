"""The comparisons that a grid makes: cells that differ in head, repetition and learning rate alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config.axes import COMPUTING, RATES, leaves
from wisesr.config.files import load_cell
from wisesr.config.identity import computation, remove
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.results.cell_files import RESULT

REPETITIONS = ("seed", "dataset.split_seed", "dataset.fold")
"""Keys that say which repetition a cell is; `replicate` says what the first two are, and is none of them."""
_NOT_OF_ROWS = (*REPETITIONS, *RATES, "head")
_READ = 300
"""Finished cells beside a grid's that are read at most: two seconds."""

Run = tuple[Any, ...]
"""Values of `REPETITIONS`."""


class Member(NamedTuple):
    """A cell as a row sees it."""

    config: Config
    head: str
    """Its node, as JSON."""
    rates: tuple[Any, ...]
    run: Run
    asked: bool
    """Whether it is the command's, and not one that is done already."""


class Row(NamedTuple):
    """Cells that are compared with each other."""

    members: tuple[Member, ...]

    @property
    def asked(self) -> tuple[Member, ...]:
        """The command's."""
        return tuple(member for member in self.members if member.asked)

    @property
    def names(self) -> set[str]:
        """Of its heads."""
        return {member.config["head"]["name"] for member in self.members}

    def runs(self, member: Member) -> set[Run]:
        """Repetitions of a cell's head at its rate."""
        return {other.run for other in self.members if (other.head, other.rates) == (member.head, member.rates)}


def make_rows(cells: Sequence[Config], finished: Iterable[Config] = ()) -> list[Row]:
    """The rows of a command's cells, with what is finished of them already."""
    rows: dict[str, list[Member]] = defaultdict(list)
    for config in cells:
        rows[_key(config)].append(_member(config, asked=True))
    for config in finished:
        if (key := _key(config)) in rows:
            rows[key].append(_member(config, asked=False))
    return [Row(tuple(members)) for members in rows.values()]


def finished_beside(cells: Sequence[Cell]) -> dict[Path, Config]:
    """Finished cells in the folders of these cells' tables, without these, by directory; no more than 300."""
    own = {cell.directory for cell in cells}
    tables = dict.fromkeys(cell.directory.parent.parent for cell in cells)
    records = (record for table in tables for record in sorted(table.glob(f"*/seed-*/{RESULT}")))
    others = islice((record.parent for record in records if record.parent not in own), _READ)
    return {directory: config for directory in others if (config := _load(directory)) is not None}


def _load(directory: Path) -> Config | None:
    """A cell's configuration; None where somebody has edited it into none."""
    try:
        config = load_cell(directory)
        _key(config)
    except (UserError, KeyError, TypeError, AttributeError):
        return None
    return config


def _member(config: Config, *, asked: bool) -> Member:
    head = json.dumps(config["head"], sort_keys=True)
    values = leaves(config)
    run, rates = (tuple(map(values.get, paths)) for paths in (REPETITIONS, RATES))
    return Member(config, head, rates, run, asked)


def _key(config: Config) -> str:
    """What the cells of a row have in common."""
    common = computation(config)
    remove(common, _NOT_OF_ROWS)
    common["trainer"] = {key: common["trainer"].get(key) for key in COMPUTING}
    return json.dumps([config["study"], common], sort_keys=True)
