"""Configurations as cells on disk: checked all at once, then written, nothing finished ever overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wisesr.config.axes import settings
from wisesr.config.check import check, describe_problems
from wisesr.config.files import to_yaml
from wisesr.config.identity import cell_dir, fingerprint
from wisesr.config.schema import Config
from wisesr.damage import Found, examine, was_begun_as
from wisesr.errors import UserError
from wisesr.program import command_line
from wisesr.results.atomic_files import write_text
from wisesr.results.cell_files import CONFIG
from wisesr.results.installation import write_command
from wisesr.results.left_alone import WAY_OUT
from wisesr.results.lock import locked
from wisesr.results.record import Record
from wisesr.results.record_file import read_record
from wisesr.results.state import State
from wisesr.results.store import is_cell


class Cell(NamedTuple):
    """One configuration and its directory."""

    config: Config
    directory: Path
    settings: str = ""
    """What else tells it from its neighbours: `head.dropout=0.5`."""
    fingerprint: str = ""
    """Of the configuration."""

    @property
    def dataset(self) -> str:
        """`digits-64`: the dataset and the size of its images."""
        return f"{self.config['dataset']['name']}-{self.config['resolution']['size']}"

    @property
    def label(self) -> str:
        """`digits-64 resnet50-wise seed 0`: what a user calls it."""
        config = self.config
        model = f"{config['backbone']['name']}-{config['head']['name']}"
        return f"{self.dataset} {model} seed {config['seed']} {self.settings}".rstrip()

    def read_record(self) -> Record | None:
        """Its record; None where there is none, or that of another configuration."""
        record = read_record(self.directory)
        return record if record is not None and record.fingerprint == self.fingerprint else None


def make_cells(configs: Sequence[Config], directories: Sequence[Path] | None = None) -> list[Cell]:
    """Configurations as cells, nothing written. A configuration given twice is one cell.

    `directories` are the places of cells that were found on disk; None for where they belong.
    """
    names = [fingerprint(config) for config in configs]
    places = directories or [cell_dir(config, name) for config, name in zip(configs, names, strict=True)]
    unique = dict(zip(places, zip(configs, names, strict=True), strict=True))
    texts = settings([config for config, _ in unique.values()])
    return [Cell(config, place, text, name) for (place, (config, name)), text in zip(unique.items(), texts, strict=True)]


def check_cells(configs: Sequence[Config]) -> list[Cell]:
    """Check all configurations together and make them cells.

    Raises:
        UserError: anything wrong in any of them, all of it named; a file in the way.
    """
    problems = [(_uncertain_label(config), problem) for config in configs for problem in check(config)]
    if problems:
        text = describe_problems(problems if len(configs) > 1 else [("", problem) for _, problem in problems])
        raise UserError(f"The configuration is wrong; nothing was started.\n{text}")
    cells = make_cells(configs)
    for cell in cells:
        _refuse_file(cell.directory)
    return cells


def _uncertain_label(config: Config) -> str:
    """What to call a cell whose configuration may lack anything."""

    def name(group: str) -> str:
        node = config.get(group)
        return str(node.get("name", "?")) if isinstance(node, dict) else "?"

    return f"{name('dataset')} {name('backbone')}-{name('head')} seed {config.get('seed')}"


def _refuse_file(directory: Path) -> None:
    """Raise for a file at a cell's place, or above it."""
    in_the_way = next((path for path in (directory, *directory.parents) if path.exists() and not path.is_dir()), None)
    if in_the_way:
        raise UserError(f"{in_the_way} is a file where a directory should go; move it, or choose another study or output_dir")


def examine_cell(cell: Cell, *, running: bool) -> Found:
    """What lies at a cell's place, as of `wisesr.damage.examine`; of a place that is empty, nothing.

    A directory that lost its `config.yaml`, and holds what came of this very configuration, gets it back; the reason then
    says so, without a state.

    Args:
        cell: of a command.
        running: whether a process holds it.
    """
    directory = cell.directory
    if running and not (directory / CONFIG).is_file():
        return Found(None, None)  # which is about to be written
    if not directory.is_dir() or not any(path for path in directory.iterdir() if not path.name.startswith(".")):
        return Found(None, None)
    if not (directory / CONFIG).is_file():
        if not was_begun_as(directory, cell.fingerprint):
            if is_cell(directory):
                return examine(directory, expected=cell.fingerprint)
            there = f"it holds files, but no {CONFIG}, so it is no cell{WAY_OUT}move {directory} away"
            return Found(None, None, State.DAMAGED, there)
        write_text(directory / CONFIG, to_yaml(cell.config))
        found = examine(directory, expected=cell.fingerprint, running=running)
        return found if found.state else found._replace(reason=f"{CONFIG} was missing, and is written again")
    return examine(directory, expected=cell.fingerprint, running=running)


def write_cell(cell: Cell) -> None:
    """Write `config.yaml`; that of a finished cell, or of one that runs now, is left as it is."""
    if read_record(cell.directory) is not None:
        return
    cell.directory.mkdir(parents=True, exist_ok=True)
    with locked(cell.directory) as free:
        if free:
            write_config(cell.directory, cell.config)


def write_config(directory: Path, config: Config) -> None:
    """`config.yaml` in a cell's directory, which this makes if it is not there, for who holds its lock; and this command."""
    directory.mkdir(parents=True, exist_ok=True)
    write_command(directory, command_line())
    write_text(directory / CONFIG, to_yaml(config))
