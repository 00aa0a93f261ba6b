"""What is shown while it runs: lines where there is no terminal, a bar that fits where there is one, a help that teaches."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from pathlib import Path
from typing import TextIO

import pytest
from rich.console import Console

from tests.support.downloads import intel_files, pack
from wisesr.cli import main
from wisesr.data.prepare.progress import Meter, say
from wisesr.data.prepare.run import prepare


def test_a_line_for_each_tenth_but_not_more_than_one_in_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    words, now = io.StringIO(), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Meter(Console(file=words), "Looking at x.tar.gz", 1_000_000_000) as meter:
        for _ in range(79):  # at 50 MB/s
            now += 0.25
            meter(round(now * 50_000_000), round(now * 100))
    assert words.getvalue().splitlines() == [
        "Looking at x.tar.gz: 25% 250.0 MB/1.0 GB 500 files, about 0:15 left",
        "Looking at x.tar.gz: 50% 500.0 MB/1.0 GB 1,000 files, about 0:10 left",
        "Looking at x.tar.gz: 75% 750.0 MB/1.0 GB 1,500 files, about 0:05 left",
    ]
    words.truncate(0)
    with Meter(Console(file=words), "Looking at folder") as meter:
        now += 31
        meter(5_000_000, 200)
    assert "Looking at folder: 5.0 MB 200 files\n" in words.getvalue()


def test_a_bar_fits_into_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    words, now = io.StringIO(), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    console = Console(file=words, force_terminal=True, width=80, color_system=None, _environ={})
    with Meter(console, "Copying", 2_750_000_000, 35_000) as meter:
        for step in range(1, 4):
            now += 0.2
            meter(round(2_699_900_000 * step / 3), 34_999)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", words.getvalue()).replace("\r", "\n").splitlines()
    assert any("98% 2.7 GB/2.8 GB 34,999/35,000 files" in line and line.startswith("Copying ") for line in shown)
    assert all(len(line) <= 80 for line in shown)


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    words = io.StringIO()
    say(Console(file=words, force_terminal=True, width=80), "a\x1b[2Jb [red]c[/red] :smile:")
    assert words.getvalue() == "a\\x1b[2Jb [red]c[/red] :smile:\n"
    files = {f"\x1b[2J/{name}": content for name, content in intel_files().items()}
    words = io.StringIO()
    console = Console(file=words, width=80)
    prepare("intel", str(pack(files, tmp_path / "x.zip", "zip")), to=str(tmp_path / "intel"), take_part=True, console=console)
    assert "in its folder \\x1b[2J: 18 images" in words.getvalue() and "\x1b" not in words.getvalue()


@pytest.mark.parametrize("title", ["Looking at a[bold]b", "[/bold] x", "[@click=f(]g", "\x1b[31mred"])
def test_titles_cannot_steer_the_bar(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words, now = io.StringIO(), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    console = Console(file=words, force_terminal=True, width=80, color_system=None, _environ={})
    with Meter(console, title) as meter:
        now += 1
        meter(1, 1)
    shown = title.split()[0].replace("\x1b", "\\x1b")
    assert any(line.startswith(shown) for line in re.split(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n", words.getvalue()))


def test_output_that_goes_away_does_not_end_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    read, write = os.pipe()
    os.close(read)
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()
    streams: dict[str, TextIO | None] = {
        "pipe": os.fdopen(write, "w"),
        "full": os.fdopen(os.open("/dev/full", os.O_WRONLY), "w"),
        "closed": closed,
        "none": None,
    }
    for name, stream in streams.items():
        monkeypatch.setattr(sys, "stdout", stream)
        command = ["data", "prepare", "intel", "--from", str(source), "--to", str(tmp_path / name), "--partial"]
        assert main(command) == 0
        assert len([path for path in (tmp_path / name).rglob("*") if path.is_file()]) == 19
        if stream is not None:
            stream.close()  # as at Python's end: what waits to be written is no error


def test_output_that_lacks_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "b\u00fc.zip", "zip")
    words = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", words)
    assert main(["data", "prepare", "intel", "--from", str(source), "--to", str(tmp_path / "x"), "--partial"]) == 0
    words.seek(0)
    assert words.read().startswith("b\\xfc.zip: 18 images of intel")


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["data", "--help"], ["data", "prepare", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0
    words = capsys.readouterr().out
    assert "wisesr data prepare intel --from ~/Downloads/archive.zip" in words and "--partial" in words
    assert max(map(len, words.splitlines())) <= 88
