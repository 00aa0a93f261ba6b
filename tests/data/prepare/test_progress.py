"""What is shown while it runs: lines where there is no terminal, a bar that fits where there is one, a help that teaches."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
from rich.console import Console

from tests.data.prepare.downloads import intel_files, pack
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


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["data", "--help"], ["data", "prepare", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0
    words = capsys.readouterr().out
    assert "wisesr data prepare intel --from ~/Downloads/archive.zip" in words and "--partial" in words
    assert max(map(len, words.splitlines())) <= 88
