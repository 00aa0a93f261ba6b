"""What the page is made of: logs, packed values, numbers, the script of Vega."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.pages import unpack
from tests.support.studies import cell_config, write_cell, write_failed
from wisesr.report.figures.figure import Figure
from wisesr.report.page.cell_details import cell_details, clipped
from wisesr.report.page.choice import ALL, page_choice
from wisesr.report.page.formatting import breakable, first_sentence, p_value_or_dash, pack, typographic_signed
from wisesr.report.page.parts import PagePart, PageSection
from wisesr.report.page.vega import vega_script
from wisesr.report.read import read_study


@pytest.mark.parametrize("text", ["", "one line", "x" * 20_000])
def test_short_logs_are_whole(text: str) -> None:
    assert clipped(text) == text


def test_long_logs_lose_their_middle() -> None:
    lines = [f"{number:06d} of a log" for number in range(10_000)]
    text = clipped("\n".join(lines), 2000)
    assert len(text) < 2100
    first, notice, last = text.split("\n\n")
    assert first.splitlines() == lines[: len(first.splitlines())]
    assert last.splitlines() == lines[-len(last.splitlines()) :]
    missing = int(re.sub(r"\D", "", notice))
    assert missing + len(first) + len(last) == len("\n".join(lines))


@pytest.mark.parametrize("value", [None, [1, 2.5], {"<": "</script>", "ü": "\ud800"}, "x" * 100_000])
def test_packed_values_come_back(value: object) -> None:
    text = pack(value)
    assert re.fullmatch(r"[A-Za-z0-9+/=]*", text)
    assert unpack(text) == json.loads(json.dumps(value).replace("\\ud800", "?"))


def test_numbers_are_written_as_in_papers() -> None:
    assert [typographic_signed(value) for value in (1.234, -1.234, -0.004, 0.0)] == [
        "+1.23",
        "\N{MINUS SIGN}1.23",
        "0.00",
        "0.00",
    ]
    assert [p_value_or_dash(value) for value in (0.0004, 0.0123, 0.5, None)] == ["< 0.001", "0.012", "0.500", "\N{EN DASH}"]


def test_a_cached_script_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def bundle(snippet: str, vl_version: str) -> str:
        made.append(snippet)
        return "vega"

    monkeypatch.setattr("wisesr.report.page.vega.vl_convert.javascript_bundle", bundle)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new"))
    assert [vega_script() for _ in range(3)] == ["vega"] * 3
    assert len(made) == 1
    (tmp_path / "file").write_text("")  # a cache that cannot be made costs nothing but time
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))
    assert vega_script() == "vega"
    assert len(made) == 2


@pytest.mark.parametrize(
    ("shown", "default"),
    [
        ((("gap", "wise"), ("wise",)), ALL),
        ((("gap", "wise", "depthwise"), ("wise",)), "wise"),
        ((("gap", "wise dropout=0.5", "depthwise"),), "wise dropout=0.5"),
        ((("gap", "wise_dropout", "depthwise"),), "wise_dropout"),
        ((("gap", "flatten", "depthwise"),), "depthwise"),
        ((("gap",),), None),
        ((), None),
    ],
)
def test_at_first_the_page_shows_the_projects_head(shown: tuple[tuple[str, ...], ...], default: str | None) -> None:
    sections = [
        PageSection("id", "title", tuple(Figure("", "", "kernels", "", "", {}, "", head) for head in heads), ())
        for heads in shown
    ]
    parts = [PagePart("id", None, None, (section,)) for section in sections]  # type: ignore[arg-type]
    order = ("gap", "wise", "wise dropout=0.5", "wise_dropout", "depthwise", "flatten")
    choice = page_choice(parts, order, {"gap"})
    assert [selection.default for selection in choice] == ([] if default is None else [default])


def test_a_cell_has_a_headline(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path, head="wise", seed=3), top1=0.7)
    write_failed(cell_config(tmp_path, head="gap", seed=3), "no memory")
    found = {str(cell_details(cell)["headline"]) for cell in read_study([tmp_path]).cells}
    assert found == {
        "wise on resnet18, toy 64 px, seed 3: test top-1 70.00 % at epoch 3 of 3",
        "gap on resnet18, toy 64 px, seed 3: failed",
    }


def test_the_first_sentence_of_a_caption() -> None:
    text = "Bars: one standard deviation, n - 1. Of 3.5 points. Dashed: 95 %."
    assert first_sentence(text) == ("Bars: one standard deviation, n - 1.", "Of 3.5 points. Dashed: 95 %.")
    assert first_sentence("One, e.g. this") == ("One, e.g. this", "")


def test_long_names_may_be_broken_and_are_no_markup() -> None:
    assert breakable("efficientnet_lite0.a<b") == "efficientnet_<wbr>lite0.<wbr>a&lt;b"
