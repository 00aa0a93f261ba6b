"""Studies as `wisesr status`, `report` and `sync` take them: a directory, or a name below outputs/."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.studies import cell_config, write_cell, write_waiting
from wisesr.cli import main
from wisesr.cli.studies import find_study

COMMANDS = (["status"], ["report"], ["sync", "--dry-run"])
_COUNTS = ("2 cells: 1 done, 1 waiting", "1 cell: 1 waiting", "2 cells: ")
"""What each of them says of the cells below."""


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """outputs/ with the studies digits_heads and rates, and a report."""
    monkeypatch.chdir(tmp_path)
    root = Path("outputs")
    for study in ("digits_heads", "rates"):
        write_waiting(cell_config(root, study=study))
    (root / "report").mkdir()
    (root / "report" / "report.json").write_text("{}")
    (root / ".cache").mkdir()
    return root


def test_a_study_is_found_by_its_name(outputs: Path) -> None:
    assert find_study("rates") == find_study("outputs/rates") == outputs / "rates"
    assert find_study("outputs") == outputs
    assert find_study(str(outputs.resolve())) == outputs.resolve()
    assert find_study(".") == Path()


def test_a_directory_that_exists_wins_where_it_has_cells(outputs: Path) -> None:
    Path("rates").mkdir()
    assert find_study("rates") == outputs / "rates"  # the other one is empty
    write_waiting(cell_config(Path(), study="rates", seed=5))
    assert find_study("rates") == Path("rates")


def test_names_reach_the_commands(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_cell(cell_config(outputs, study="rates", seed=1))
    for command, counts in zip(COMMANDS, _COUNTS, strict=True):
        main([*command, "digits_heads" if command == ["report"] else "rates"])
        printed = capsys.readouterr()
        assert counts in printed.out + printed.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "wrong", "nearest", "choices"),
    [
        ("digit_heads", "digit_heads", "digits_heads", ["digits_heads", "outputs", "rates"]),
        ("otuputs", "otuputs", "outputs", ["digits_heads", "outputs", "rates"]),
        ("outputs/rate", "rate", "rates", ["digits_heads", "rates"]),
        ("outptus/rates/toy-64", "outptus", "outputs", ["outputs"]),
    ],
)
def test_a_name_that_does_not_exist(
    outputs: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    name: str,
    wrong: str,
    nearest: str,
    choices: list[str],
) -> None:
    assert main([*command, name]) == 1
    message = capsys.readouterr().err.strip()
    assert f"{wrong!r}. Did you mean {nearest}?" in message
    assert message.endswith(f": {', '.join(choices)}"), "all that is there, and nothing else"
    assert "no cells below" not in message


@pytest.mark.parametrize("command", [["status"], ["report"]])
def test_before_the_first_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1
    message = capsys.readouterr().err
    assert "no directory outputs" in message and "training makes it" in message and len(message.splitlines()) == 1


def test_two_cells_are_compared_without_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = [str(write_cell(cell_config(tmp_path / "elsewhere", seed=seed))) for seed in (0, 1)]
    assert main(["status", "--diff", *cells]) == 0
