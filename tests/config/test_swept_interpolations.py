"""`${...}` in what a file sweeps: a folder of that name, or a sentence with the line, and what to write in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import train_here

TINY = ("backbone=timm", "backbone.model=test_resnet", "resolution.size=32", "logger=none", "trainer=cpu", "grid.plan=true")


def refused(folder: Path, params: str) -> str:
    """What is said of an experiment that sweeps these lines, of folders that hold no classes."""
    experiment = folder / "own" / "experiment" / "mine.yaml"
    experiment.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"      {line}\n" for line in params.splitlines())
    experiment.write_text(f"defaults:\n  - override /dataset: folder\nhydra:\n  sweeper:\n    params:\n{lines}")
    done = train_here("--config-dir", "own", "experiment=mine", *TINY, cwd=folder)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize(
    "sweep",
    [
        "dataset.root: {0}/${{head}},{0}/b",
        pytest.param("dataset.root: {0}/${{head}}", marks=pytest.mark.slow),
        pytest.param("dataset.root:\n  - {0}/${{head}}\n  - {0}/b", marks=pytest.mark.slow),
    ],
)
def test_a_folder_of_that_name_is_taken(tmp_path: Path, sweep: str) -> None:
    for name in ("${head}", "b"):
        (tmp_path / name).mkdir()
    told = refused(tmp_path, sweep.format(tmp_path))
    assert f"{tmp_path}/${{head}} holds no folders" in told
    assert (f"{tmp_path}/b holds no folders" in told) == ("/b" in sweep)


def test_one_value_belongs_to_the_cells(tmp_path: Path) -> None:
    told = refused(tmp_path, "seed: 0,1\ndataset.root: /data/${head}")
    assert "own/experiment/mine.yaml:7: `dataset.root: /data/${head}`" in told
    assert told.endswith("dataset:\n  root: /data/${head.name}\n")


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        ("seed: ${nope},1", "mine.yaml:6: `seed: ${nope},1`: there is no 'nope' that ${...} could stand for"),
        ("head: ${head.name},gap", "mine.yaml:6: `head: ${head.name},gap`: ${head.name} belongs to a cell"),
    ],
)
def test_what_stands_for_nothing_names_its_line(tmp_path: Path, sweep: str, words: str) -> None:
    told = " ".join(refused(tmp_path, sweep).split())
    assert words in told and "write the values" in told


def test_a_variable_of_the_shell_still_names_the_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_MINE", "0,7")
    told = refused(tmp_path, "seed: ${oc.env:OF_MINE}\ndataset.root: /nowhere")
    assert "seed 0 and 1 more cell" in told
