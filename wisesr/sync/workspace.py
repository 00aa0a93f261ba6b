"""A study's workspace as a specification of wandb-workspaces.

All panels of a workspace show the same runs, so runs are grouped by everything that varies between cells but the seed:
a line is never a mean over data sets, sizes, rates or settings. Only the runs named here are shown: earlier uploads of a
cell, redone and crashed ones would count a seed twice.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from wisesr.config.axes import leaves
from wisesr.sync.grouping import group_values, grouping

with warnings.catch_warnings():
    # It is written for pydantic 1: https://docs.pydantic.dev/latest/migration/
    warnings.filterwarnings("ignore", category=DeprecationWarning, message="(?s).*Pydantic V2.*")
    import wandb_workspaces.reports.v2 as panels
    import wandb_workspaces.workspaces as spaces
    from wandb_workspaces import expr

_BEST = ("best/test/top1", "best/test/macro_f1", "best/val/top1", "best/epoch", "head_parameters", "train_seconds", "reads")


def make_workspace(
    configs: Mapping[str, Mapping[str, Any]],
    *,
    entity: str,
    project: str,
    study: str,
    colours: Mapping[str, str] = MappingProxyType({}),
) -> spaces.Workspace:
    """The specification; nothing is sent.

    Args:
        configs: of the cells that it shows, by the id of their run on the server.
        entity: user or team.
        project: on the server.
        study: name of the runs' group, and of the workspace.
        colours: of heads by name, `#rrggbb`; W&B chooses those of others.
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
            group_colors=_group_colours(configs, keys, colours),
            order=[expr.Ordering(expr.Summary("best/test/top1"), ascending=False)],
            pinned_columns=[f"summary:{name}" for name in _BEST],
        ),
    )


def _group_colours(
    configs: Mapping[str, Mapping[str, Any]], keys: Sequence[str], colours: Mapping[str, str]
) -> dict[object, object]:
    """The colour of each group of runs by its path, that of its head."""
    found: dict[object, object] = {}
    for config in configs.values():
        values, colour = group_values(leaves(config), keys), colours.get(str(config["head"]["name"]))
        if colour is not None and values is not None:
            found[spaces.GroupPath(*values)] = colour
    return found


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
                media("depthwise kernels", "kernels", 2),
                media("mean kernel, epoch by epoch", "kernel/picture", 4),
                media("hardest test images", "hardest", 4),
                media("confusion, test images", "confusion", 2),
                _line("kernel/zero", "kernel: share of weights at zero", keys),
                _line("kernel/distance", "kernel: distance from uniform", keys),
            ],
        ),
        spaces.Section(name="Predictions", panels=[panels.WeavePanelSummaryTable(table_name="predictions")]),
        spaces.Section(
            name="Cost",
            panels=[
                _cost("head_parameters", "parameters of the head"),
                _cost("trainable_parameters", "trainable parameters"),
                _cost("compute_train_ms", "milliseconds an image of a training step, compute alone"),
                _cost("train_seconds", "seconds of training, to be compared where `reads` is the same"),
                _cost("images_per_second", "images per second, likewise"),
            ],
        ),
    ]


def media(title: str, name: str, columns: int, **given: Any) -> panels.MediaBrowser:
    """A panel with pictures of each run, the last step first."""
    return panels.MediaBrowser(title=title, media_keys=[name], num_columns=columns, **given)


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
