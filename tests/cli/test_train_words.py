"""Words of train.py in `wisesr data check` and `show`: taken as train.py takes them, or answered in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from wisesr.cli import main


@pytest.mark.parametrize("command", ["check", "show"])
def test_dashes_before_a_path_that_has_a_blank(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my pics=a,b"
    folder.mkdir()
    assert main(["data", command, "folder", f"--dataset.root={folder}"]) == 1
    assert f"{folder} holds no folders" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-m", "dataset.root=x"], "-m makes a sweep"),
        (["dataset.root=x", "--multirun"], "--multirun makes a sweep"),
        (["dataset.root=x", "\u2014m"], "\u2014m makes a sweep"),
        (["--dataset.root", "x"], "dataset.root=VALUE"),
    ],
)
def test_flags_of_train_are_answered_without_the_usage(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["data", "check", "folder", *words])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert told in said and "usage" not in said
