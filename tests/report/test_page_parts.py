"""What the page is made of: logs, packed values, numbers, the script of Vega."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.pages import unpack
from wisesr.report.page.cell_details import clipped
from wisesr.report.page.formatting import p_value_or_dash, pack, typographic_signed
from wisesr.report.page.vega import vega_script


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
