"""All finished cells of a study evaluated alike, one after another, and one table of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.cli.evaluate_run import EVALUATIONS, Request, evaluate_run, name_of
from wisesr.cli.evaluation_study_tables import AGAIN, NO_WEIGHTS, TABLE_CSV, TABLE_JSON, Done, print_tables, write_tables
from wisesr.cli.runs import load_run
from wisesr.errors import UserError
from wisesr.wording import count_of, percent, some_of

if TYPE_CHECKING:
    from wisesr.grid.cell_dirs import Cell
    from wisesr.inference.evaluation.evaluation import Evaluation
    from wisesr.inference.run import Run


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
        raise UserError(f"{name} is no run, and holds none: a run is a directory with config.yaml and result.json")
    return study


def evaluate_study(study: Path, chosen: argparse.Namespace, request: Request) -> int:
    """Evaluate the finished cells below a directory, write all and print the table.

    Returns:
        1 if a cell failed, or images could not be read; else 0.

    Raises:
        UserError: no cell is finished, none could be evaluated, or the folder is none for this.
    """
    from wisesr.grid.console import make_console, say
    from wisesr.inference.evaluation.samples import Decoder

    console, failed = make_console(), dict[str, str]()
    cells, unfinished = _cells(study, failed)
    if not cells and not failed:
        why = f"{study} has no finished cell to evaluate ({_states(unfinished)})"
        raise UserError(f"{why}. {AGAIN}" if NO_WEIGHTS in unfinished.values() else why)
    output = chosen.output or Path(chosen.runs, EVALUATIONS, f"{study.resolve().name}-{request.what(chosen.resolution)}")
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
            say(console, f"{label}: failed: {error}")
            continue
        run = _without_model(run)
        done.append(Done(cell, run, made, name_of(run)))
        say(console, f"{label}: {_in_short(made)}")
    write_tables(output, study, request, done, failed, unfinished)
    print_tables(console, done, failed, unfinished, output)
    return 1 if failed or any(own.evaluation.unread for own in done) else 0


def _cells(study: Path, failed: dict[str, str]) -> tuple[list[Cell], dict[str, str]]:
    """Finished cells with their weights, and the states of others; damaged ones go to `failed`."""
    from wisesr.damage import examine
    from wisesr.grid.cell_dirs import make_cells
    from wisesr.results.cell_files import BEST
    from wisesr.results.cleaned import may_be_gone
    from wisesr.results.lock import is_running
    from wisesr.results.store import find_cells, state_of

    configs, directories, unfinished = [], [], {}
    for directory in find_cells(study):
        try:
            held = is_running(directory)
            found = examine(directory, running=held)
            config = found.config
            if config is None or (found.state is not None and found.record is None):
                failed[str(directory)] = f"{found.state}: {found.reason}"
                continue
            if found.record is None:
                unfinished[str(directory)] = str(state_of(directory, running=held)[0])
                continue
            if not (directory / BEST).exists() and may_be_gone(directory, config):
                unfinished[str(directory)] = NO_WEIGHTS
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
    from wisesr.results.writable import require_writable

    require_writable("--output", output / TABLE_JSON)
    names = {path.name for path in output.iterdir() if path.is_file() and not path.name.startswith(".")}
    if others := sorted(names - {TABLE_CSV, TABLE_JSON}):
        raise UserError(f"--output: {output} holds {some_of(others, 3)}, and is no evaluation of a study: name another folder")


def _without_model(run: Run) -> Run:
    """The run without its weights: a study may have hundreds."""
    from dataclasses import replace

    return replace(run, model=None)  # type: ignore[arg-type]


def _in_short(made: Evaluation) -> str:
    """`top-1 98.21 %, equal to result.json`."""
    text = f"top-1 {percent(made.figures['top1'])} %"
    if made.agreement is not None:
        text += ", equal to result.json" if made.agreement.equal else ", differs from result.json"
    return text + (f", {count_of(len(made.unread), 'image')} not read" if made.unread else "")
