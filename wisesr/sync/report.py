"""A study's W&B report as a specification of wandb-workspaces: the answer, the forest plot, claims, tables, curves by head."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from PIL import Image

from wisesr.config.axes import leaves
from wisesr.sync.grouping import group_values, grouping
from wisesr.sync.report_run import picture_key
from wisesr.sync.story import ShownPicture, Story
from wisesr.sync.workspace import media

with warnings.catch_warnings():
    # It is written for pydantic 1: https://docs.pydantic.dev/latest/migration/
    warnings.filterwarnings("ignore", category=DeprecationWarning, message="(?s).*Pydantic V2.*")
    import wandb_workspaces.reports.v2 as wr
    from wandb_workspaces import expr

Configs = Mapping[str, Mapping[str, Any]]
"""Configurations of cells by the id of their run on the server."""

_WIDE = 24
"""Columns of a report's grid."""
_PIXELS = 84
"""Of a picture in a column, about: figures are drawn with two pixels for one of the screen."""
_HIGHEST, _TITLE = 48, 3
"""Rows that a picture has at most, and those of its title."""
_CELLS = "cells"


def make_report(configs: Configs, story: Story, *, picture_run: str | None, entity: str, project: str, study: str) -> wr.Report:
    """The specification. wandb-workspaces asks the server for the project when it is sent, and not before.

    Args:
        configs: of the cells whose curves it shows, at least one.
        story: of the study.
        picture_run: id of the run that has the story's pictures; None where there is none.
        entity: user or team.
        project: on the server.
        study: its name, and the report's.
    """
    where = {"entity": entity, "project": project}
    return wr.Report(
        **where,
        title=study[:128],
        description=story.summary,
        width="fixed",
        blocks=[
            *([wr.MarkdownBlock(text=story.headline)] if story.headline else []),
            *(_pictures(story, picture_run, where) if picture_run is not None else []),
            *(block for title, text in story.sections for block in (wr.H2(text=title), wr.MarkdownBlock(text=text))),
            wr.H2(text="Curves"),
            wr.PanelGrid(
                runsets=[_cells(configs, where)],
                panels=_curves(grouping(list(configs.values()))),
                custom_run_colors=_colours(configs, story.colours),
            ),
        ],
    )


def _pictures(story: Story, run: str, where: Mapping[str, str]) -> Iterator[wr.Block]:
    """Each picture, with what is said of it below."""
    for picture in story.pictures:
        panel = media(picture.title, picture_key(picture), 1, layout=_layout(picture))
        only = wr.Runset(**where, name="pictures", filters=expr.And(expr.Metric("ID").isin([run])))
        yield wr.PanelGrid(runsets=[only], panels=[panel], hide_run_sets=True)
        yield wr.MarkdownBlock(text=picture.caption)


def _layout(picture: ShownPicture) -> wr.Layout:
    """As large as a picture is, from half to all of the report's width; rows are about as high as columns are wide."""
    width, height = Image.open(io.BytesIO(picture.png)).size
    columns = min(_WIDE, max(_WIDE // 2, round(width / _PIXELS)))
    return wr.Layout(w=columns, h=min(_HIGHEST, round(columns * height / width) + _TITLE))


def _cells(configs: Configs, where: Mapping[str, str]) -> wr.Runset:
    """The runs of the cells and no others, grouped by all that varies but the seed."""
    return wr.Runset(
        **where,
        name=_CELLS,
        filters=expr.And(expr.Metric("ID").isin(list(configs))),
        groupby=[f"config.{key}" for key in grouping(list(configs.values()))],
    )


def _curves(keys: Sequence[str]) -> list[Any]:
    one = wr.Config(keys[0]) if len(keys) == 1 else None  # with several the grouping of the runs holds
    named = {
        "val/top1": "validation top-1",
        "train/loss": "training loss",
        "kernel/zero": "kernel: share of weights at zero",
        "kernel/distance": "kernel: distance from uniform",
    }
    half = _WIDE // 2
    lines = [
        wr.LinePlot(
            x="epoch",
            y=[name],
            title=f"{title}, mean and deviation over seeds",
            groupby=one,
            groupby_aggfunc="mean",
            groupby_rangefunc="stddev",
            point_visualization_method="sampling",
            layout=wr.Layout(x=half * (place % 2), y=8 * (place // 2), w=half, h=8),
        )
        for place, (name, title) in enumerate(named.items())
    ]
    below = {"kernels": "depthwise kernels", "kernel/picture": "mean kernel, epoch by epoch"}
    return lines + [
        media(title, name, 2, layout=wr.Layout(x=half * place, y=16, w=half, h=10))
        for place, (name, title) in enumerate(below.items())
    ]


def _colours(configs: Configs, heads: Mapping[str, str]) -> dict[Any, str]:
    """The colour of each group, that of its head on the page; of heads without one W&B chooses."""
    keys = grouping(list(configs.values()))
    found: dict[Any, str] = {}
    for config in configs.values():
        values = group_values(leaves(config), keys)
        if (colour := heads.get(str(config["head"]["name"]))) and values is not None:
            path = tuple(wr.RunsetGroupKey(wr.Config(key), value) for key, value in zip(keys, values, strict=True))
            found[wr.RunsetGroup(runset_name=_CELLS, keys=path)] = colour
    return found


def save(report: wr.Report, before: str | None) -> str:
    """Send it to the server, in the place of the earlier one at the address `before` if that still exists; its address.

    What readers wrote beside an earlier one stays.
    """
    target = report
    if before is not None:
        try:
            target = wr.Report.from_url(before)
        except Exception:  # deleted there, or of another server: a new one takes its place
            target = report
        else:
            target.title, target.description, target.width = report.title, report.description, report.width
            target.blocks = report.blocks
    return str(target.save().url)
