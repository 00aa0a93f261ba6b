"""Figures for a paper's column: as wide as it, nothing cut, no letter too small, the letters as text in the PDF."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.studies import cell_config, write_cell
from wisesr.report.figures import Figure, all_figures
from wisesr.report.figures.column import POINTS, ROOM, SCALE, in_column
from wisesr.report.figures.render import Picture, render
from wisesr.report.read import read_study

LEAST = 6.0
"""pt of letters in print."""


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    root = tmp_path_factory.mktemp("column")
    for backbone in ("inception_resnet_v2", "resnet18"):
        for head in ("gap", "wise", "depthwise_nonneg"):
            for seed in range(2):
                config = cell_config(root, head=head, seed=seed)
                config |= {"backbone": config["backbone"] | {"name": backbone}}
                write_cell(config, top1=0.7 + len(head) / 100 + seed / 50, classes=12, images=60)
    write_cell(cell_config(root, dataset="many"), classes=40, images=80, top1=0.5)
    return {figure.key: figure for figure in all_figures(read_study([root]))}


@pytest.fixture(scope="module")
def drawn(figures: dict[str, Figure]) -> dict[str, Picture]:
    """One of each kind."""
    kinds = {(figure.section, "epochs" in key, "cost" in key): key for key, figure in figures.items() if "toy" in key}
    assert {section for section, *_ in kinds} >= {"convergence", "cost", "kernels", "confusion"}
    return {key: render(figures[key].spec, width="column") for key in kinds.values()}


def size_of(picture: Picture) -> tuple[float, float]:
    """Width and height of the PDF, pt."""
    found = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", picture.pdf)
    assert found is not None
    return float(found[1]), float(found[2])


def test_every_kind_is_as_wide_as_a_column(drawn: dict[str, Picture]) -> None:
    for key, picture in drawn.items():
        width, height = size_of(picture)
        assert picture.fits and 0.6 * POINTS < width <= POINTS, key
        assert height < 2 * POINTS, key
        assert f'width="{width:.2f}pt" height="{height:.2f}pt"' in picture.svg.split(">")[0].replace(".0pt", ".00pt"), key
        with Image.open(io.BytesIO(picture.png)) as image:
            assert image.width == pytest.approx(width * 300 / 72, abs=2), key


def test_nothing_is_cut_and_no_letter_is_small(drawn: dict[str, Picture]) -> None:
    """What is cut off leaves ink at an edge."""
    for key, picture in drawn.items():
        with Image.open(io.BytesIO(picture.png)) as image:
            ink = np.asarray(image.convert("L")) < 250
        edges = (ink[0], ink[-1], ink[:, 0], ink[:, -1])
        assert not any(edge.any() for edge in edges), key
        sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)px"', picture.svg)]
        assert min(sizes) * SCALE >= LEAST, key
        assert "…" not in picture.svg, key


def test_the_letters_of_a_pdf_are_text_in_fonts_of_its_own(drawn: dict[str, Picture], figures: dict[str, Figure]) -> None:
    for picture in (*drawn.values(), render(figures["toy-64-cost-resnet18"].spec)):
        assert b"/FontFile" in picture.pdf
        assert b"/ToUnicode" in picture.pdf


def test_what_would_not_be_legible_goes_over_both_columns(figures: dict[str, Figure]) -> None:
    figure = next(figure for key, figure in figures.items() if key.startswith("many") and figure.section == "confusion")
    picture = render(figure.spec, width="column")
    assert not picture.fits
    assert POINTS < size_of(picture)[0] == size_of(render(figure.spec))[0] < 510, "as wide as the text of a page"


def test_places_at_the_edge_move_with_it() -> None:
    """A rank diagram names heads beside its axis, in px; 100 px of names are beside any view here."""
    right: dict[str, Any] = {"mark": "text", "encoding": {"x": {"value": 411}, "x2": {"value": 0}}}
    spec: dict[str, Any] = {"width": 400, "height": 200, "layer": [right]}
    made = in_column(spec, lambda tried: float(tried["width"]) + 100)
    assert made is not None
    assert 0.9 * ROOM < made["width"] + 100 <= ROOM
    assert made["layer"][0]["encoding"] == {"x": {"value": 11 + made["width"]}, "x2": {"value": 0}}
    assert in_column(spec, lambda tried: float(tried["width"]) + 300) is None


@pytest.mark.parametrize(("classes", "whole_percent", "changes"), [(6, 1, 1), (12, 1, 0), (22, 0, 0)])
def test_what_is_written_in_cells_stays_within_them(classes: int, whole_percent: int, changes: int) -> None:
    """Three letters or five, each somewhat more than half as wide as high; what does not fit at 6 pt is left out."""
    mark = {"type": "text", "fontSize": 11}
    texts: list[dict[str, Any]] = [{"field": "share", "format": ".0f"}, {"field": "text"}]
    layers: list[dict[str, Any]] = [{"mark": mark, "encoding": {"text": text}} for text in texts]
    legend = {"gradientLength": 160}
    spec: dict[str, Any] = {
        "width": {"step": 40},
        "layer": [{"mark": "rect", "encoding": {"color": {"legend": legend}}}, *layers],
    }
    made = in_column(spec, lambda tried: 60.0 + classes * tried["width"]["step"])
    assert made is not None
    step, written = made["width"]["step"], [layer for layer in made["layer"] if "text" in layer["encoding"]]
    assert ["format" in layer["encoding"]["text"] for layer in written] == [True] * whole_percent + [False] * changes
    for layer, letters in zip(written, (3, 5), strict=False):
        assert LEAST / SCALE <= layer["mark"]["fontSize"] <= step / (letters * 0.55)
    assert made["layer"][0]["encoding"]["color"]["legend"]["orient"] == "bottom"
