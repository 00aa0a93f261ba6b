"""What is shown while it runs: a bar that fits and moves on a terminal, none elsewhere, a help that teaches."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from tests.support.downloads import intel_files, pack
from wisesr.cli import main
from wisesr.data.prepare.dataset_folder import prepare
from wisesr.data.prepare.progress_bar import progress


def test_a_bar_fits_into_80_columns() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system=None, _environ={})
    with progress(console, "Looking through it", 2_750_000_000) as tell:
        for step in range(1, 4):
            tell(899_966_666 * step)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", file.getvalue()).replace("\r", "\n").splitlines()
    assert any("2.7/2.8 GB" in line and line.startswith("Looking through it ") for line in shown)
    assert all(len(line) <= 80 for line in shown)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar", "folder"])
def test_bars_end_at_their_totals(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is drawn where there is no terminal."""
    bars: list[Progress] = []
    real = Progress.start
    monkeypatch.setattr(Progress, "start", lambda bar: bars.append(bar) or real(bar))  # type: ignore[func-returns-value]
    source = pack(intel_files(), tmp_path / "source", kind)
    file = io.StringIO()
    prepare("intel", str(source), to=str(tmp_path / "intel"), take_part=True, console=Console(file=file))
    ends = {bar.tasks[0].description: (bar.tasks[0].completed, bar.tasks[0].total) for bar in bars}
    size, images = source.stat().st_size, sum(map(len, intel_files().values()))
    assert ends["Copying"] == (images, images)
    if kind.startswith("tar"):
        assert ends["Looking through it"] == (size, size)
    assert "\x1b" not in file.getvalue() and "Copying" not in file.getvalue()


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    file = io.StringIO()
    files = {f"\x1b[2J [red]c[/red] :smile:/{name}": content for name, content in intel_files().items()}
    console = Console(file=file, force_terminal=True, width=80, highlight=False)
    prepare("intel", str(pack(files, tmp_path / "x.zip", "zip")), to=str(tmp_path / "intel"), take_part=True, console=console)
    assert "in its folder \\x1b[2J [red]c[/red] :smile:: 18 images" in file.getvalue() and "\x1b[2J" not in file.getvalue()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["data", "--help"], ["data", "prepare", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "wisesr data prepare intel --from ~/Downloads/archive.zip" in text and "--partial" in text
    assert max(map(len, text.splitlines())) <= 88
