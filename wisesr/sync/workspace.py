"""A study's workspace as a specification of wandb-workspaces.

All panels of a workspace show the same runs, so runs are grouped by everything that varies between cells but the seed:
a line is never a mean over data sets, sizes, rates or settings. Only the runs named here are shown: earlier uploads of a
cell, redone and crashed ones would count a seed twice.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.config.axes import leaves
from wisesr.config.identity import computation
from wisesr.config.replicates import split_moves_with_seed

with warnings.catch_warnings():
    # It is written for pydantic 1: https://docs.pydantic.dev/latest/migration/
    warnings.filterwarnings("ignore", category=DeprecationWarning, message="(?s).*Pydantic V2.*")
    import wandb_workspaces.reports.v2 as panels
    import wandb_workspaces.workspaces as spaces
    from wandb_workspaces import expr

_FIRST = ("dataset.name", "resolution.size", "protocol", "backbone.name", "head.name")
"""Names that users know cells by; other keys only where these do not tell cells apart."""

_BEST = ("best/test/top1", "best/test/macro_f1", "best/val/top1", "best/epoch", "head_parameters", "train_seconds")


def grouping(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys of the configuration that together tell cells apart but for seeds, replicates and folds, the head always among them.

    Of keys that vary together (a recipe's), the first stands for all.
    """
    values = [leaves(computation(config)) for config in configs]
    repeating = {"seed", *["dataset.split_seed"] * split_moves_with_seed(values)}
    repeating |= {"dataset.fold"} if all(cell.get("dataset.fold") is not None for cell in values) else set()
    rest = sorted({key for cell in values for key in cell} - {*_FIRST, *repeating})
    chosen: list[str] = []
    parts = 1
    for key in (*_FIRST, *rest):
        count = len({tuple(repr(cell.get(name)) for name in (*chosen, key)) for cell in values})
        if count > parts:
            chosen, parts = [*chosen, key], count
    return chosen if "head.name" in chosen else [*chosen, "head.name"]


def make_workspace(configs: Mapping[str, Mapping[str, Any]], *, entity: str, project: str, study: str) -> spaces.Workspace:
    """The specification; nothing is sent.

    Args:
        configs: of the cells that it shows, by the id of their run on the server.
        entity: user or team.
        project: on the server.
        study: name of the runs' group, and of the workspace.
    """
    keys = grouping(list(configs.values()))
    return spaces.Workspace(
        entity=entity,
        project=project,
        name=study,
        sections=_sections(keys),
        settings=spaces.WorkspaceSettings(
            x_axis="epoch",
            max_runs=max(10, min(len(configs), 100)),
            # Deviations are only drawn of sampled points: https://github.com/wandb/wandb/issues/8370
            point_visualization_method="downsampling",
        ),
        runset_settings=spaces.RunsetSettings(
            filters=expr.And(expr.Metric("Group") == study, expr.Metric("ID").isin(list(configs))),
            groupby=[expr.Config(key) for key in keys],
            order=[expr.Ordering(expr.Summary("best/test/top1"), ascending=False)],
            pinned_columns=[f"summary:{name}" for name in _BEST],
        ),
    )


def _sections(keys: Sequence[str]) -> list[spaces.Section]:
    return [
        spaces.Section(
            name="Accuracy",
            is_open=True,
            pinned=True,
            panels=[
                _line("val/top1", "validation top-1", keys),
                _bars("best/test/top1", "test top-1 of the chosen epoch", keys),
                _bars("best/test/macro_f1", "test macro F1", keys),
                _line("val/macro_f1", "validation macro F1", keys),
            ],
        ),
        spaces.Section(
            name="Losses",
            is_open=True,
            panels=[
                _line("train/loss", "training loss", keys),
                _line("val/loss", "validation loss", keys),
                _line("val/ece", "validation calibration error", keys),
                _line("lr", "learning rate", keys),
            ],
        ),
        spaces.Section(
            name="What was learned",
            is_open=True,
            panels=[
                panels.MediaBrowser(title="depthwise kernels", media_keys=["kernels"], num_columns=2),
                panels.MediaBrowser(title="hardest test images", media_keys=["hardest"], num_columns=4),
                panels.MediaBrowser(title="confusion, test images", media_keys=["confusion"], num_columns=2),
            ],
        ),
        spaces.Section(name="Predictions", panels=[panels.WeavePanelSummaryTable(table_name="predictions")]),
        spaces.Section(
            name="Cost",
            panels=[
                _cost("head_parameters", "parameters of the head"),
                _cost("trainable_parameters", "trainable parameters"),
                _cost("train_seconds", "seconds of training"),
                _cost("images_per_second", "images per second"),
            ],
        ),
    ]


def _line(name: str, title: str, keys: Sequence[str]) -> panels.LinePlot:
    return panels.LinePlot(x="epoch", y=[name], point_visualization_method="sampling", **_over_seeds(title, keys))


def _bars(name: str, title: str, keys: Sequence[str]) -> panels.BarPlot:
    return panels.BarPlot(metrics=[name], **_over_seeds(title, keys))


def _over_seeds(title: str, keys: Sequence[str]) -> dict[str, Any]:
    """A panel's title and grouping. It takes one key; with several the grouping of the runs holds."""
    return {
        "title": f"{title}, mean and deviation over seeds",
        "groupby": panels.Config(keys[0]) if len(keys) == 1 else None,
        "groupby_aggfunc": "mean",
        "groupby_rangefunc": "stddev",
    }


def _cost(name: str, title: str) -> panels.ScatterPlot:
    top1 = panels.SummaryMetric("best/test/top1")
    return panels.ScatterPlot(title=f"test top-1 against {title}", x=panels.SummaryMetric(name), y=top1, log_x=True)


def save(workspace: spaces.Workspace, before: str | None) -> str:
    """Send it to the server, in the place of the earlier one at the address `before` if that still exists; its address."""
    target = workspace
    if before is not None:
        try:
            target = spaces.Workspace.from_url(before)
        except Exception:  # deleted there, or of another server: a new one takes its place
            target = workspace
        else:
            target.name, target.sections = workspace.name, workspace.sections
            target.settings, target.runset_settings = workspace.settings, workspace.runset_settings
    return str(target.save().url)
