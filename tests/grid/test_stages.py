"""What a command says before its first cell trains."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from wisesr.grid.cell_dirs import check_cells
from wisesr.grid.inspection import CellInspector
from wisesr.grid.stages import Stages


def console(width: int, *, terminal: bool) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width, height=20, force_terminal=terminal, color_system=None, highlight=False), file


def test_lines_where_there_is_no_terminal_each_once() -> None:
    shown, file = console(40, terminal=False)
    with Stages(shown) as stages:
        for _ in range(2):
            stages.say("importing torch, which takes a while on a disk that is slow")
        stages.say("cell 1 of 2", aloud=False)
        assert list(stages.tracked(range(3), 3, "reading [files]")) == [0, 1, 2]
    assert file.getvalue() == "importing torch, which takes a while on a disk that is slow\nreading [files]\n"


def test_one_line_that_changes_on_a_terminal() -> None:
    """It never takes two lines, and it is gone at the end."""
    shown, file = console(30, terminal=True)
    with Stages(shown) as stages:
        stages.say("importing [torch]")
        assert "importing [torch]" in file.getvalue()
        stages.say("cell 1 of 2: " + "a long name " * 9)
        shown.print("said above it")
    drawn = file.getvalue()
    assert "said above it\n" in drawn
    assert all(len(line.split("\x1b")[0]) <= 30 for line in drawn.replace("\r", "\n").split("\n"))
    assert "\x1b[2K" in drawn.rpartition("cell 1")[2], "the line is cleared"


def test_the_data_is_told_of_cells_that_run(config: dict[str, Any]) -> None:
    shown, file = console(200, terminal=False)
    inspector = CellInspector({"force": False, "retry": "none"})
    inspector.inspect(check_cells([config, config | {"seed": 1}]), shown)
    (line,) = [line for line in file.getvalue().splitlines() if " images of " in line]
    assert line.startswith("data: corners: ") and " train, " in line and " test" in line
