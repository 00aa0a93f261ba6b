"""The page in a browser: Debian's chromium, driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.report.test_evidence import explanation
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
    from playwright.sync_api import Browser, ElementHandle, Page

_CHROMIUM = os.environ.get("WISESR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not _CHROMIUM, reason="no chromium: apt-get install chromium, or name one with WISESR_CHROMIUM")
_PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("browser")
    page = root / "index.html"
    page.write_text(render(write_study(root / "outputs"), vega_script()), encoding="utf-8")
    return page.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


_CROWDED = """svg => {
  const edge = svg.getBoundingClientRect(), found = [];
  const shown = [...svg.querySelectorAll("text")].filter((its) => its.textContent.trim() && its.getBoundingClientRect().width);
  const turns = (its) => /rotate/.test(its.getAttribute("transform"));
  const boxes = shown.map((its) => [its.textContent, its.getBoundingClientRect(), turns(its)]);
  for (const [text, box] of boxes)
    if (text.endsWith("…") || box.left < edge.left || box.right > edge.right + 1) found.push(text);
  const level = boxes.filter(([, , turned]) => !turned);
  level.forEach(([text, one], index) => level.slice(index + 1).forEach(([other, its]) => {
    const across = Math.min(one.right, its.right) - Math.max(one.left, its.left);
    const down = Math.min(one.bottom, its.bottom) - Math.max(one.top, its.top);
    if (across > -1 && down > 4) found.push(`${text} ${other}`);
  }));
  return found;
}"""
"""Texts of a drawing that are cut, leave it, or touch another one."""


class Opened:
    """The page in a tab of its own, with everything that it complained about or asked for."""

    def __init__(self, browser: Browser, address: str, **settings: Any) -> None:
        self.context = browser.new_context(**settings)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.set_default_timeout(8000)
        self.page.goto(address)

    def background(self) -> float:
        """Lightness of the page's ground, 0 to 255."""
        colour: str = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(float, colour[4:-1].split(","))) / 3

    def column(self, number: int) -> list[str]:
        """Texts of a column of the cells that are shown."""
        script = "n => [...document.querySelectorAll('#cells tbody tr:not([hidden])')].map(row => row.cells[n].textContent)"
        texts: list[str] = self.page.evaluate(script, number)
        return texts


@pytest.fixture
def opened(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Opened]:
    tab = Opened(browser, address, **getattr(request, "param", {}))
    yield tab
    tab.context.close()
    assert tab.complaints == []
    assert [asked for asked in tab.asked if not asked.startswith(("data:", "blob:"))] == [address]


def _show_charts(page: Page) -> list[ElementHandle]:
    """Those of one backbone and all heads, drawn."""
    for select in page.query_selector_all("select[data-choose=head]"):
        select.select_option("")
    charts = [chart for chart in page.query_selector_all(".chart") if chart.is_visible()]
    for chart in charts:
        chart.scroll_into_view_if_needed()
        chart.wait_for_selector("svg.marks")
    return charts


def test_all_figures_are_drawn(opened: Opened) -> None:
    page = opened.page
    charts = _show_charts(page)
    assert len(charts) > 5
    for chart in charts:
        svg = chart.wait_for_selector("svg.marks")
        box = svg.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 100
        assert svg.evaluate(_CROWDED) == []
        assert chart.query_selector(".mark-line path, .mark-rect path, .mark-symbol path, .mark-shape path") is not None
    assert page.query_selector(".broken") is None


def test_a_figure_can_be_saved(opened: Opened) -> None:
    page = opened.page
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


def test_rows_are_sorted(opened: Opened) -> None:
    titles = [title.inner_text() for title in opened.page.query_selector_all("#cells th button")]
    number = titles.index("test top-1")
    button = opened.page.query_selector_all("#cells th button")[number]
    before = opened.column(number)
    figures = [float(text) for text in before if text]
    empty = [""] * (len(before) - len(figures))
    button.click()
    assert opened.column(number) == [f"{value:.2f}" for value in sorted(figures, reverse=True)] + empty
    assert opened.page.get_attribute("#cells th[aria-sort=descending]", "class") == "number"
    button.press("Enter")
    assert opened.column(number) == [f"{value:.2f}" for value in sorted(figures)] + empty


def test_signed_numbers_are_sorted_as_numbers(opened: Opened) -> None:
    opened.page.get_by_role("button", name="difference", exact=True).click()
    script = "[...document.querySelectorAll('[id$=-differences] tbody .strong')].map(its => its.textContent)"
    texts = opened.page.evaluate(script)
    values = [float(text.replace("\N{MINUS SIGN}", "-").rstrip("★")) for text in texts]
    assert len(values) > 2
    assert values == sorted(values, reverse=True)


def test_rows_are_filtered(opened: Opened) -> None:
    rows = len(opened.column(0))
    opened.page.fill("#cells [data-filter]", "resnet34  WISE")  # depthwise has it too
    assert len(opened.column(0)) == 3
    assert opened.page.inner_text("#cells output") == f"3 of {rows}"
    opened.page.select_option("#cells [data-state]", "waiting")
    assert len(opened.column(0)) == 1
    opened.page.fill("#cells [data-filter]", "nothing has this")
    assert opened.column(0) == []
    opened.page.fill("#cells [data-filter]", "")
    opened.page.select_option("#cells [data-state]", "")
    assert len(opened.column(0)) == rows


def test_a_cell_is_opened_and_left_by_keyboard(opened: Opened) -> None:
    page = opened.page
    page.fill("#cells [data-filter]", "resnet18-wise")
    page.focus("#cells tbody tr:not([hidden]) a")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] svg.marks")
    assert "wise/seed-0" in page.inner_text("#cell-name")
    assert "<script>alert(1)</script>" in page.inner_text("dialog pre")
    page.click("dialog summary:has-text('Configuration')")
    assert "name: wise" in page.inner_text("dialog details[open]:has-text('Configuration') pre")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#cell-name:has-text('seed-1')")
    assert "name: wise" in page.inner_text("dialog details[open]:has-text('Configuration') pre")  # what was open stays so
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="hidden")
    assert page.evaluate("location.hash") == ""
    assert page.evaluate("document.activeElement.closest('#cells') !== null")


def test_a_cell_has_an_address(browser: Browser, address: str) -> None:
    tab = Opened(browser, f"{address}#cell-3")
    tab.page.wait_for_selector("dialog[open]")
    tab.page.go_back()
    tab.context.close()


def test_values_are_told_at_a_place_of_the_matrix(opened: Opened) -> None:
    opened.page.focus(".matrix td[data-tip]")
    assert "seed 0: " in opened.page.inner_text("#tip")
    opened.page.keyboard.press("Tab")
    opened.page.evaluate("document.activeElement.blur()")
    assert not opened.page.is_visible("#tip")


def test_one_backbone_at_a_time(opened: Opened) -> None:
    page = opened.page
    section = page.query_selector("[id$=-convergence]")
    assert section is not None
    shown = "its => [...its.querySelectorAll('figure')].filter(one => !one.hidden).map(one => one.dataset.group)"
    assert section.evaluate(shown) == ["resnet18"]
    select = section.query_selector("select")
    assert select is not None
    select.select_option("resnet34")
    assert section.evaluate(shown) == ["resnet34"]


def test_light_and_dark(opened: Opened) -> None:
    assert opened.background() > 200
    opened.page.click("#theme")
    assert opened.background() < 60
    opened.page.reload()
    assert opened.background() < 60  # remembered
    opened.asked.pop()
    opened.page.click("#theme")
    assert opened.background() > 200


@pytest.mark.parametrize("opened", [{"color_scheme": "dark"}], indirect=True)
def test_dark_as_the_system_is(opened: Opened) -> None:
    assert opened.background() < 60
    (chart, *_) = _show_charts(opened.page)
    text = chart.wait_for_selector("svg.marks text")
    red, green, blue = (int(text.evaluate("its => getComputedStyle(its).fill").strip("rgb()").split(", ")[i]) for i in range(3))
    assert min(red, green, blue) > 120  # the ink of figures too


@pytest.mark.parametrize("opened", [{"color_scheme": "dark"}], indirect=True)
def test_paper_is_white(opened: Opened) -> None:
    opened.page.evaluate("addEventListener('beforeprint', () => { window.printed = document.documentElement.dataset.theme; })")
    opened.page.pdf()
    assert opened.page.evaluate("window.printed") == "light"
    assert opened.background() < 60  # and the screen is as it was


@pytest.mark.parametrize("opened", [{"viewport": _PHONE}], indirect=True)
def test_on_a_phone_nothing_is_wider_than_the_screen(opened: Opened) -> None:
    page = opened.page
    _show_charts(page)
    assert page.evaluate("document.documentElement.scrollWidth") == _PHONE["width"]
    page.click("#cells tbody a")
    page.wait_for_selector("dialog[open]")
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= _PHONE["width"]


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
        assert page.wait_for_selector("svg").evaluate(_CROWDED) == [], name
    page.close()


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


@pytest.mark.parametrize("width", [390, 1440])
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
