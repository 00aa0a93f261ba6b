"""All finished cells of a study evaluated alike, one after another, and one table of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.cli.evaluate_run import EVALUATIONS, Request, evaluate_run, name_of
from wisesr.cli.evaluation_tables import FIGURES, sentences
from wisesr.cli.runs import load_run
from wisesr.data.legible import legible
from wisesr.errors import UserError
from wisesr.wording import count_of, some_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from wisesr.grid.cell_dirs import Cell
    from wisesr.inference.evaluation.evaluation import Evaluation
    from wisesr.inference.run import Run

TABLE_CSV, TABLE_JSON = "evaluations.csv", "evaluations.json"
_SHOWN = 4


class Done(NamedTuple):
    """A cell that was evaluated."""

    cell: Cell
    run: Run
    evaluation: Evaluation
    folder: str


def study_of(name: str, outputs: Path) -> Path | None:
    """The directory of a study, by its name below `outputs` or as it is; None where the name can only be a cell's.

    Raises:
        UserError: a directory that neither is a run nor holds any.
    """
    from wisesr.results.cell_files import CONFIG
    from wisesr.results.store import find_cells

    places = [path for path in (Path(name), outputs / name) if name.strip() and path.is_dir()]
    if any((path / CONFIG).is_file() for path in places):
        return None
    study = next((path for path in places if find_cells(path)), None)
    if study is None and places and places[0] == Path(name) and "/" in name:
        raise UserError(f"{name} is no run, and holds none: a run is a directory with config.yaml and result.json of train.py")
    return study


def evaluate_study(study: Path, chosen: argparse.Namespace, request: Request) -> int:
    """Evaluate the finished cells below a directory, write all and print the table.

    Returns:
        1 if a cell failed, or images could not be read; else 0.

    Raises:
        UserError: no cell is finished, none could be evaluated, or the folder is none for this.
    """
    from wisesr.grid.console import make_console
    from wisesr.inference.evaluation.samples import Decoder

    console, failed = make_console(), dict[str, str]()
    cells, unfinished = _cells(study, failed)
    if not cells and not failed:
        raise UserError(f"{study} has no finished cell to evaluate ({_states(unfinished)})")
    output = chosen.output or Path(chosen.outputs, EVALUATIONS, f"{study.resolve().name}-{request.what(chosen.resolution)}")
    _check_folder(output)
    done: list[Done] = []
    decoder = Decoder()
    for number, cell in enumerate(cells, 1):
        label = f"[{number}/{len(cells)}] {cell.label}"
        try:
            run = load_run(str(cell.directory), chosen, chosen.resolution)
            made = evaluate_run(run, request, output / name_of(run), label=f"[{number}/{len(cells)}]", decoder=decoder)
        except UserError as error:
            failed[cell.label] = str(error)
            console.print(legible(f"{label}: failed: {error}"), markup=False, soft_wrap=True)
            continue
        run = _without_model(run)
        done.append(Done(cell, run, made, name_of(run)))
        console.print(legible(f"{label}: {_in_short(made)}"), markup=False, soft_wrap=True)
    _write(output, study, request, done, failed, unfinished)
    _print(console, done, failed, unfinished, output)
    return 1 if failed or any(own.evaluation.unread for own in done) else 0


def _cells(study: Path, failed: dict[str, str]) -> tuple[list[Cell], dict[str, str]]:
    """Finished cells, and the states of others; damaged ones go to `failed`."""
    from wisesr.config.files import load_cell
    from wisesr.grid.cell_dirs import make_cells
    from wisesr.results.labels import parse_labels
    from wisesr.results.lock import is_running
    from wisesr.results.record_file import load_record
    from wisesr.results.store import find_cells, state_of

    configs, directories, unfinished = [], [], {}
    for directory in find_cells(study):
        try:
            config = load_cell(directory)
            parse_labels(config)
            if load_record(directory) is None:
                unfinished[str(directory)] = str(state_of(directory, running=is_running(directory))[0])
                continue
        except UserError as error:
            failed[str(directory)] = str(error)
            continue
        configs.append(config)
        directories.append(directory)
    return make_cells(configs, directories), unfinished


def _states(unfinished: dict[str, str]) -> str:
    return ", ".join(f"{list(unfinished.values()).count(state)} {state}" for state in dict.fromkeys(unfinished.values()))


def _check_folder(output: Path) -> None:
    """Refuse a folder that holds something else than evaluations of a study."""
    from wisesr.cli.outputs import require_writable

    require_writable("--output", output / TABLE_JSON)
    names = {path.name for path in output.iterdir() if path.is_file() and not path.name.startswith(".")}
    if others := sorted(names - {TABLE_CSV, TABLE_JSON}):
        raise UserError(f"--output: {output} holds {some_of(others, 3)}, and is no evaluation of a study: name another folder")


def _without_model(run: Run) -> Run:
    """The run without its weights: a study may have hundreds."""
    from dataclasses import replace

    return replace(run, model=None)  # type: ignore[arg-type]


def _in_short(made: Evaluation) -> str:
    """`top-1 0.9821, equal to result.json`."""
    text = f"top-1 {made.figures['top1']:.4f}"
    if made.agreement is not None:
        text += ", equal to result.json" if made.agreement.equal else ", differs from result.json"
    return text + (f", {count_of(len(made.unread), 'image')} not read" if made.unread else "")


def _write(
    output: Path, study: Path, request: Request, done: Sequence[Done], failed: dict[str, str], unfinished: dict[str, str]
) -> None:
    from wisesr.inference.evaluation.files import SCHEMA, as_dict, csv_text
    from wisesr.results.atomic_files import write_json, write_text

    cells = [{"folder": own.folder, **as_dict(own.run, own.evaluation)} for own in done]
    content = {"schema": SCHEMA, "study": str(study.resolve()), "command": request.command, "cells": cells}
    write_json(output / TABLE_JSON, content | {"failed": failed, "unfinished": unfinished})
    names = [name for name in FIGURES if any(name in own.evaluation.figures for own in done)]
    head = ["study", "dataset", "size", "backbone", "head", "settings", "seed", "fingerprint", "resolution", "split"]
    rows: list[list[Any]] = [[*head, "images", "unread", *names, "equal_to_record", "folder"]]
    rows += [_row(own, names) for own in done]
    write_text(output / TABLE_CSV, csv_text(rows))


def _row(own: Done, names: Sequence[str]) -> list[Any]:
    labels, made = own.run.labels, own.evaluation
    identity = [labels.study, labels.dataset, labels.size, labels.backbone, labels.head, own.cell.settings, labels.seed]
    identity += [own.run.record.fingerprint, own.run.image_size, made.source.split, len(made.predictions.ids), len(made.unread)]
    equal = None if made.agreement is None else str(made.agreement.equal).lower()
    return [*identity, *(made.figures.get(name) for name in names), equal, own.folder]


def _print(console: Console, done: Sequence[Done], failed: dict[str, str], unfinished: dict[str, str], output: Path) -> None:
    if done:
        console.print()
        console.print(_table(done, console.width))
        for sentence in dict.fromkeys(text for own in done for text in sentences(own.run, own.evaluation) if _is_shared(text)):
            console.print(legible(sentence), markup=False, soft_wrap=True)
    for name, reason in failed.items():
        console.print(legible(f"failed: {name}: {reason}"), markup=False, soft_wrap=True)
    if unfinished:
        names = some_of([f"{name} ({state})" for name, state in unfinished.items()], _SHOWN)
        console.print(legible(f"{count_of(len(unfinished), 'cell')} not finished: {names}"), markup=False, soft_wrap=True)
    console.print(legible(f"Files: {output}"), markup=False, soft_wrap=True)


def _is_shared(sentence: str) -> bool:
    """Whether it is about the data or the resolution, which cells share; how each stands to its record is in the table."""
    return "result.json" not in sentence


def _table(done: Sequence[Done], width: int) -> Table:
    """A row for the seeds of a model, their mean and standard deviation where there are several."""
    from wisesr.grid.naming import name_columns

    groups: dict[tuple[str, ...], list[Done]] = {}
    table, names = name_columns([own.cell for own in done], width)
    for own, row in zip(done, names, strict=True):
        groups.setdefault(tuple(row), []).append(own)
    figures = [name for name in FIGURES if any(name in own.evaluation.figures for own in done)]
    for column in ("seed", "images", *(FIGURES[name] for name in figures)):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("result.json")
    for texts, group in groups.items():
        seeds = str(group[0].run.labels.seed) if len(group) == 1 else f"{len(group)} seeds"
        images = " ".join(dict.fromkeys(f"{len(one.evaluation.predictions.ids):,}" for one in group))
        table.add_row(*texts, seeds, images, *(_figure(group, name) for name in figures), _records(group))
    return table


def _figure(own: Sequence[Done], name: str) -> str:
    values = [one.evaluation.figures[name] for one in own if name in one.evaluation.figures]
    if not values:
        return "-"
    return f"{mean(values):.4f}" + (f" \N{PLUS-MINUS SIGN} {stdev(values):.4f}" if len(values) > 1 else "")


def _records(own: Sequence[Done]) -> str:
    held = [one.evaluation.agreement for one in own]
    equal = [agreement.equal for agreement in held if agreement is not None]
    if not equal:
        return "-"
    return "equal" if all(equal) else "differs" if len(own) == 1 else f"{equal.count(False)} differ"
