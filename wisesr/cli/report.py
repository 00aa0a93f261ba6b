"""`wisesr report`: from records to tables, figures and a page."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr import __version__
from wisesr.cli.studies import OUTPUTS, find_study
from wisesr.errors import UserError

if TYPE_CHECKING:
    from wisesr.report.write import Load

_REPORT = """\
Tables, statistics, figures and one page out of the records below directories,
also while a grid runs: what is missing, failed or cannot be read is listed.

  index.html       everything in one file that needs no network
  cells.csv        a row a cell
  tables.md        the tables in Markdown; tables/*.tex in LaTeX
  figures/         SVG and PNG
  report.json      which files are the report's: the next one replaces these

Nothing is written where no cell is finished.

examples:
  wisesr report                            all of outputs/, into outputs/report
  wisesr report mystudy                    outputs/mystudy, into its report/
  wisesr report a elsewhere/b --output both
  wisesr report mystudy --baseline depthwise
"""


def add_report(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _REPORT
    parser.set_defaults(run=report)
    help_directories = "outputs (default), studies or their names below outputs/, cells"
    parser.add_argument("directories", metavar="DIR", nargs="*", help=help_directories)
    help_output = "folder of the report (default: DIR/report, or ./report of several)"
    parser.add_argument("--output", type=Path, metavar="DIR", help=help_output)
    help_baseline = "the head that others are compared with (default: gap)"
    parser.add_argument("--baseline", metavar="HEAD", default="gap", help=help_baseline)
    help_published = "CSV with published figures (default: the package's, which waits for yours)"
    parser.add_argument("--published", type=Path, metavar="FILE", help=help_published)
    parser.add_argument("--no-pictures", action="store_true", help="leave test images out of the page")


def report(chosen: argparse.Namespace) -> int:
    """Write the report, print its tables and where it is.

    Raises:
        UserError: there is no such directory, no cell, none is finished, or the folder is none for a report.
    """
    from rich.console import Console

    from wisesr.grid.console import make_console, tracked
    from wisesr.report.output_folder import check_folder
    from wisesr.report.read import read_study
    from wisesr.report.tables.terminal import print_study, unfinished
    from wisesr.report.write import write_report

    roots = [find_study(name) for name in chosen.directories or [OUTPUTS]]
    output = chosen.output or (roots[0] / "report" if len(roots) == 1 else Path("report"))
    console = make_console()
    shown = partial(tracked, console=Console(stderr=True, highlight=False))

    def reading(directories: Sequence[Path]) -> Iterator[Path]:
        return shown(directories, len(directories), "reading cells")

    study = read_study(roots, baseline=chosen.baseline, published=chosen.published, tracked=reading)
    if all(cell.record is None for cell in study.cells):
        raise UserError(unfinished(study))
    check_folder("--output", output)
    pictures = None if chosen.no_pictures else _test_images
    command = _command(chosen)
    written = write_report(study, output, command=command, version=__version__, pictures=pictures, tracked=shown)
    print_study(study, console)
    for note in written.notes:
        console.print(note, markup=False)
    console.print(str(written.page), soft_wrap=True, markup=False)
    return 0


def _command(chosen: argparse.Namespace) -> str:
    """The command that makes this report again."""
    parts = ["wisesr", "report", *chosen.directories]
    parts += ["--output", str(chosen.output)] if chosen.output else []
    parts += ["--baseline", chosen.baseline] if chosen.baseline != "gap" else []
    parts += ["--published", str(chosen.published)] if chosen.published else []
    return shlex.join(parts + ["--no-pictures"] * chosen.no_pictures)


def _test_images(config: Mapping[str, Any], fingerprint: str) -> Load | str:
    """The images that a cell was tested on, or why they cannot be had."""
    from wisesr.build.data import build_manifest

    try:
        manifest = build_manifest(config)
    except UserError as error:
        return str(error)
    if manifest.fingerprint() != fingerprint:
        return "the dataset is not what it was: names, sizes, labels or splits differ"
    index = {name: at for at, name in enumerate(manifest.ids)}
    return lambda name: manifest.load(index[name])
