"""The page in a browser: figures, tables, cells, light and dark, small screens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.report.test_evidence import explanation
from tests.support.browser import CROWDED, Opened, needs_chromium
from tests.support.pages import render, write_study
from tests.support.studies import cell_config, write_cell
from wisesr.report.evidence.page import render_explained
from wisesr.report.evidence.rows import ByRun, Explained
from wisesr.report.figures import all_figures
from wisesr.report.figures.render import render as render_figure
from wisesr.report.page.document import render_page
from wisesr.report.page.vega import vega_script
from wisesr.report.read import read_study

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = needs_chromium
_PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("browser")
    page = root / "index.html"
    page.write_text(render(write_study(root / "outputs"), vega_script()), encoding="utf-8")
    return page.as_uri()


@pytest.fixture(scope="module")
def tab(browser: Browser, address: str) -> Iterator[Opened]:
    """One for all tests that leave it as it was: opening it takes most of a second."""
    tab = Opened(browser, address)
    yield tab
    tab.close()


@pytest.fixture
def opened(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Opened]:
    tab = Opened(browser, address, **getattr(request, "param", {}))
    yield tab
    tab.close()


def test_all_figures_are_drawn(tab: Opened) -> None:
    page = tab.page
    charts = tab.show_charts()
    assert len(charts) > 5
    for chart in charts:
        svg = chart.wait_for_selector("svg.marks")
        box = svg.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 100
        assert svg.evaluate(CROWDED) == []
        assert chart.query_selector(".mark-line path, .mark-rect path, .mark-symbol path, .mark-shape path") is not None
    assert page.query_selector(".broken") is None


def test_a_figure_can_be_saved(tab: Opened) -> None:
    page = tab.page
    chart = page.query_selector(".chart")
    assert chart is not None
    chart.scroll_into_view_if_needed()
    chart.wait_for_selector("details summary").click()
    actions = chart.query_selector_all(".vega-actions a")
    assert [action.inner_text() for action in actions] == ["Save as SVG", "Save as PNG"]  # and no link to an editor
    for action, start in zip(actions, (b"<svg", b"\x89PNG"), strict=True):
        with page.expect_download() as download:
            action.click()
        assert Path(download.value.path()).read_bytes().startswith(start)


def test_rows_are_sorted(tab: Opened) -> None:
    tab.page.evaluate("document.getElementById('cell-list').open = true")
    titles = [title.inner_text() for title in tab.page.query_selector_all("#cells th button")]
    number = titles.index("test top-1")
    button = tab.page.query_selector_all("#cells th button")[number]
    before = tab.column(number)
    figures = [float(text) for text in before if text]
    empty = [""] * (len(before) - len(figures))
    button.click()
    assert tab.column(number) == [f"{value:.2f}" for value in sorted(figures, reverse=True)] + empty
    assert tab.page.get_attribute("#cells th[aria-sort=descending]", "class") == "number"
    button.press("Enter")
    assert tab.column(number) == [f"{value:.2f}" for value in sorted(figures)] + empty


def test_signed_numbers_are_sorted_as_numbers(tab: Opened) -> None:
    tab.page.get_by_role("button", name="difference", exact=True).click()
    script = "[...document.querySelectorAll('[id$=-differences] tbody .strong')].map(its => its.textContent)"
    texts = tab.page.evaluate(script)
    values = [float(text.replace("\N{MINUS SIGN}", "-").rstrip("★")) for text in texts]
    assert len(values) > 2
    assert values == sorted(values, reverse=True)


def test_rows_are_filtered_by_whole_words(tab: Opened) -> None:
    page = tab.page
    page.evaluate("document.getElementById('cell-list').open = true")
    rows = len(tab.column(0))
    found = {}
    for asked in ("resnet34  WISE", "wise", "depthwise", "depth", "depth*", '"pthwi', "resnet18-depth* seed-3", "60", "60.0*"):
        page.fill("#cells [data-filter]", asked)
        found[asked] = len(tab.column(0))
    assert found.pop("60.0*") > 0
    depthwise = {"depthwise": 6, "depth": 0, "depth*": 6, '"pthwi': 6, "resnet18-depth* seed-3": 1}
    assert found == {"resnet34  WISE": 2, "wise": 7, **depthwise, "60": 0}  # of 60.00 it is a part
    page.fill("#cells [data-filter]", "wise")
    assert page.inner_text("#cells output") == f"7 of {rows}"
    page.select_option("#cells [data-state]", "waiting")
    assert len(tab.column(0)) == 1
    page.select_option("#cells [data-state]", "")
    page.fill("#cells [data-filter]", "depth")
    assert page.inner_text("#cells output") == f"0 of {rows}: depth* also finds longer words"
    page.fill("#cells [data-filter]", "")
    assert len(tab.column(0)) == rows


def test_a_cell_is_opened_and_left_by_keyboard(tab: Opened) -> None:
    page = tab.page
    page.evaluate("document.getElementById('cell-list').open = true")
    page.fill("#cells [data-filter]", "resnet18-wise")
    page.focus("#cells tbody tr:not([hidden]) a")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] svg.marks")
    headline = r"wise on resnet18, toy 64 px, seed (\d): test top-1 \d\d\.\d\d % at epoch \d of \d"
    found = re.fullmatch(headline, page.inner_text("#cell-name"))
    assert found is not None
    assert page.inner_text("#cell-state") == "done"
    assert "<script>alert(1)</script>" in page.inner_text("dialog pre")
    page.click("dialog summary:has-text('Configuration')")
    assert "name: wise" in page.inner_text("dialog details[open]:has-text('Configuration') pre")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f"#cell-name:not(:has-text('seed {found[1]}'))")
    assert "name: wise" in page.inner_text("dialog details[open]:has-text('Configuration') pre")  # what was open stays so
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="hidden")
    assert "cell" not in page.evaluate("location.hash")
    assert page.evaluate("document.activeElement.closest('#cells') !== null")


def test_values_are_told_at_a_place_of_the_matrix(tab: Opened) -> None:
    tab.page.focus(".matrix td[data-tip]")
    assert "seed 0: " in tab.page.inner_text("#tip")
    tab.page.keyboard.press("Tab")
    tab.page.evaluate("document.activeElement.blur()")
    assert not tab.page.is_visible("#tip")


@pytest.mark.parametrize("opened", [{"color_scheme": "dark"}], indirect=True)
def test_dark_as_the_system_is_until_light_is_chosen(opened: Opened) -> None:
    assert opened.background() < 60
    chart = opened.page.query_selector(".chart")
    assert chart is not None
    text = chart.wait_for_selector("svg.marks text")
    red, green, blue = (int(text.evaluate("its => getComputedStyle(its).fill").strip("rgb()").split(", ")[i]) for i in range(3))
    assert min(red, green, blue) > 120  # the ink of figures too
    opened.page.click("#theme")
    assert opened.background() > 200
    opened.page.reload()
    assert opened.background() > 200  # remembered
    opened.page.click("#theme")
    assert opened.background() < 60


@pytest.mark.parametrize("opened", [{"viewport": _PHONE}], indirect=True)
def test_on_a_phone_nothing_is_wider_than_the_screen(opened: Opened) -> None:
    page = opened.page
    opened.show_charts()
    assert page.evaluate("document.documentElement.scrollWidth") == _PHONE["width"]
    page.click("#cell-list > summary")
    page.click("#cells tbody a")
    page.wait_for_selector("dialog[open]")
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= _PHONE["width"]


@pytest.mark.slow
def test_files_of_figures_have_room_for_their_words(browser: Browser, tmp_path: Path) -> None:
    """Also in a font that is wider than the one they were laid out with, as a browser without Helvetica or Arial takes."""
    for head in ("gap", "depthwise_nonneg", "wise_dropout"):
        for backbone in ("densenet169", "efficientnet_lite0"):
            write_cell(cell_config(tmp_path, head=head, backbone=backbone), top1=0.6 + 0.02 * len(head))
    figures = {one.key.removeprefix("toy-64-"): one for one in all_figures(read_study([tmp_path]))}
    names = ("backbones", "convergence-densenet169", "cost-densenet169", "kernel-densenet169-depthwise_nonneg")
    page = browser.new_page()
    for name in names:
        page.set_content(render_figure(figures[name].spec).svg.replace("Liberation Sans", "DejaVu Sans"))
        assert page.wait_for_selector("svg").evaluate(CROWDED) == [], name
    page.close()


def test_without_a_script_the_overview_is_there_and_nothing_that_would_do_nothing(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".forest tbody b").first.is_visible() and page.locator("noscript p").is_visible()
    assert not any(button.is_visible() for button in page.locator("#choice, #theme, .copy").all())
    context.close()


def test_published_figures_are_in_sight(browser: Browser, tmp_path: Path) -> None:
    for backbone in ("densenet169", "resnet101"):
        for head in ("gap", "depthwise_nonneg"):
            for seed in range(3):
                write_cell(cell_config(tmp_path, head=head, backbone=backbone, seed=seed), top1=0.8 + 0.02 * (seed % 2))
    (tmp_path / "published.csv").write_text("dataset,resolution,backbone,head,top1\ntoy,64,resnet101,gap,81.5\n")
    study = read_study([tmp_path], published=tmp_path / "published.csv")
    (tmp_path / "page.html").write_text(render_page(study, (), made="", command="", script=""))
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((tmp_path / "page.html").as_uri())
    widths = page.eval_on_selector("[id$=-differences] .scroll", "its => [its.scrollWidth, its.clientWidth]")
    page.close()
    assert widths[0] == widths[1]


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.slow)])
def test_the_page_of_evidence(browser: Browser, tmp_path: Path, width: int) -> None:
    """Fits its window, every panel is drawn as large as its neighbours, and the numbers below a bar do not touch."""
    runs = tuple(ByRun(name, "32-true", explanation(64, "kitchen", "bathroom", heads=3)) for name in ("wise", "gap"))
    shown = Explained("a/long/path/of/a/picture/with-a-long-name.jpg", runs, ("kitchen", "bathroom"))
    path = tmp_path / "index.html"
    path.write_text(render_explained([shown], title="What they saw", facts=[("run", "x" * 90)], each_head=True))
    page = browser.new_page(viewport={"width": width, "height": 900})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    panels = [panel.bounding_box() for panel in page.query_selector_all("figure > svg[role=img]")]
    assert len(panels) == 20
    assert all(box and abs(box["width"] - box["height"]) < 1 and box["width"] > 100 for box in panels)
    for ticks in page.query_selector_all(".ticks"):
        boxes = [tick.bounding_box() for tick in ticks.query_selector_all("span")]
        assert all(
            one and other and one["x"] + one["width"] + 3 < other["x"] for one, other in zip(boxes, boxes[1:], strict=False)
        )
    assert page.evaluate("getComputedStyle(document.querySelector('.images')).width") == "0px"
    assert errors == []
    page.close()
