"""What `wisesr evaluate` says of a study: a row a model in the terminal, a row a cell in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.cli.evaluation_tables import FIGURES, figure_text, figure_title, sentences
from wisesr.grid.console import say
from wisesr.results.left_alone import LeftAlone, left_alone_lines
from wisesr.wording import count_of, some_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from wisesr.cli.evaluate_run import Request
    from wisesr.grid.cell_dirs import Cell
    from wisesr.inference.evaluation.evaluation import Evaluation
    from wisesr.inference.run import Run

TABLE_CSV, TABLE_JSON = "evaluations.csv", "evaluations.json"
NO_WEIGHTS = "without best.ckpt"
"""In the place of a state: `wisesr clean` has removed it, or trainer.keep_checkpoints keeps none."""
AGAIN = (
    "`wisesr clean` or trainer.keep_checkpoints has removed weights: `python -m wisesr.cell DIRECTORY --force` trains a cell "
    "again, to the bit with the same code, data and machine."
)
_SHOWN = 4
"""Unfinished cells that are named; evaluations.json names all."""
_UNREAD = 20
"""Files that cannot be read and are named."""


class Done(NamedTuple):
    """A cell that was evaluated."""

    cell: Cell
    run: Run
    evaluation: Evaluation
    folder: str


def write_tables(
    output: Path, study: Path, request: Request, done: Sequence[Done], failed: dict[str, str], unfinished: dict[str, str]
) -> None:
    """`evaluations.csv`, a row a cell, and `evaluations.json`, with all that their own files say but the probabilities.

    Args:
        output: the folder.
        study: that was evaluated.
        request: what was asked for.
        done: cells that were evaluated.
        failed: cell -> why it was not.
        unfinished: cell -> its state, or `NO_WEIGHTS`.
    """
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


def print_tables(
    console: Console,
    done: Sequence[Done],
    failed: dict[str, str],
    unfinished: dict[str, str],
    output: Path,
    left: Sequence[LeftAlone] = (),
) -> None:
    """The table, what is shared by its rows, what failed and what is not evaluated.

    Arguments as of `write_tables`; `left`: those of `failed` that are damaged.
    """
    if done:
        console.print()
        for table in _tables(done, console.width):
            console.print(table, crop=False)
        for line in _shared(done):
            say(console, line)
    unread = {name: why for own in done for name, why in own.evaluation.unread.items()}
    lines = [f"not read: {name}: {why}" for name, why in unread.items()]
    for line in lines[:_UNREAD]:
        say(console, line)
    if len(lines) > _UNREAD:
        console.print(f"and {count_of(len(lines) - _UNREAD, 'more file')}: evaluations.json names all")
    told = {cell.name for cell in left}
    for name, reason in failed.items():
        if name not in told:
            say(console, f"failed: {name}: {reason}")
    for line in left_alone_lines(left):
        say(console, line)
    if unfinished:
        names = some_of([f"{name} ({state})" for name, state in unfinished.items()], _SHOWN)
        say(console, f"{count_of(len(unfinished), 'cell')} not evaluated: {names}")
        if NO_WEIGHTS in unfinished.values():
            say(console, AGAIN)
    say(console, f"Files: {output}")


def _shared(done: Sequence[Done]) -> list[str]:
    """What is to be said of data and resolution; of which models, where not of all. Records are in the table."""
    said: dict[str, list[str]] = {}
    for own in done:
        for sentence in sentences(own.run, own.evaluation):
            if "result.json" not in sentence:
                said.setdefault(sentence, []).append(own.cell.label)
    return [
        sentence if len(labels) == len(done) else f"{some_of(labels, _SHOWN)}: {sentence}" for sentence, labels in said.items()
    ]


def _tables(done: Sequence[Done], width: int) -> list[Table]:
    """A row for the seeds of a model, their mean and standard deviation where there are several."""
    from wisesr.grid.naming import cell_names
    from wisesr.terminal import Column, tables

    groups: dict[tuple[str, ...], list[Done]] = {}
    names = cell_names([own.cell for own in done], width)
    for own, row in zip(done, names.rows, strict=True):
        groups.setdefault(tuple(row), []).append(own)
    figures = [name for name in FIGURES if any(name in own.evaluation.figures for own in done)]
    heads = ("seed", "images", *(figure_title(name) for name in figures))
    columns = [*names.columns, *map(Column, heads), Column("result.json", tail=True)]
    rows = []
    for texts, group in groups.items():
        seeds = str(group[0].run.labels.seed) if len(group) == 1 else f"{len(group)} seeds"
        images = " ".join(dict.fromkeys(f"{len(one.evaluation.predictions.ids):,}" for one in group))
        rows.append([*texts, seeds, images, *(_figure(group, name) for name in figures), _records(group)])
    return tables(columns, rows, width, title=names.title)


def _figure(own: Sequence[Done], name: str) -> str:
    values = [one.evaluation.figures[name] for one in own if name in one.evaluation.figures]
    if not values:
        return "-"
    deviation = f" \N{PLUS-MINUS SIGN} {figure_text(name, stdev(values))}" if len(values) > 1 else ""
    return figure_text(name, mean(values)) + deviation


def _records(own: Sequence[Done]) -> str:
    held = [one.evaluation.agreement for one in own]
    equal = [agreement.equal for agreement in held if agreement is not None]
    if not equal:
        return "-"
    return "equal" if all(equal) else "differs" if len(own) == 1 else f"{equal.count(False)} differ"
