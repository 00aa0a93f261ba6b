"""The W&B report's specification, and where it is kept. What the server is sent is tested in `test_uploader.py`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.studies import cell_config
from wisesr.sync.report import make_report
from wisesr.sync.story import ShownPicture, Story
from wisesr.sync.workspace import make_workspace

ROOT = Path("/nowhere")
COLOURS = {"gap": "#555c66", "wise": "#0072b2"}
TWO = {"heads": ("gap", "mine"), "backbones": ("resnet18", "densenet121")}


def picture(width: int, height: int) -> ShownPicture:
    Image.new("RGB", (width, height)).save(content := io.BytesIO(), "PNG")
    return ShownPicture(f"forest-{width}", "a forest plot", "What is drawn.", content.getvalue())


def story(*pictures: ShownPicture) -> Story:
    sections = (("Claims", "| claim | verdict |\n| :--- | :--- |\n| wise\\_dropout | supported |"), ("toy, 64 px", "a table"))
    return Story("4 cells: 4 done.", "**wise** has it.", pictures, sections, COLOURS)


def configs(**axes: Any) -> dict[str, dict[str, Any]]:
    heads, backbones = axes.get("heads", ("gap", "wise")), axes.get("backbones", ("resnet18",))
    cells = [cell_config(ROOT, head=head, backbone=one, seed=seed) for one in backbones for head in heads for seed in (0, 1)]
    return {f"{index:08d}": config for index, config in enumerate(cells)}


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's answer to the only question that a specification asks it."""
    answer = {"project": {"id": "P", "internalId": "P1"}}
    monkeypatch.setattr("wandb_workspaces.reports.v2.interface._get_api", lambda: None)
    monkeypatch.setattr("wandb_workspaces.reports.v2.interface.execute_graphql", lambda *_: answer)


def blocks(cells: dict[str, dict[str, Any]], told: Story, run: str | None = "cafe0001") -> list[dict[str, Any]]:
    made = make_report(cells, told, picture_run=run, entity="me", project="p", study="digits heads")
    assert (made.title, made.description) == ("digits heads", told.summary)
    return list(made._to_model().spec.model_dump(by_alias=True, exclude_none=True)["blocks"])


def grids(spec: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block["metadata"] for block in spec if block["type"] == "panel-grid"]


def ids(grid: dict[str, Any]) -> list[str]:
    (runs,) = grid["runSets"]
    (rule,) = runs["filters"]["filters"]
    assert (rule["key"], rule["op"], rule["disabled"]) == ({"section": "run", "name": "name"}, "IN", False)
    return list(rule["value"])


def test_the_answer_then_what_shows_it_then_claims_and_tables(project: None) -> None:
    told = story(picture(800, 400))
    spec = blocks(configs(), told)
    texts = [block.get("content") or "".join(part["text"] for part in block["children"]) for block in spec]
    shown = [text or block["type"] for text, block in zip(texts, spec, strict=True)]
    assert [text for text in shown if text != "paragraph"] == [
        told.headline,
        "panel-grid",
        "What is drawn.",
        *("Claims", told.sections[0][1], "toy, 64 px", "a table"),
        *("Curves", "panel-grid"),
    ]


def test_pictures_are_those_of_their_run(project: None) -> None:
    sizes = {"report/forest-4000": (24, 24 // 4 + 3), "report/forest-600": (12, 12 // 2 + 3), "report/forest-100": (12, 48)}
    *shown, _ = grids(blocks(configs(), story(picture(4000, 1000), picture(600, 300), picture(100, 5000))))
    for grid, (key, size) in zip(shown, sizes.items(), strict=True):
        assert ids(grid) == ["cafe0001"]
        assert grid["hideRunSets"]
        (panel,) = grid["panelBankSectionConfig"]["panels"]
        assert panel["config"]["mediaKeys"] == [key]
        assert (panel["layout"]["w"], panel["layout"]["h"]) == size


def test_without_pictures_there_is_no_run_of_them(project: None) -> None:
    assert len(grids(blocks(configs(), story(), None))) == 1


def test_curves_are_of_these_cells_grouped_by_head_in_its_colour(project: None) -> None:
    cells = configs()
    (grid,) = grids(blocks(cells, story(), None))
    assert ids(grid) == list(cells), "text, though they look like numbers"
    (runs,) = grid["runSets"]
    assert runs["grouping"] == [{"section": "config", "name": "head.value.name"}]
    assert grid["customRunColors"] == {f"{runs['id']}-config:head.value.name:{name}": COLOURS[name] for name in COLOURS}
    lines = {
        panel["config"]["metrics"][0]: panel["config"]
        for panel in grid["panelBankSectionConfig"]["panels"]
        if "metrics" in panel["config"]
    }
    assert {"val/top1", "train/loss", "kernel/zero", "kernel/distance"} == set(lines)
    assert all(
        (line["groupBy"], line["groupArea"], line["xAxis"]) == ("head.value.name", "stddev", "epoch") for line in lines.values()
    )
    places = [tuple(panel["layout"].values()) for panel in grid["panelBankSectionConfig"]["panels"]]
    assert not any(_overlap(one, other) for number, one in enumerate(places) for other in places[:number])


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    (x, y, w, h), (u, v, width, height) = one, other
    return x < u + width and u < x + w and y < v + height and v < y + h


def test_a_head_without_a_colour_and_several_axes(project: None) -> None:
    cells = configs(**TWO)
    (grid,) = grids(blocks(cells, story(), None))
    (runs,) = grid["runSets"]
    keys = [key["name"] for key in runs["grouping"]]
    assert keys == ["backbone.value.name", "head.value.name"]
    start, end = f"{runs['id']}-config:{keys[0]}", f"config:{keys[1]}:gap"
    assert grid["customRunColors"] == {f"{start}:{backbone}-{end}": COLOURS["gap"] for backbone in TWO["backbones"]}
    assert not any("groupBy" in panel["config"] for panel in grid["panelBankSectionConfig"]["panels"])


def test_the_workspace_has_the_same_colours() -> None:
    from wandb_workspaces.workspaces._run_color_groups import parse_run_color_group_key

    for axes, paths in (({}, [("gap",), ("wise",)]), (TWO, [("resnet18", "gap"), ("densenet121", "gap")])):
        made = make_workspace(configs(**axes), entity="me", project="p", study="s", colours=COLOURS)
        section = made._spec["spec"]["section"]
        (runs,) = section["runSets"]
        keys = [f"config:{key['name']}" for key in runs["grouping"]]
        found = {}
        for name, colour in section["customRunColors"].items():
            told = parse_run_color_group_key(name)
            assert told is not None
            assert told["runset_id"] == runs["id"]
            assert [part["key"] for part in told["path"]] == keys
            found[tuple(part["value"] for part in told["path"])] = colour
        assert found == {path: COLOURS[path[-1]] for path in paths}
