"""A browser for tests of pages: Debian's chromium, driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ElementHandle, Page

CHROMIUM = os.environ.get("WISESR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no chromium: apt-get install chromium, or name one with WISESR_CHROMIUM"
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, until the block is left."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


CROWDED = """svg => {
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
        self.address = address
        self.page.goto(address)

    def close(self) -> None:
        """The tab; nothing may have been said on the console or asked of anybody but the page itself."""
        self.context.close()
        assert not self.complaints, self.complaints
        asked = {each.partition("#")[0] for each in self.asked if not each.startswith(("data:", "blob:"))}
        assert asked == {self.address.partition("#")[0]}, asked

    def background(self) -> float:
        """Lightness of the page's ground, 0 to 255."""
        colour: str = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(float, colour[4:-1].split(","))) / 3

    def column(self, number: int) -> list[str]:
        """Texts of a column of the cells that are shown."""
        script = "n => [...document.querySelectorAll('#cells tbody tr:not([hidden])')].map(row => row.cells[n].textContent)"
        texts: list[str] = self.page.evaluate(script, number)
        return texts

    def show_charts(self) -> list[ElementHandle]:
        """Those of one backbone and all heads, drawn."""
        self.page.select_option("#choice select[name=head]", "*")
        charts = [chart for chart in self.page.query_selector_all(".chart") if chart.is_visible()]
        for chart in charts:
            chart.scroll_into_view_if_needed()
            chart.wait_for_selector("svg.marks")
        return charts
