"""`wisesr explain`: which positions of a picture spoke for a class."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr import __version__
from wisesr.cli.explain_files import LIMIT, command_of, write_explained
from wisesr.cli.explain_pictures import choose_pictures
from wisesr.cli.names import file_name
from wisesr.cli.numbers import at_least_1
from wisesr.cli.runs import RUN, add_run_options, load_run
from wisesr.errors import UserError
from wisesr.wording import count_of

if TYPE_CHECKING:
    from rich.console import Console

    from wisesr.inference.explain import Seen
    from wisesr.inference.run import Run
    from wisesr.report.evidence.rows import Explained

_EXPLAIN = f"""\
Which positions of a picture spoke for a class, and which against it.

  evidence    of linear heads (gap, gwap, depthwise, wise, flatten): what each
              position of the map adds to the class's logit. It is exact: the
              sum of the map and the offset is the logit, and is printed.
  Grad-CAM    of every head, of the map that it gets; needs wisesr[explain]
  attention   of attention heads (attention, simpool, gwap_attention): how much
              each position weighs, whatever it speaks for

{RUN}
PATHS are files, folders with all that is in them, and quoted patterns, found and
read as by wisesr predict. The maps lie on the picture as the model saw it
(resized, cropped or padded as in testing), each position a cell. All evidence in
a picture is on one scale around 0, that of both runs with --against too; Grad-CAM
and attention have one for each run. Sizes, backbones and classes of the two may
differ: classes are matched by name, and where maps have other extents, numbers
are per area.

  index.html       all of it in one file that needs no network
  NAME.png         a sheet for each picture

exit code: 1 if a picture could not be read (the others are explained), or if
nothing could be explained; 2 for options that there are not; else 0.

examples:
  wisesr explain mystudy:resnet50-wise-0 photo.jpg
  wisesr explain resnet50-wise photos --limit 20 --top 2
  wisesr explain resnet50-wise photo.jpg --against resnet50-gap
  wisesr explain resnet50-wise photo.jpg --class kitchen --output sheets
"""


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _EXPLAIN
    parser.set_defaults(run=explain)
    parser.add_argument("name", metavar="RUN", help="a finished cell")
    parser.add_argument("paths", metavar="PATHS", nargs="+", help="files, folders, quoted patterns")
    parser.add_argument("--against", metavar="RUN", help="a second run, below the first on the same picture and scale")
    parser.add_argument("--class", dest="classes", metavar="NAME", action="append", default=[], help="a class, may be repeated")
    parser.add_argument("--top", type=at_least_1, metavar="K", help="without --class: the K most probable (default: 1)")
    help_limit = f"pictures of folders and patterns, evenly spaced (default: {LIMIT}); files that are named are all explained"
    parser.add_argument("--limit", type=at_least_1, default=LIMIT, metavar="N", help=help_limit)
    parser.add_argument("--smooth", action="store_true", help="interpolate between positions instead of showing cells")
    parser.add_argument("--each-head", action="store_true", help="each attention head too, not only their mean")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="default: explained/STUDY-BACKBONE-HEAD-SEED-FINGERPRINT below --runs"
    )
    add_run_options(parser)


def explain(chosen: argparse.Namespace) -> int:
    """Explain pictures, print the sums and where the sheets are.

    Raises:
        UserError: --class beside --top; no such run, or class of any of them; no picture; the folder holds something else.
    """
    from wisesr.grid.console import make_console, say
    from wisesr.inference.explanation.grad_cam import MISSING, has_grad_cam
    from wisesr.report.evidence.rows import has_heads
    from wisesr.report.output_folder import check_folder, replace_report

    if chosen.classes and chosen.top:
        raise UserError("--class names the classes, and --top takes the most probable ones: give one of them")
    console = make_console()
    runs = [load_run(name, chosen) for name in (chosen.name, chosen.against) if name]
    _check_classes(runs, chosen.classes)
    to = chosen.output or Path(chosen.runs, "explained", file_name(_short_name(runs)))
    check_folder("--output", to)
    paths, notes, problems = choose_pictures(chosen.paths, chosen.limit)
    notes += [] if has_grad_cam() else [f"Grad-CAM is left out. {MISSING}"]
    shown = list(_explained(runs, paths, chosen, problems, console))
    if shown and chosen.each_head and not any(map(has_heads, shown)):
        notes.append("--each-head adds nothing here: no run has several attention heads.")
    for line in [*notes, *problems]:
        say(console, line)
    if not shown:
        raise UserError("none of the pictures could be explained")

    def write(folder: Path) -> dict[str, Any]:
        write_explained(folder, shown, runs, chosen, [*notes, *problems])
        return {"wisesr": __version__, "command": command_of(chosen), "page": "index.html"}

    replace_report(to, write)
    say(console, f"{count_of(len(shown), 'sheet')} and index.html in {to}")
    return 1 if problems else 0


def _check_classes(runs: Sequence[Run], classes: Sequence[str]) -> None:
    """Every class is one of at least one of the runs."""
    for name in classes:
        if not any(name in run.class_names for run in runs):
            runs[0].index_of(name)


def _short_name(runs: Sequence[Run]) -> str:
    labels = ((run.labels, run.record.fingerprint[:8]) for run in runs)
    return "-against-".join(f"{its.study}-{its.backbone}-{its.head}-seed-{its.seed}-{digits}" for its, digits in labels)


def _explained(
    runs: Sequence[Run], paths: Sequence[str], chosen: argparse.Namespace, problems: list[str], console: Console
) -> Iterator[Explained]:
    """The pictures that can be read, in order, their sums printed; the others are problems."""
    from wisesr.grid.console import say, tracked
    from wisesr.inference.explain import see
    from wisesr.inference.prediction.reading import NO_NUMBER, read_picture
    from wisesr.report.evidence.rows import rows

    for path in tracked(paths, len(paths), "explaining", console):
        views = [read_picture(run, path) for run in runs]
        if bad := [view for view in views if isinstance(view, str)]:
            problems.append(f"{path}: {bad[0]}")
            continue
        seen = [see(run, view) for run, view in zip(runs, views, strict=True) if not isinstance(view, str)]
        if not all(one.logits.isfinite().all() for one in seen):
            problems.append(f"{path}: {NO_NUMBER}")
            continue
        explained = _explain(runs, seen, path, chosen.classes, chosen.top or 1)
        say(console, path)
        for row in rows(explained):
            for line in (row.title, *(f"  {line}" for line in row.lines)):
                say(console, f"  {line}")
        yield explained


def _explain(runs: Sequence[Run], seen: Sequence[Seen], path: str, classes: Sequence[str], top: int) -> Explained:
    """A picture by all runs; without named classes, those that any of them finds most probable."""
    from wisesr.data.legible import legible
    from wisesr.inference.explain import explain as explain_by
    from wisesr.inference.explain import most_probable, name_of
    from wisesr.report.evidence.rows import ByRun, Explained

    both = list(zip(runs, seen, strict=True))
    names = dict.fromkeys(classes or [name for run, its in both for name in most_probable(run, its, top)])
    by_run = []
    for run, its in both:
        explanation = explain_by(run, its, [name for name in names if name in run.class_names])
        by_run.append(ByRun(name_of(run), run.config["trainer"]["precision"], explanation))
    return Explained(legible(path), tuple(by_run), tuple(names))
