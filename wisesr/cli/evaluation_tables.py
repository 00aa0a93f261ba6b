"""What `wisesr evaluate` prints of a run: figures, the record beside them, classes, confusions, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.data.image_file import TINY
from wisesr.data.legible import legible
from wisesr.grid.console import say
from wisesr.report.tables.numbers import typographic
from wisesr.wording import count_of, percent, some_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from wisesr.inference.evaluation.evaluation import Evaluation
    from wisesr.inference.run import Run

FIGURES = {
    "loss": "loss",
    "top1": "top-1",
    "top5": "top-5",
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    "ece": "ECE",
}
"""Figures as sentences name them; all but the loss are shares."""
_CLASSES, _PAIRS, _NAMES = 20, 10, 8
"""Classes, confused pairs and names that are printed; the files have all."""


def figure_title(name: str) -> str:
    """A figure as tables head it: `top-1 %`."""
    return FIGURES[name] if name == "loss" else f"{FIGURES[name]} %"


def figure_text(name: str, value: float) -> str:
    """A figure as it is read: shares in percent."""
    return f"{value:.4f}" if name == "loss" else percent(value)


def model_of(run: Run) -> str:
    """`houses-512 efficientnet_lite0-gap seed 0`, and at which resolution where that is another."""
    labels = run.labels
    other = f" at {run.image_size} px" if run.image_size != labels.size else ""
    return f"{labels.dataset}-{labels.size} {labels.backbone}-{labels.head} seed {labels.seed}{other}"


def described(done: Evaluation) -> str:
    """`56 images of 4 classes, test split of houses`."""
    source = done.source
    where = f"{source.name}" if source.split == "all" else f"{source.split} split of {source.name}"
    classes = count_of(len(done.present), "class", "classes")
    return f"{count_of(len(done.predictions.ids), 'image')} of {classes}, {where}"


def print_evaluation(run: Run, done: Evaluation, output: Path, console: Console) -> None:
    """Everything of one evaluation, the files last."""
    say(console, f"{model_of(run)}, epoch {run.record.best.epoch}: {described(done)}")
    console.print(_figures(done))
    for sentence in sentences(run, done):
        say(console, sentence)
    console.print()
    for table in (_classes(done), _confusions(done), _calibration(done)):
        if table is not None:
            console.print(table)
    for name, reason in list(done.unread.items())[:_CLASSES]:
        say(console, f"not read: {name}: {reason}")
    if len(done.unread) > _CLASSES:
        console.print(f"and {count_of(len(done.unread) - _CLASSES, 'more file')}: evaluation.json names all")
    say(console, f"Files: {output}")


def sentences(run: Run, done: Evaluation) -> Iterator[str]:
    """How it stands beside the record, what the figures are over, what was resized, what is to be said of the data."""
    if (agreement := done.agreement) is not None:
        if agreement.equal:
            yield "Equal to result.json, to the bit."
        else:
            yield f"Differs from result.json: {_differences(done)}. {_why(agreement.reasons)}"
    elif run.image_size == run.labels.size and done.source.kind == "own":
        yield f"result.json has no figures of the {done.source.split} split."
    if done.resized:
        yield f"At {run.image_size} px in place of {run.labels.size}: {'; '.join(done.resized)}."
    names, present = done.predictions.classes, set(done.present)
    if absent := [name for name in names if name not in present]:
        yield (
            f"Images of {len(present)} of the run's {len(names)} classes, none of {some_of(absent, _NAMES)}. Loss, top-1, "
            f"top-5 and ECE are means over the images, with all {len(names)} classes to choose from; macro F1 and balanced "
            f"accuracy are over the {count_of(len(present), 'class', 'classes')} with images."
        )
    if done.unread:
        verb = "is" if len(done.unread) == 1 else "are"
        yield f"{count_of(len(done.unread), 'image')} could not be read, and {verb} left out."
    if done.tiny:
        yield f"{count_of(len(done.tiny), 'image')} of a side below {TINY} px, blown up: {some_of(done.tiny, _NAMES)}."
    yield from (f"data: {note}" for note in done.source.notes)


def _differences(done: Evaluation) -> str:
    assert done.agreement is not None
    items = done.agreement.differences.items()
    return ", ".join(_difference(name, now, then) for name, (now, then) in items)


def _difference(name: str, now: float, then: float) -> str:
    """`top-1 97.90 % (there 98.05 %, -0.15)`; with digits that show the smallest difference."""
    scale, unit = (1.0, "") if name == "loss" else (100.0, " %")
    change = typographic(f"{scale * (now - then):+.2g}")
    return f"{FIGURES[name]} {scale * now:.7g}{unit} (there {scale * then:.7g}{unit}, {change})"


def _why(reasons: Sequence[str]) -> str:
    if not reasons:
        return "Device, threads, versions and data are those of the training: please report this."
    return f"What is otherwise than in training: {'; '.join(reasons)}."


def new_table(title: str = "") -> Table:
    """A table in the look of the grid's."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=title or None, title_justify="left")
    table.title_style = "none"
    return table


def _figures(done: Evaluation) -> Table:
    table = new_table()
    shown = [name for name in FIGURES if name in done.figures]
    for name in shown:
        table.add_column(figure_title(name), justify="right")
    table.add_row(*(figure_text(name, done.figures[name]) for name in shown))
    return table


def _classes(done: Evaluation) -> Table:
    """The classes with the lowest F1 first, where there are many; else in their order."""
    from rich.markup import escape

    from wisesr.inference.evaluation.class_figures import class_figures, confusion_of

    rows = class_figures(confusion_of(done.predictions), done.predictions.classes)
    many = len(rows) > _CLASSES
    shown = sorted(rows, key=lambda row: 2.0 if row.f1 is None else row.f1)[:_CLASSES] if many else rows
    table = new_table(f"the {_CLASSES} classes of the lowest F1 of {len(rows)} (per_class.csv has all)" if many else "")
    table.add_column("class", overflow="fold")
    for column in ("images", "precision %", "recall %", "F1 %"):
        table.add_column(column, justify="right")
    for row in shown:
        table.add_row(escape(legible(row.name)), f"{row.images:,}", *map(_share, (row.precision, row.recall, row.f1)))
    return table


def _confusions(done: Evaluation) -> Table | None:
    from rich.markup import escape

    from wisesr.inference.evaluation.class_figures import confusion_of, confusions

    pairs = confusions(confusion_of(done.predictions), done.predictions.classes)
    if not pairs:
        return None
    more = f", {_PAIRS} of {len(pairs):,} (confusion.csv has all)" if len(pairs) > _PAIRS else ""
    table = new_table(f"most frequent confusions{more}")
    table.add_column("class", overflow="fold")
    table.add_column("taken for", overflow="fold")
    table.add_column("images", justify="right")
    table.add_column("of the class", justify="right")
    for pair in pairs[:_PAIRS]:
        names = (escape(legible(name)) for name in (pair.true, pair.predicted))
        table.add_row(*names, f"{pair.images:,}", f"{100 * pair.share:.0f} %")
    return table


def _calibration(done: Evaluation) -> Table:
    from wisesr.inference.evaluation.class_figures import calibration

    table = new_table("calibration: images by the probability of the predicted class")
    for column in ("probability", "images", "mean probability %", "right %"):
        table.add_column(column, justify="right")
    for own in calibration(done.predictions):
        if own.images:
            span = "exactly 1" if own.low == own.high else f"{own.low:.2f} to {own.high:.2f}"
            table.add_row(span, f"{own.images:,}", _share(own.confidence), _share(own.accuracy))
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else percent(value)
