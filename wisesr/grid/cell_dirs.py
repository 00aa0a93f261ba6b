"""Configurations as cells on disk: checked all at once, then written, nothing finished ever overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wisesr.config.axes import settings
from wisesr.config.check import check, describe_problems
from wisesr.config.files import load_cell, to_yaml
from wisesr.config.identity import cell_dir, fingerprint
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.program import command_line
from wisesr.results.atomic_files import write_text
from wisesr.results.cell_files import CONFIG
from wisesr.results.installation import write_command
from wisesr.results.lock import locked
from wisesr.results.record import Record
from wisesr.results.record_file import read_record


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
        UserError: anything wrong in any of them, all of it named; a directory in the way.
    """
    problems = [(_uncertain_label(config), problem) for config in configs for problem in check(config)]
    if problems:
        text = describe_problems(problems if len(configs) > 1 else [("", problem) for _, problem in problems])
        raise UserError(f"The configuration is wrong; nothing was started.\n{text}")
    cells = make_cells(configs)
    for cell in cells:
        _check_directory(cell)
    return cells


def _uncertain_label(config: Config) -> str:
    """What to call a cell whose configuration may lack anything."""

    def name(group: str) -> str:
        node = config.get(group)
        return str(node.get("name", "?")) if isinstance(node, dict) else "?"

    return f"{name('dataset')} {name('backbone')}-{name('head')} seed {config.get('seed')}"


def _check_directory(cell: Cell) -> None:
    """Raise for anything at the cell's place that is not this cell."""
    directory = cell.directory
    in_the_way = next((path for path in (directory, *directory.parents) if path.exists() and not path.is_dir()), None)
    if in_the_way:
        raise UserError(f"{in_the_way} is a file where a directory should go; move it, or choose another study or output_dir")
    if not directory.is_dir() or not any(path for path in directory.iterdir() if not path.name.startswith(".")):
        return
    if not (directory / CONFIG).is_file():
        raise UserError(f"{directory} is in the way: it holds files, but no config.yaml, so it is no cell. Move it away")
    if fingerprint(load_cell(directory)) != cell.fingerprint:
        raise UserError(
            f"{directory / CONFIG} was edited: it no longer is the configuration that its directory is named after. "
            f"Settings are changed on the command line or in conf/; move that directory away"
        )


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
