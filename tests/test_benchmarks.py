"""The page of benchmarks: no script is forgotten, no figure is invented, what people wrote is kept."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page
from benchmarks.measured import Row, medians, read_found, write_rows
from benchmarks.page_text import BY_HAND, Section, page_text
from tests.support.paths import ROOT

ROWS = [
    Row("a step", "<= 2.0 ms", "1.7 ms", True, "PyTorch 9", "one thread"),
    Row("a | pipe", ">= 1.0 x", "0.8 x", False, "timm 9", "the decoder takes the rest"),
]
READS_DATA = ("wisesr.config.compose", "wisesr.build.data", "wisesr.data.folder", '/ "train.py"')
"""What a script says that trains cells or reads datasets."""


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Any]:
    write_rows(tmp_path / "step.json", ROWS, table="| more |\n| --- |\n| 7 |")
    found = read_found(tmp_path / "step.json")
    assert found is not None
    return found


def test_every_script_is_run_or_named_as_one_that_is_not() -> None:
    there = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {"alternating", "measured", "page", "page_text"}
    known = {script.name for script in page.SCRIPTS} | set(page.BY_HAND)
    assert there <= known, "SCRIPTS or BY_HAND of benchmarks/page.py"


def test_the_page_has_all_targets_and_says_why_one_was_missed(found: dict[str, Any]) -> None:
    text = page_text([Section("step", "A step", found)])
    (met,) = (line for line in text.splitlines() if line.startswith("| a step"))
    assert [cell.strip() for cell in met.split("|")[2:6]] == ["<= 2.0 ms", "1.7 ms", "met", "PyTorch 9"]
    assert "| a \\| pipe | >= 1.0 x | 0.8 x | **missed** | timm 9 |" in text
    missed = text.partition("Missed, and why:")[2].partition("##")[0]
    assert "the decoder takes the rest" in missed and "one thread" not in missed
    assert "| more |" in text and found["machine"] in text and found["versions"]["torch"] in text


def test_a_script_that_failed_or_has_not_run_is_named(found: dict[str, Any]) -> None:
    sections = [Section("a", "A", None, "ValueError: no"), Section("b", "B", None), Section("step", "A step", found)]
    text = page_text(sections)
    assert "`benchmarks/a.py` failed: `ValueError: no`" in text and "`benchmarks/b.py` has not run here." in text


def test_what_people_wrote_is_kept(found: dict[str, Any]) -> None:
    own = "\n\n## Long ones\n\nas measured by somebody\n"
    before = page_text([]).replace(BY_HAND + "\n", BY_HAND + own)
    after = page_text([Section("step", "A step", found)], before)
    assert after.endswith(BY_HAND + own) and after.count("## Long ones") == 1
    assert page_text([Section("step", "A step", found)], after) == after
    assert "## Long ones" not in page_text([], "a page without the line")


def test_the_repository_s_page_has_the_line() -> None:
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8").count(BY_HAND) == 1


def test_files_of_rows_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text('{"rows": [], "table": ""}')
    assert read_found(tmp_path / "old.json") is None and read_found(tmp_path / "absent.json") is None


def test_the_turns_of_medians() -> None:
    turns: list[str] = []
    taken = medians({name: lambda name=name: turns.append(name) for name in "ab"}, 2)  # type: ignore[misc]
    assert turns == ["a", "b"] * 3 and set(taken) == {"a", "b"} and min(taken.values()) >= 0


def test_figures_of_another_checkout_are_not_lost(tmp_path: Path) -> None:
    """A page that would lack what docs/benchmarks.md has goes elsewhere."""
    first = next(script for script in page.SCRIPTS if (ROOT / "benchmarks" / f"{script.name}.py").exists())
    assert first.name in page.without_figures(tmp_path, [])
    assert first.name not in page.without_figures(tmp_path, [first])
    (tmp_path / f"{first.name}.json").write_text("{}")
    assert first.name not in page.without_figures(tmp_path, [])


def test_photographs_go_to_all_that_want_them(tmp_path: Path) -> None:
    chosen = Namespace(timm=[tmp_path / "train.py", tmp_path / "images"], quick=True)
    given = {script.name: page.options_of(script, chosen) for script in page.SCRIPTS}
    assert given["timm_train"] == [str(tmp_path / "train.py"), str(tmp_path / "images"), "--quick"]
    assert given["loader"] == ["--images", str(tmp_path / "images"), "--quick"]
    assert given["cached"] == given["loader"]
    assert given["heads"] == ["--quick"]
    assert page.options_of(page.SCRIPTS[3], Namespace(timm=None, quick=False)) == []


def test_no_benchmark_finds_what_an_earlier_run_has_kept() -> None:
    """Of those that train or read a dataset: a folder of their own, for all that is kept."""
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.stem not in ("measured", "alternating", "page") and any(sign in text for sign in READS_DATA):
            assert "keep_nothing()" in text or '"WISESR_CACHE"' in text, path.name


@pytest.mark.slow
@pytest.mark.parametrize("part", ["toy at 32", "shuffled"])
def test_tables_of_the_card_are_made_without_one(images: Path, tmp_path: Path, part: str) -> None:
    """With tiny sizes: no row fails, and nothing is written but the page."""
    to = tmp_path / "gpu.md"
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--device", "cpu", "--tiny", "--minutes", "3"]
    command += ["--images", str(images / "train"), "--only", part, "--to", str(to)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    assert "failed" not in to.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["gpu.md"]
