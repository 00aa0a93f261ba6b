"""Scales, colours and drawings of evidence."""

from __future__ import annotations

import base64
import io
import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tests.report.test_colours import SIGHTS, lab, linear
from wisesr.report.evidence.overlay import BAR, SIDE, bar_colours, bar_numbers, overlay, picture_uri
from wisesr.report.evidence.page import render_explained
from wisesr.report.evidence.rows import ByRun, Explained, rows, sum_line
from wisesr.report.evidence.scales import AGAINST, AMOUNT, FOR, Kind, Scale, common_scale, short
from wisesr.report.evidence.strip import strip_png, strip_svg
from wisesr.results.explanation import Attention, ClassMaps, Explanation, Map

MINUS = "\N{MINUS SIGN}"


def plane(*shape: int, seed: int = 0) -> Map:
    return np.random.default_rng(seed).normal(size=shape)


def explanation(size: int, *classes: str, shape: tuple[int, int] = (3, 3), heads: int = 0, factor: float = 1) -> Explanation:
    view = np.random.default_rng(size).integers(0, 256, (size, size, 3), dtype=np.uint8)
    maps = tuple(
        ClassMaps(name, 0.5, float(its.sum()) + 0.25, 0.25, its, 0.25, abs(factor * plane(*shape)))
        for name, its in ((name, factor * plane(*shape, seed=at)) for at, name in enumerate(classes))
    )
    weights = np.full((heads, *shape), 1 / (np.prod(shape) + 1))
    attention = Attention(weights, np.full(heads, 1 / (np.prod(shape) + 1))) if heads else None
    return Explanation(view, classes[0], 0.5, maps, attention)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("grey", [45, 110, 170, 235])
def test_for_and_against_differ_for_all_eyes_on_any_photograph(sight: str, grey: int) -> None:
    """At half of the scale, laid on a grey of the picture: apart from each other and from the grey itself."""
    ground = np.array([grey / 255] * 3)
    scale = Scale("evidence", 1.0)
    seen = [ground]
    for number in (0.5, -0.5):
        colour, opacity = scale.colour(number)
        mixed = [opacity * int(colour[at : at + 2], 16) / 255 + (1 - opacity) * ground[at // 2] for at in (1, 3, 5)]
        seen.append(np.array(mixed))
    colours = ["#" + "".join(f"{round(255 * part):02x}" for part in one) for one in seen]
    labs = [lab(SIGHTS[sight] @ linear(one)) for one in colours]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(labs, 2)) > 11.5


def test_a_scale_is_symmetric_and_holds_every_number() -> None:
    maps = [plane(4, 4, seed=seed) * 10.0**power for seed, power in ((1, 0), (2, -1))]
    scale = common_scale("evidence", maps)
    assert scale is not None and not scale.by_area
    largest = max(float(np.abs(one).max()) for one in maps)
    assert largest <= scale.largest <= 1.1 * largest
    assert scale.ticks() == tuple(-number for number in reversed(scale.ticks()))
    assert scale.colour(scale.largest)[0] == FOR and scale.colour(-scale.largest)[0] == AGAINST
    assert scale.colour(0)[1] == 0
    assert scale.colour(0.3) == (FOR, scale.colour(-0.3)[1])
    amounts = common_scale("attention", [abs(one) for one in maps])
    assert amounts is not None and amounts.ticks()[0] == 0 and amounts.colour(0.1)[0] == AMOUNT
    assert common_scale("evidence", []) is None
    nothing = common_scale("evidence", [np.zeros((2, 2))])
    assert nothing is not None and nothing.unit == "logits: 0 everywhere"


@pytest.mark.parametrize("number", [1e-9, 0.3471, 0.35, 1.0, 9.99, 123.4])
def test_the_end_of_a_scale_is_a_short_number_not_below_its_maps(number: float) -> None:
    scale = common_scale("evidence", [np.array([[number]])])
    assert scale is not None and number <= scale.largest * (1 + 1e-12) <= 1.1 * number + 1e-12
    assert scale.largest == float(f"{scale.largest:.2g}")


def test_maps_of_several_extents_are_compared_by_area() -> None:
    """A map whose cells are each cut in four, a quarter of the number in each, has the same colours."""
    coarse = plane(2, 3)
    fine = coarse.repeat(2, 0).repeat(2, 1) / 4
    scale = common_scale("evidence", [coarse, fine])
    assert scale is not None and scale.by_area
    np.testing.assert_allclose(scale.numbers(coarse).repeat(2, 0).repeat(2, 1), scale.numbers(fine))
    assert scale.numbers(coarse).mean() * 100 == pytest.approx(coarse.sum()), "per hundredth of the area"
    cam = common_scale("grad_cam", [coarse, fine])
    assert cam is not None and not cam.by_area


def test_numbers_in_words() -> None:
    assert [short(number, signed=True) for number in (0.12345, -1.5, 0.0, 120.4)] == ["+0.123", f"{MINUS}1.5", "0", "+120"]
    assert short(0.5) == "0.5"


def test_cells_tile_the_picture_with_their_own_colour() -> None:
    values = plane(3, 7)
    scale = common_scale("evidence", [values])
    assert scale is not None
    root = ElementTree.fromstring(f"<svg>{overlay(values, scale, smooth=False)}</svg>")
    covered = np.zeros((SIDE, SIDE), int)
    for rect, number in zip(root.iter("rect"), values.ravel(), strict=True):
        x, y, width, height = (int(rect.get(name, "")) for name in ("x", "y", "width", "height"))
        covered[y : y + height, x : x + width] += 1
        assert rect.get("fill") == (FOR if number > 0 else AGAINST)
        assert float(rect.get("fill-opacity", "")) == pytest.approx(scale.colour(number)[1], abs=1e-3)
        assert rect[0].text == short(number, signed=True)
    assert (covered == 1).all()


def test_smooth_goes_through_the_middles_of_the_cells() -> None:
    values = np.array([[1.0, -1.0], [0.0, 0.5]])
    scale = common_scale("evidence", [values])
    assert scale is not None
    drawn = overlay(values, scale, smooth=True)
    data = re.search(r"base64,([^\"]+)", drawn)
    assert data
    layer = np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))))
    quarter = SIDE // 4
    for (row, column), number in np.ndenumerate(values):
        colour, opacity = scale.colour(number)
        pixel = layer[quarter + row * 2 * quarter, quarter + column * 2 * quarter]
        assert pixel[3] == pytest.approx(255 * opacity, abs=4)
        if number:
            assert tuple(pixel[:3]) == tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def test_a_small_picture_keeps_its_pixels_and_a_grey_one_its_order() -> None:
    view = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    uri = picture_uri(view, grey=False)
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert image.format == "PNG" and np.array_equal(np.asarray(image), view)
    grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture_uri(view, grey=True).partition(",")[2]))))
    plain = np.asarray(Image.fromarray(view).convert("L"))
    assert grey.min() >= 45 and grey.max() <= 235
    assert (np.diff(grey.ravel()[plain.ravel().argsort(kind="stable")].astype(int)) >= 0).all()
    assert picture_uri(np.zeros((600, 600, 3), np.uint8), grey=False).startswith("data:image/jpeg")


def test_rows_of_two_runs_one_of_which_lacks_a_class() -> None:
    runs = (ByRun("wise", "32-true", explanation(64, "a", "b", heads=2)), ByRun("gap", "32-true", explanation(96, "a")))
    shown = Explained("x.jpg", runs, ("a", "b"))
    found = rows(shown, each_head=True)
    assert [(row.run, row.title.split(" ")[0]) for row in found] == [(0, "a"), (1, "a"), (0, "b"), (1, "b"), (0, "each")]
    assert found[3].lines == ("b is no class of this run.",) and found[3].panels == ()
    assert [panel.scale.kind for panel in found[0].panels] == ["evidence", "grad_cam", "attention"]
    assert [panel.scale.kind for panel in found[2].panels] == ["evidence", "grad_cam"], (
        "attention is of no class: once is enough"
    )
    assert len(found[4].panels) == 2
    assert "90.0 % on 9 positions, 0.11 each if all were equal; 10.0 % on their average" in found[0].lines[1]


@pytest.mark.parametrize("smooth", [False, True])
def test_sheet_and_page_with_names_that_are_markup(smooth: bool) -> None:
    runs = (ByRun("<b>wise</b>", "32-true", explanation(64, "<i>a</i>", "b", heads=2)),)
    shown = Explained('x & "y" <script>.jpg' * 3, runs, ("<i>a</i>", "b"))
    svg = strip_svg(shown, smooth=smooth, each_head=True)
    root = ElementTree.fromstring(svg)
    box = float(root.get("width", "0"))
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert len("".join(text.itertext())) * 0.5 * float(text.get("font-size", "12")) < box
    png = Image.open(io.BytesIO(strip_png(shown, smooth=smooth)))
    assert png.mode == "RGB" and png.width == pytest.approx(1.5 * box, abs=2)
    page = render_explained([shown, shown], title="t", facts=[("run", "r")], smooth=smooth, each_head=True)
    assert "<script" not in page and "<i>a" not in page and "&lt;i&gt;a&lt;/i&gt;" in page
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 4
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


@pytest.mark.parametrize("kind", ["evidence", "attention"])
def test_a_bar_has_the_colours_of_its_numbers(kind: Kind) -> None:
    """At the middle of each of its pieces, which tile it."""
    scale = Scale(kind, 0.5)
    root = ElementTree.fromstring(f"<svg>{bar_colours(scale, SIDE)}</svg>")
    ground, *pieces = root.iter("rect")
    assert (ground.get("width"), ground.get("height")) == (str(SIDE), str(BAR))
    at = 0.0
    for piece in pieces:
        left, width = float(piece.get("x", "")), float(piece.get("width", ""))
        assert left == pytest.approx(at, abs=0.02)
        at = left + width
        share = (left + width / 2) / SIDE
        colour, opacity = scale.colour(0.5 * (2 * share - 1 if kind == "evidence" else share))
        assert piece.get("fill") == colour
        assert float(piece.get("fill-opacity", "")) == pytest.approx(opacity, abs=2e-3)
    assert at == pytest.approx(SIDE)
    assert bar_numbers(scale) == ([f"{MINUS}0.5", "0", "+0.5"] if kind == "evidence" else ["0", "0.25", "0.5"])


def test_the_sum_in_words() -> None:
    its = np.array([[0.5, -0.75]])
    assert sum_line(ClassMaps("a", 0.5, -0.75, -0.75, its, -0.5, None), "32-true") == (
        f"sum of the map {MINUS}0.2500 {MINUS} offset 0.5000 = logit {MINUS}0.7500 (exactly)"
    )
    rounded = sum_line(ClassMaps("a", 0.5, 0.25 + 1e-9, 0.2539, its, 0.5, None), "bf16-mixed")
    assert rounded == (
        f"sum of the map {MINUS}0.2500 + offset 0.5000 = logit 0.2500 (off by 1e-09 of the largest term); "
        "the run itself, in bf16-mixed, rounds it to 0.2539"
    )


def test_what_is_compared_shares_a_scale() -> None:
    """Evidence of both runs and all classes; Grad-CAM and attention of a run."""
    runs = tuple(
        ByRun(name, "32-true", explanation(64, "a", "b", heads=2, factor=factor)) for name, factor in (("x", 1), ("y", 9))
    )
    scales: dict[tuple[int, str], set[float]] = {}
    for row in rows(Explained("x.jpg", runs, ("a", "b"))):
        for panel in row.panels:
            scales.setdefault((row.run, panel.scale.kind), set()).add(panel.scale.largest)
    assert all(len(ends) == 1 for ends in scales.values())
    assert scales[0, "evidence"] == scales[1, "evidence"]
    assert scales[0, "grad_cam"] != scales[1, "grad_cam"]
