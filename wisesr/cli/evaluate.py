"""`wisesr evaluate`: a trained cell, or all of a study, measured again."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.cli.runs import RUN, add_run_options, load_run, run_arguments
from wisesr.errors import UserError, unknown

if TYPE_CHECKING:
    from wisesr.cli.evaluate_run import Request

_LAYOUT = ("csv", "columns", "train", "val", "test", "leave_out", "range")
"""Settings of `dataset=folder` that say how a folder is laid out and read; the others are of no use here."""

_EVALUATE = f"""\
Measure a trained model again: on its own test split, on another split, on another
folder of images with the same classes, at another resolution.

{RUN}
The name or directory of a study in place of a RUN evaluates each of its finished
cells and ends with one table; a cell that fails stops no other.

On its own splits a run computes as its training did (batches, precision, threads),
so that on the machine of the training the figures equal result.json to the bit.
That is checked, and said; where they differ, what may be why.

  --data FOLDER    images of the same classes, laid out as for dataset=folder: a folder
                   for each class, or train/ and test/ with such folders, or a list
                   (dataset.csv=labels.csv). Classes are matched by name. Some of the
                   run's classes may be missing, and are named; a class that the run
                   does not have stops, with the nearest that it has.
  --resolution N   kernels and positions are resized, a kernel so that its sum is
                   kept; pre-averaging stays as trained. flatten and fc refuse, but where
                   averaging leaves the same number of positions; shuffled heads do always.

Figures: loss, top-1, top-5 (of more than five classes), macro F1, balanced accuracy,
calibration error (ECE), printed in percent but the loss; files hold shares from
0 to 1. Loss, top-1, top-5 and ECE are means over images; macro F1
and balanced accuracy over the classes that have images. Files that cannot be read
are named, and the rest is evaluated.

  evaluation.json   all figures, and how they were obtained
  predictions.npz   ids, labels, probabilities: as in a cell's directory
  per_class.csv     images, precision, recall and F1 of each class
  confusion.csv     the whole matrix: a row a true class
  reliability.svg   how often it is right where it says so (and .png)
  evaluations.csv, evaluations.json   of a study: a row a cell; folders of the above

The same evaluation again replaces its files; other files are never overwritten.

exit code: 0 if all was evaluated; 1 if images cannot be read, a cell of a study
fails, or nothing can be evaluated; 2 for options that there are not; 130 after
Ctrl-C.

examples:
  wisesr evaluate mystudy:resnet50-wise-0
  wisesr evaluate resnet50-wise/seed-0 --split val
  wisesr evaluate mystudy --data photos/of/2026
  wisesr evaluate mystudy:resnet50-gap-0 --data photos dataset.csv=labels.csv
  wisesr evaluate mystudy --resolution 448
"""


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _EVALUATE
    parser.set_defaults(run=evaluate)
    parser.add_argument("name", metavar="RUN", help="a finished cell, or a study")
    help_overrides = "with --data, how the folder is laid out: dataset.csv, columns, train, val, test, leave_out, range"
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", default=[], help=help_overrides)
    help_split = "train, val, test; of --data also all (default: test, or all of a FOLDER without a test split)"
    parser.add_argument("--split", choices=("train", "val", "test", "all"), help=help_split)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="other images of the same classes")
    parser.add_argument("--root", type=Path, metavar="DIR", help="where the run's own dataset is now, if it was moved")
    parser.add_argument("--resolution", type=int, metavar="N", help="pixels, height and width (default: the training's)")
    help_output = "folder of the files (default: evaluations/<what was evaluated> below --runs)"
    parser.add_argument("--output", type=Path, metavar="DIR", help=help_output)
    help_workers = "processes that decode (default: none on a CPU, up to 8 for a GPU)"
    parser.add_argument("--workers", type=int, metavar="N", help=help_workers)
    add_run_options(parser)


def evaluate(chosen: argparse.Namespace) -> int:
    """Evaluate a run, or the finished cells of a study.

    Returns:
        1 if images cannot be read or cells fail; else 0.

    Raises:
        UserError: no such run or study, settings that do not go together, data that is not in order.
    """
    from wisesr.cli.evaluate_study import evaluate_study, study_of

    request = _request(chosen)
    study = study_of(chosen.name, Path(chosen.runs))
    if study is not None:
        return evaluate_study(study, chosen, request)
    from wisesr.cli.evaluate_run import evaluate_run, output_of
    from wisesr.cli.evaluation_tables import print_evaluation
    from wisesr.grid.console import make_console

    console = make_console()
    run = load_run(chosen.name, chosen, chosen.resolution)
    output = chosen.output or output_of(run, request, Path(chosen.runs))
    done = evaluate_run(run, request, output)
    print_evaluation(run, done, output, console)
    return 1 if done.unread else 0


def _request(chosen: argparse.Namespace) -> Request:
    """What the command asks for, held against itself before anything takes long."""
    from wisesr.cli.evaluate_run import Request

    if chosen.data is not None and chosen.root is not None:
        raise UserError("--root is where the run's own dataset is now, and --data is another one: give one of them")
    if chosen.data is None and chosen.split == "all":
        raise UserError("--split=all is for --data: of the run's own dataset name one of train, val, test")
    if chosen.data is not None and not chosen.data.is_dir():
        raise UserError(
            f"--data must be a folder, and there is {'a file' if chosen.data.exists() else 'nothing'}: {chosen.data}"
        )
    if chosen.workers is not None and chosen.workers < 0:
        raise UserError(f"--workers must be at least 0, not {chosen.workers}")
    if chosen.resolution is not None and chosen.resolution < 8:
        raise UserError(f"--resolution must be at least 8 pixels, not {chosen.resolution}")
    if chosen.overrides and chosen.data is None:
        raise UserError(f"{chosen.overrides[0]}: dataset.* says how the folder of --data is laid out, and there is no --data")
    split = chosen.split or (None if chosen.data is not None else "test")
    return Request(split, chosen.data, _layout(chosen.overrides), chosen.root, chosen.workers, chosen.trust, _command(chosen))


def _layout(overrides: list[str]) -> dict[str, object]:
    """Settings of `dataset=folder` out of overrides."""
    if not overrides:
        return {}
    for key in (text.partition("=")[0] for text in overrides):
        if key not in (known := [f"dataset.{name}" for name in _LAYOUT]):
            raise UserError(unknown("setting of how a folder is laid out", key, known))
    from wisesr.config.compose import compose_checked

    node = compose_checked(["dataset=folder", "dataset.root=.", *overrides])["dataset"]
    return {name: node[name] for name in _LAYOUT}


def _command(chosen: argparse.Namespace) -> str:
    """The command that makes this evaluation again."""
    parts = ["wisesr", "evaluate", chosen.name, *chosen.overrides]
    for option in ("split", "data", "root", "resolution", "output", "workers"):
        if (value := getattr(chosen, option)) is not None:
            parts += [f"--{option}", str(value)]
    return shlex.join(parts + run_arguments(chosen))
