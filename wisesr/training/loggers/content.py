"""What a W&B run shows: how its metrics are summarised, and the pictures and tables of a finished cell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import wandb
import wandb.util

from wisesr.results.kernels import KernelSummary
from wisesr.results.metrics import Row
from wisesr.results.predictions import Predictions
from wisesr.training.loggers.base import Findings
from wisesr.training.loggers.findings import attempt, losses
from wisesr.training.loggers.kernel_rows import PICTURE, kernel_figures, kernel_picture
from wisesr.training.loggers.pictures import confusion_picture

log = logging.getLogger(__name__)

wandb.util.pd_available = False
"""Else the first picture that is logged imports pandas, half a second and 60 MB, to ask whether it is a data frame. Without it
wandb asks for the name of its type: a data frame that somebody logs is still told as one."""

_ROWS = 10_000
"""That wandb writes of a table into a run's own files."""
_CLASSES = 60
"""Up to which there is a chart of the confusion matrix, whose table has a row for each pair; the picture is there for all."""
_LIKELIEST = 5

_BETTER = {"loss": "min", "ece": "min", "top1": "max", "top5": "max", "macro_f1": "max"}


def define_metrics(run: Any, *, plain: bool = False) -> None:
    """Everything over epochs; in the summary the best value beside the last one: `val/top1.max`, `val/top1.last`.

    `plain` is for runs of a sweep, whose chart and search want a number of each: only the last value.
    """
    run.define_metric("epoch", hidden=True)
    run.define_metric("lr", step_metric="epoch", summary="last")
    for split in ("train", "val"):
        for figure in ("loss",) if split == "train" else _BETTER:
            summary = None if plain else f"{_BETTER[figure]},last"
            run.define_metric(f"{split}/{figure}", step_metric="epoch", summary=summary)
    run.define_metric("kernel/*", step_metric="epoch")


def chosen_figures(summary: Mapping[str, Any]) -> dict[str, Any]:
    """`val/top1`, ... of the chosen epoch, from the final figures: what a sweep compares, rather than those of the last."""
    return {name.removeprefix("best/"): value for name, value in summary.items() if name.startswith("best/val/")}


def other_settings(shown: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings below groups that a sweep chooses, by dotted names: `head.name`, `head.dropout`, where W&B has `gap` as `head`.

    The value that the sweep has given stays as it is: the server tells by it which combinations it has had.

    Args:
        shown: the run's configuration on W&B, in which the sweep's own names are.
        config: of the cell.
    """
    hidden = {
        key: node for key, node in config.items() if isinstance(node, Mapping) and not isinstance(shown.get(key), Mapping)
    }
    return {name: value for name, value in _dotted(hidden).items() if name not in shown}


def _dotted(config: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in config.items():
        values |= _dotted(value, f"{above}{key}.") if isinstance(value, Mapping) else {above + key: value}
    return values


def epoch_figures(row: Row, summary: KernelSummary | None) -> dict[str, Any]:
    """An epoch's row of history: its figures, and those of the kernel with a picture, where the head learns one."""
    figures: dict[str, Any] = {name: value for name, value in row.items() if name != "step"}
    if summary is None:
        return figures
    picture = attempt("W&B is not shown a kernel", lambda: wandb.Image(kernel_picture(summary)))
    return figures | kernel_figures(summary) | ({} if picture is None else {PICTURE: picture})


def final_row(run: Any, findings: Findings, *, media: bool) -> dict[str, Any]:
    """Names to what W&B takes, for one row of a run's history: kernels, confusion, predictions, hardest.

    What cannot be made is a warning. `media` says whether pictures of the dataset, and the names of their files, may leave
    this machine.
    """
    makers: dict[str, Callable[[], Any]] = {}
    if findings.kernels is not None:
        makers["kernels"] = lambda: wandb.Image(findings.kernels)
    if (predictions := findings.predictions) is not None:
        makers["confusion"] = lambda: wandb.Image(confusion_picture(predictions))
        makers["predictions"] = lambda: _kept_here(run, "predictions", _table(predictions, named=media))
        if len(predictions.classes) <= _CLASSES:
            makers["confusion_chart"] = lambda: _chart(run, "confusion_chart", predictions)
    if media and findings.hardest:
        makers["hardest"] = lambda: [
            wandb.Image(hard.image, caption=hard.caption, file_type="jpg") for hard in findings.hardest
        ]
    made = {name: attempt(f"W&B is not shown {name}", make) for name, make in makers.items()}
    return {name: value for name, value in made.items() if value is not None}


def _table(predictions: Predictions, *, named: bool) -> wandb.Table:
    """A row a test image, the highest loss first, cut at 10,000; `named`, or by their place in predictions.npz, from 0."""
    loss, predicted = losses(predictions), predictions.probabilities.argmax(axis=1)
    order = np.argsort(-loss, kind="stable")
    if len(order) > _ROWS:
        log.info("W&B's table of predictions has the %d test images with the highest loss, of %d", _ROWS, len(order))
    names = predictions.classes
    columns = ["image", "label", "predicted", "right", "p_label", "p_predicted", "loss", "likeliest"]
    rows: list[list[Any]] = []
    for index in order[:_ROWS]:
        row, label = predictions.probabilities[index], int(predictions.labels[index])
        top = np.argsort(-row, kind="stable")[:_LIKELIEST]
        likeliest = ", ".join(f"{names[place]} {row[place]:.3f}" for place in top)
        figures = (float(row[label]), float(row[predicted[index]]), float(loss[index]))
        image = str(predictions.ids[index] if named else index)
        rows.append([image, names[label], names[predicted[index]], bool(predicted[index] == label), *figures, likeliest])
    return wandb.Table(columns=columns, data=rows)


def _chart(run: Any, name: str, predictions: Predictions) -> Any:
    chart = wandb.plot.confusion_matrix(
        y_true=predictions.labels.tolist(),
        preds=predictions.probabilities.argmax(axis=1).tolist(),
        class_names=list(predictions.classes),
        title="test images",
    )
    _kept_here(run, f"{name}_table", chart.table)
    return chart


def _kept_here(run: Any, name: str, table: wandb.Table) -> wandb.Table:
    """Write a table into the run's own folder now, and nowhere else.

    wandb would make an artifact of it besides, whose only copy stays in the user's home until `wandb sync`: a run that is
    carried to another machine, or a home that is tidied up, would lose it (https://github.com/wandb/server/issues/149).
    """
    table.bind_to_run(run, name, run.step)
    return table
