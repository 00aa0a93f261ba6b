"""The page in a browser: what is chosen for all figures, what is printed, columns that stay, LaTeX that is copied."""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wisesr.report.page as page_package
from tests.support.browser import Opened, needs_chromium
from tests.support.pages import render, unpack, write_study
from wisesr.report.page.formatting import pack
from wisesr.report.page.vega import vega_script

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_chromium
_LATEX = {
    "tables/toy-64.tex": "\\begin{table} ± & \U0001f600",
    "tables/toy-64-differences.tex": "\\begin{table} differences",
    "tables/claims.tex": "claims",
}
_A4 = 700
"""Width in px of an A4 page without its margins."""
_SHOWN = "[...document.querySelectorAll('main [data-group]')].filter(its => its.checkVisibility()).map(its => its.dataset)"
_CHARTS = "[...document.querySelectorAll('.chart')].filter(its => its.checkVisibility())"
_UNDRAWN = f"{_CHARTS}.filter(its => !its.querySelector('svg.marks')).length"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("browser")
    page = root / "index.html"
    files = {"cells.csv": "", "figures/toy-64-backbones.svg": "", **_LATEX}
    page.write_text(render(write_study(root / "outputs"), vega_script(), files), encoding="utf-8")
    return page.as_uri()


@pytest.fixture(scope="module")
def tab(browser: Browser, address: str) -> Iterator[Opened]:
    tab = Opened(browser, address, permissions=["clipboard-read", "clipboard-write"])
    yield tab
    tab.close()


def _chosen(page: Page) -> tuple[str, str]:
    """What the bar says and every figure that is shown keeps to."""
    backbone, head = (page.input_value(f"#choice select[name={name}]") for name in ("backbone", "head"))
    shown = page.evaluate(_SHOWN)
    assert len(shown) > 2
    assert {each["group"] for each in shown} <= {"", backbone}
    assert head == "*" or {each["head"] for each in shown} <= {"", head}
    return backbone, head


def test_one_choice_is_for_all_figures_and_stands_in_the_address(tab: Opened) -> None:
    page = tab.page
    page.goto(tab.address)
    assert _chosen(page) == ("resnet18", "wise")
    assert page.evaluate("location.hash") == ""
    page.click("nav a[href$=-cost]")
    page.select_option("#choice select[name=backbone]", "resnet34")
    page.select_option("#choice select[name=head]", "depthwise")
    assert _chosen(page) == ("resnet34", "depthwise")
    assert page.evaluate("location.hash") == "#table-toy-64-cost?backbone=resnet34&head=depthwise"
    page.reload()
    assert _chosen(page) == ("resnet34", "depthwise")
    page.go_back()
    assert _chosen(page) == ("resnet34", "wise")
    page.go_back()
    assert _chosen(page) == ("resnet18", "wise")
    page.go_forward()
    page.click("nav a[href*=-confusion]")  # a link carries on what is chosen
    assert page.evaluate("location.hash") == "#table-toy-64-confusion?backbone=resnet34&head=wise"
    page.evaluate("scrollTo(0, 0)")
    page.click("nav a[href*=-confusion]")  # and leads there once more
    top = page.evaluate("document.getElementById('table-toy-64-confusion').getBoundingClientRect().top")
    assert page.evaluate("document.getElementById('choice').getBoundingClientRect().bottom") < top + 40 < 300


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("#cells?backbone=resnet34&head=gap", ("resnet34", "gap")),
        ("#?head=*", ("resnet18", "*")),
        ("#nowhere?backbone=vgg16&head=%3Cscript%3E&more=1", ("resnet18", "wise")),
        ("#?head=%", ("resnet18", "wise")),
        ("#cell-3?backbone=resnet34", ("resnet34", "wise")),
    ],
)
def test_an_address_may_say_anything(tab: Opened, asked: str, chosen: tuple[str, str]) -> None:
    tab.page.goto(tab.address + asked)
    assert _chosen(tab.page) == chosen
    assert tab.page.is_visible("dialog") == ("#cell-" in asked)
    if "#cell-" in asked:
        assert tab.page.get_attribute("#cell-list", "open") == ""
        tab.page.keyboard.press("Escape")
        tab.page.wait_for_selector("dialog", state="hidden")
        assert tab.page.evaluate("location.hash") == "#?backbone=resnet34&head=wise"


def test_a_section_without_what_is_chosen_says_so(tab: Opened) -> None:
    tab.page.goto(f"{tab.address}#?head=gap")
    kernels = tab.page.inner_text("[id$=-kernels] > .nothing")
    assert kernels == "Nothing here is of head gap alone; this section has heads wise, depthwise."
    tab.page.select_option("#choice select[name=head]", "wise")
    assert not tab.page.is_visible("[id$=-kernels] > .nothing")


def test_all_that_is_chosen_is_printed_at_once_and_light(browser: Browser, address: str) -> None:
    """Printing waits for nobody: what counts is what is there when the page's own listeners have returned."""
    opened = Opened(browser, f"{address}#?backbone=resnet34&head=*", color_scheme="dark")
    page = opened.page
    assert page.evaluate(_UNDRAWN) > 3
    folded = "document.querySelectorAll('.more:not([open]), .claims details:not([open])').length"
    state = f"[{_UNDRAWN}, {folded}, document.documentElement.dataset.theme]"
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {state}; }})")
    page.pdf()
    assert page.evaluate("window.printed") == [0, 0, "light"]
    assert page.evaluate("document.querySelectorAll('.more[open]').length") == 0
    assert opened.background() < 60  # and the screen is as it was
    page.set_viewport_size({"width": _A4, "height": 1000})
    page.emulate_media(media="print")
    assert opened.background() > 250
    assert not any(page.is_visible(its) for its in ("nav", "button", ".filter", "#choice select", ".files"))
    assert page.inner_text("#chosen") == "Figures of backbone resnet34, all heads."
    boxes = [box for box in page.query_selector_all(".scroll") if box.is_visible()]
    assert len(boxes) > 8
    assert [box.evaluate("its => its.scrollWidth - its.clientWidth > 1") for box in boxes] == [False] * len(boxes)
    opened.close()


def test_figures_are_drawn_before_anybody_scrolls_to_them(tab: Opened) -> None:
    tab.page.reload()
    for _ in range(100):
        if not (undrawn := tab.page.evaluate(_UNDRAWN)):
            break
        tab.page.wait_for_timeout(50)
    assert undrawn == 0
    assert tab.page.query_selector(".chart[data-spec]") is not None  # others wait until they are chosen


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_first_columns_stay_and_the_projects_head_is_in_sight(tab: Opened, width: int) -> None:
    page = tab.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{tab.address}#cells")
    inside = """its => {
      const box = its.closest(".scroll").getBoundingClientRect(), own = its.getBoundingClientRect();
      return own.left >= box.left - 1 && own.right <= box.right + 1;
    }"""
    titles = page.query_selector_all(".matrix thead th")
    assert [title.inner_text() for title in titles][:3] == ["backbone", "gap", "wise"]
    assert all(title.evaluate(inside) for title in titles[:3])
    away = """its => {
      its.scrollLeft = 60;
      const firsts = [...its.querySelectorAll("tr > :first-child")].filter((one) => one.checkVisibility());
      const gone = firsts.filter((one) => Math.abs(one.getBoundingClientRect().left - its.getBoundingClientRect().left) > 1);
      its.scrollLeft = 0;
      return gone.length;
    }"""
    boxes = [box for box in page.query_selector_all(".scroll:has(table)") if box.is_visible()]
    assert len(boxes) > 4
    assert [box.evaluate(away) for box in boxes] == [0] * len(boxes)
    page.set_viewport_size({"width": 1280, "height": 720})


def test_latex_is_copied(tab: Opened) -> None:
    page = tab.page
    page.goto(tab.address)
    claims, table, differences = page.query_selector_all("[data-copy]")
    of = [button.inner_text().removeprefix("Copy LaTeX") for button in (claims, table, differences)]
    assert of == [" of the claims", "", " of the differences"]
    table.click()
    page.wait_for_selector("#copy-answer:has-text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == _LATEX["tables/toy-64.tex"]
    page.evaluate("() => { document.execCommand = () => false; navigator.clipboard.writeText = () => Promise.reject(); }")
    differences.click()  # where nothing may be written, the text is there to be copied by hand
    field = page.wait_for_selector(".copied-text")
    assert field.input_value() == _LATEX["tables/toy-64-differences.tex"]
    assert field.evaluate("its => its.previousElementSibling.matches('.tail:has([data-copy])')")
    assert page.evaluate("getSelection().toString() || document.activeElement.value") == field.input_value()


def test_the_run_of_a_cell_is_a_link_of_the_web_or_none(tab: Opened) -> None:
    page = tab.page
    details = unpack(page.inner_html("#details-0"))
    for run, links in (("https://wandb.ai/me/study/runs/1", 1), ("javascript:alert(1)", 0), ("file:///etc/passwd", 0), ("", 0)):
        packed = pack({**details, "run": run})
        page.evaluate(
            "packed => { document.getElementById('details-0').textContent = packed; location.hash = '#cell-0'; }", packed
        )
        page.wait_for_selector("dialog[open]")
        assert run in page.inner_text("#cell-body")
        assert page.eval_on_selector_all("#cell-body dl a", "its => its.map(one => one.href)") == [run] * links
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="hidden")


def test_packed_texts_come_back_whatever_their_blocks_are(browser: Browser) -> None:
    """Stored, fixed and dynamic blocks, all distances and lengths, against zlib."""
    made = random.Random(0)
    noise = "".join(chr(made.randint(32, 1200)) for _ in range(9000))
    texts = [
        "",
        "a",
        "ab" * 5000,
        noise,
        "x" * 70_000 + noise[:9] + "x" * 300,
        json.dumps([made.random() for _ in range(600)]),
    ]
    cases = []
    for text in texts:
        for level, strategy in ((0, zlib.Z_DEFAULT_STRATEGY), (9, zlib.Z_DEFAULT_STRATEGY), (9, zlib.Z_FIXED)):
            packing = zlib.compressobj(level, strategy=strategy)
            packed = packing.compress(json.dumps(text).encode()) + packing.flush()
            cases.append((base64.b64encode(packed).decode(), text))
    script = (Path(page_package.__file__).parent / "inflate.js").read_text()
    page = browser.new_page()
    page.add_script_tag(content=script + "; window.unpack = unpack;")
    assert page.evaluate("cases => cases.filter(([packed, text]) => unpack(packed) !== text).length", cases) == 0
    assert (
        page.evaluate("packed => { try { return unpack(packed); } catch { return 'error'; } }", cases[-1][0][:400]) == "error"
    )
    page.close()
