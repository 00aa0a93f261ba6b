"""Figures as they are drawn: what Vega-Lite made of a spec, held against what it should show."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import vl_convert
from PIL import Image

from tests.support.studies import cell_config, write_cell
from wisesr.report.convergence import curves
from wisesr.report.figures import all_figures
from wisesr.report.figures.figure import Figure
from wisesr.report.figures.heat_maps import heat_map
from wisesr.report.figures.render import Picture, render, without_hover
from wisesr.report.figures.style import DIVERGING, SEQUENTIAL, config
from wisesr.report.read import read_study
from wisesr.report.whole_study import Study
from wisesr.results.predictions import Predictions, read_predictions, write_predictions

NAME = "wise dropout=0.5 'x' <b>&"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("render")
    for backbone, seeds in {"resnet18": 3, "resnet50": 1}.items():
        for seed in range(seeds):
            write_cell(cell_config(root, backbone=backbone, seed=seed), top1=0.8)
            odd = cell_config(root, head="wise", backbone=backbone, seed=seed)
            write_cell(odd | {"head": odd["head"] | {"name": NAME}}, top1=0.7)
            write_cell(cell_config(root, head="wise", backbone=backbone, seed=seed), top1=0.9)
    write_cell(cell_config(root, dataset="many"), classes=41, images=82, top1=0.5)
    return read_study([root])


@pytest.fixture(scope="module")
def figures(study: Study) -> dict[str, Figure]:
    return {figure.key: figure for figure in all_figures(study)}


@pytest.fixture(scope="module")
def drawn(figures: dict[str, Figure]) -> dict[str, Picture]:
    """One of each kind."""
    kinds = ["convergence-resnet18", "backbones", "cost-resnet18", "kernel-resnet18-wise", "kernels-resnet18-epochs"]
    kinds += ["recall-resnet18-wise"]
    keys = [f"toy-64-{kind}" for kind in [*kinds, "confusion-resnet18-wise"]]
    return {key: render(figures[key].spec) for key in [*keys, "many-64-confusion-resnet18-gap"]}


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Figure:
    """A matrix of the classes 1, 2, ..., 12, of which 3 and 11 have no test image."""
    directory = write_cell(cell_config(tmp_path_factory.mktemp("numbered")), classes=12, images=60, top1=0.5)
    tested = read_predictions(directory)
    assert tested is not None
    names, kept = tuple(map(str, range(1, 13))), ~np.isin(tested.labels, [2, 10])
    write_predictions(directory, Predictions(tested.ids[kept], tested.labels[kept], tested.probabilities[kept], names))
    study = read_study([directory])
    return next(figure for figure in all_figures(study) if figure.section == "confusion")


def test_a_class_without_test_images_is_shown_as_absent(numbered: Figure) -> None:
    assert numbered.caption.endswith(" Without test images, and so without percentages: 3, 11.")
    svg = render(numbered.spec).svg
    assert svg.count(">no test images<") == 2
    ground = re.findall(rf'd="M0,(\d+)h[^"]*" fill="{SEQUENTIAL["light"][0]}"', svg)
    assert [int(top) // 36 for top in ground] == [0, 1, *range(3, 10), 11], "only rows with images are painted as 0 %"


def test_classes_stand_in_the_order_of_the_dataset(numbered: Figure) -> None:
    labels = re.findall(r'text-anchor="(middle|end)" [^>]*opacity="1">(\d+)<', render(numbered.spec).svg)
    for axis in ("middle", "end"):
        assert [int(text) for anchor, text in labels if anchor == axis] == list(range(1, 13))


def texts(svg: str) -> set[str]:
    return {element.text or "" for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}


def test_every_kind_is_drawn_as_svg_and_png(drawn: dict[str, Picture]) -> None:
    assert len(drawn) == 8
    for picture in drawn.values():
        root = ElementTree.fromstring(picture.svg)
        width, height = (float(root.attrib[name]) for name in ("width", "height"))
        with Image.open(io.BytesIO(picture.png)) as image:
            assert image.format == "PNG"
            assert image.size == (pytest.approx(2 * width, abs=2), pytest.approx(2 * height, abs=2))
            assert image.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
            assert len(image.convert("RGB").getcolors(2**24) or ()) > 20
        assert width < 900
        assert "href" not in picture.svg.replace("xmlns:xlink", "")
        assert "NaN" not in picture.svg
        assert "undefined" not in picture.svg


def test_axes_legends_and_names_are_there(drawn: dict[str, Picture]) -> None:
    assert {"gap", "wise", NAME, "Epoch", "Validation top-1 (%)"} <= texts(drawn["toy-64-convergence-resnet18"].svg)
    assert "(% more than gap)" in drawn["toy-64-cost-resnet18"].svg
    assert {NAME, "gap"} <= texts(drawn["toy-64-cost-resnet18"].svg)
    assert {"Recall (%)", "Difference (points)", "class4", "gap", "wise"} <= texts(drawn["toy-64-recall-resnet18-wise"].svg)
    assert {"resnet18 (11.2 M, 0.296 GFLOPs)"} <= texts(drawn["toy-64-backbones"].svg)
    assert {"Mean over channels", "epoch 3"} <= texts(drawn["toy-64-kernel-resnet18-wise"].svg)
    assert {"True class", "class4"} <= texts(drawn["toy-64-confusion-resnet18-wise"].svg)


def test_what_is_for_the_pointer_is_not_in_files(figures: dict[str, Figure]) -> None:
    spec = figures["toy-64-convergence-resnet18"].spec
    assert [layer.get("name") for layer in spec["layer"]][-1] == "hover"
    assert "hover" not in str(without_hover(spec))
    assert "hover" in str(spec), "the page has it"


def marks(part: Any, role: str) -> list[dict[str, Any]]:
    """Items of all groups of marks of a name in a scene."""
    if isinstance(part, list):
        return [item for one in part for item in marks(one, role)]
    if not isinstance(part, dict):
        return []
    if part.get("marktype") == role and part.get("role") == "mark":
        return list(part["items"])
    return [item for value in part.values() for item in marks(value, role)]


def test_points_lie_where_their_figures_are(study: Study, figures: dict[str, Figure]) -> None:
    """Heights fall with accuracy along one straight line for all heads, and widths rise with epochs."""
    scene = vl_convert.vegalite_to_scenegraph(
        without_hover(figures["toy-64-convergence-resnet18"].spec) | {"config": config("light")}
    )
    points = marks(scene, "symbol")
    toy = next(table for table in study.tables if table.key == "toy-64")
    wanted = sorted(
        (epoch, mean)
        for curve in curves(toy.groups()["resnet18", ""])
        for epoch, mean in zip(curve.epochs, curve.mean, strict=True)
    )
    drawn = sorted((float(point["x"]), -float(point["y"])) for point in points)
    assert len(drawn) == len(wanted) == 9
    for axis in (0, 1):
        values, places = ([pair[axis] for pair in pairs] for pairs in (wanted, drawn))
        slope, start = np.polyfit(values, places, 1)
        assert slope > 0
        assert np.allclose(slope * np.array(values) + start, places, atol=0.05)


@pytest.mark.parametrize("signed", [True, False])
def test_each_weight_is_drawn_in_its_row_and_column(signed: bool) -> None:
    """The strongest stands alone in the strongest colour, the weakest in that of zero."""
    plane = np.full((3, 5), 0.5)
    plane[1, 4], plane[2, 0] = 1, 0
    scene = vl_convert.vegalite_to_scenegraph(heat_map("x", plane, signed=signed, side=100) | {"config": config("light")})
    rects = {(round(item["x"] / 20), round(item["y"] / 20)): item["fill"] for item in marks(scene, "rect")}
    colors = (DIVERGING if signed else SEQUENTIAL)["light"]
    assert len(rects) == 15
    assert _rgb(rects[4, 1]) == _rgb(colors[-1])
    assert _rgb(rects[0, 2]) == _rgb(colors[3 if signed else 0])
    assert len({fill for place, fill in rects.items() if place not in ((4, 1), (0, 2))}) == 1


def _rgb(color: str) -> tuple[int, ...]:
    if color.startswith("#"):
        return tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))
    return tuple(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(","))


@pytest.mark.slow
def test_figures_of_every_kind_are_drawn_on_dark_ground(figures: dict[str, Figure], tmp_path: Path) -> None:
    for figure in figures.values():
        picture = render(figure.spec, "dark")
        with Image.open(io.BytesIO(picture.png)) as image:
            assert image.convert("RGB").getpixel((1, 1)) == (0x14, 0x17, 0x1B)
