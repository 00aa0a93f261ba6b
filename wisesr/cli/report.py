"""`wisesr report`: from records to tables, figures and a page."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr import __version__
from wisesr.cli.report_images import Explainer, TestImages
from wisesr.cli.studies import OUTPUTS, find_study
from wisesr.errors import UserError

if TYPE_CHECKING:
    from wisesr.report.whole_study import Study

_REPORT = """\
Tables, statistics, figures and one page out of the records below directories,
also while a grid runs: what is missing, failed or cannot be read is listed.

  index.html       everything in one file that needs no network
  cells.csv        a row a cell
  tables.md        the tables in Markdown
  tables/          in LaTeX, to \\input: each table, its differences, the claims
  figures/         SVG, PNG and PDF; --figure-width column: for a paper's column
  evidence/        with --evidence: what the maps on the page are drawn from
  report.json      which files are the report's: the next one replaces these

It begins with claims, the paper's and controls or --claims FILE: supported,
contradicted, equivalent within --margin, or inconclusive, with the effect that
these cells could have found. Stars and verdicts hold over the whole study
(docs/statistics.md). --metric tests another figure than top-1.

--evidence loads the models of the heads that disagree on test images, and
shows for which positions of a picture each of them speaks (wisesr explain).

--publish DIR writes what others may have instead: records, predictions, curves
and the report made of these copies, without names of machines, paths, logs,
command lines, environment, uncommitted changes and test images. Its README says
so, and how the report is made again. DIR is new, empty or a former publication.

Nothing is written where no cell is finished.

examples:
  wisesr report                            all of outputs/, into outputs/report
  wisesr report mystudy                    outputs/mystudy, into its report/
  wisesr report a elsewhere/b --output both
  wisesr report mystudy --baseline depthwise
  wisesr report mystudy --claims questions.yaml --metric macro_f1
  wisesr report mystudy --evidence
  wisesr report mystudy --figure-width column
  wisesr report mystudy --publish for-others
"""


METRICS = ("top1", "balanced_accuracy", "macro_f1", "nll")
"""Names of `report.tested_metrics.METRICS`, which is not imported for --help."""

WIDTHS = ("page", "column")
"""Of figures, as `figures.render.FigureWidth` has them."""


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
    help_claims = "YAML with claims of your own (default: the paper's and controls, wisesr/report/claims/)"
    parser.add_argument("--claims", type=Path, metavar="FILE", help=help_claims)
    help_margin = "points within which two heads count as equal (default: 1; nats, 0.02, with --metric nll)"
    parser.add_argument("--margin", type=_margin, metavar="POINTS", help=help_margin)
    help_metric = "what is tested (default: top1); all but top1 from predictions.npz"
    parser.add_argument("--metric", choices=METRICS, default="top1", help=help_metric)
    help_width = "of the files in figures/: page (default), or a paper's column, 228 pt"
    parser.add_argument("--figure-width", choices=WIDTHS, default="page", help=help_width)
    help_publish = "write a copy of the records and their report for others: no hosts, paths, logs, images"
    parser.add_argument("--publish", type=Path, metavar="DIR", help=help_publish)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--no-pictures", action="store_true", help="leave test images out of the page")
    help_evidence = "where the models look in test images on which heads disagree, 16 of a head at most"
    shown.add_argument("--evidence", action="store_true", help=help_evidence)
    help_device = "where models compute with --evidence; auto: a GPU where there is one"
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help=help_device)
    help_trust = "with --evidence: import parts that are not wisesr's, as configurations name them"
    parser.add_argument("--trust", action="store_true", help=help_trust)


def _margin(text: str) -> float:
    """Raises: ArgumentTypeError: it is no number of points above 0."""
    try:
        points = float(text)
    except ValueError:
        points = 0.0
    if not 0 < points <= 100:
        raise argparse.ArgumentTypeError(f"must be points above 0, such as 0.5, not {text!r}")
    return points


def report(chosen: argparse.Namespace) -> int:
    """Write the report, print its tables and where it is.

    Raises:
        UserError: there is no such directory, no cell, none is finished, or the folder is none for a report.
    """
    from rich.console import Console

    from wisesr.grid.console import make_console, say, tracked
    from wisesr.report.output_folder import check_folder
    from wisesr.report.tables.terminal import print_study, unfinished
    from wisesr.report.write import write_report
    from wisesr.terminal import tell_place

    if (chosen.device or chosen.trust) and not chosen.evidence:
        raise UserError("--device and --trust are for --evidence: without it no model is loaded")
    roots = [find_study(name) for name in chosen.directories or [OUTPUTS]]
    output = chosen.output or (roots[0] / "report" if len(roots) == 1 else Path("report"))
    console = make_console()
    shown = partial(tracked, console=Console(stderr=True, highlight=False))

    def reading(directories: Sequence[Path]) -> Iterator[Path]:
        return shown(directories, len(directories), "reading cells")

    study = _read(roots, chosen, tracked=reading)
    if all(cell.record is None for cell in study.cells):
        raise UserError(unfinished(study))
    if chosen.publish:
        from wisesr.cli.report_publish import check_publish, write_publication

        check_publish(chosen, roots)
        page = write_publication(study, chosen, _options(chosen), _read, shown)
        print_study(study, console)
        tell_place(console, page)
        return 0
    check_folder("--output", output)
    images = TestImages()
    written = write_report(
        study,
        output,
        command=_command(chosen),
        version=__version__,
        pictures=None if chosen.no_pictures else images,
        tracked=shown,
        evidence=Explainer(images, chosen) if chosen.evidence else None,
        figure_width=chosen.figure_width,
    )
    print_study(study, console)
    for note in written.notes:
        say(console, note)
    tell_place(console, written.page)
    return 0


def _read(
    roots: Sequence[Path], chosen: argparse.Namespace, tracked: Callable[[Sequence[Path]], Iterable[Path]] = iter
) -> Study:
    """A study below directories, compared as the command line says."""
    from wisesr.report.read import read_study
    from wisesr.report.tested_metrics import metric_of

    return read_study(
        roots,
        baseline=chosen.baseline,
        published=chosen.published,
        claims=chosen.claims,
        margin=chosen.margin,
        metric=metric_of(chosen.metric),
        tracked=tracked,
    )


def _options(chosen: argparse.Namespace) -> list[str]:
    """How tables are made, but for the options that name a file."""
    parts = ["--baseline", chosen.baseline] if chosen.baseline != "gap" else []
    parts += ["--metric", chosen.metric] if chosen.metric != "top1" else []
    parts += ["--figure-width", chosen.figure_width] if chosen.figure_width != "page" else []
    return parts + (["--margin", f"{chosen.margin:g}"] if chosen.margin else [])


def _command(chosen: argparse.Namespace) -> str:
    """The command that makes this report again."""
    parts = ["wisesr", "report", *chosen.directories]
    parts += ["--output", str(chosen.output)] if chosen.output else []
    parts += _options(chosen)
    parts += ["--published", str(chosen.published)] if chosen.published else []
    parts += ["--claims", str(chosen.claims)] if chosen.claims else []
    parts += ["--device", chosen.device] if chosen.device else []
    more = ["--no-pictures"] * chosen.no_pictures + ["--evidence"] * chosen.evidence + ["--trust"] * chosen.trust
    return shlex.join(parts + more)
