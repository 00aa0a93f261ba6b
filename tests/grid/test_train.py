"""`train.py` as a user runs it, in processes of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command import TOY, train, train_here
from tests.support.paths import ROOT
from wisesr.results.record_file import read_record


def without_torch(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`train.py`, which has imported no torch at its end, or the exit code is 3."""
    code = f"""
import runpy, sys
sys.argv = ["train.py", *{arguments!r}]
sys.path.insert(0, {str(ROOT)!r})
try:
    runpy.run_path({str(ROOT / "train.py")!r}, run_name="__main__")
finally:
    if {{"torch", "timm", "lightning", "sklearn"}} & set(sys.modules):
        sys.exit(3)
"""
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_a_grid_from_anywhere_and_again(images: Path, tmp_path: Path) -> None:
    """Two cells run side by side, and never again."""
    data = ("dataset=folder", f"dataset.root={images}")
    good = train("-m", "head=gap,wise", "head.dropout=0", "grid.slots=2", *TOY, *data, cwd=tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    assert good.stdout.count(": done\n") == 2
    assert re.fullmatch(r"Next: (\S+/)?wisesr report outputs/default", good.stdout.splitlines()[-1])
    records = sorted(tmp_path.glob("outputs/default/corners-32/*/*/result.json"))
    assert [path.parent.parent.name for path in records] == ["test_efficientnet-gap", "test_efficientnet-wise"]
    assert all(read_record(path.parent) for path in records)
    start = time.monotonic()
    again = train("-m", "head=gap,wise", "head.dropout=0", *TOY, *data, cwd=tmp_path)
    assert again.returncode == 0
    assert "2 cells: 2 done already" in again.stdout
    assert time.monotonic() - start < 10
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["default"]
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}, "Hydra writes nothing where one stands"


def test_all_problems_of_all_cells_from_a_process_without_torch(images: Path, tmp_path: Path) -> None:
    """What only built models know: a child builds, a parent does not import torch, everything wrong on one screen."""
    data = ("dataset=folder", f"dataset.root={images}")
    wrong = ("head.dropout=0,2", "backbone.freeze=null,-1", "trainer.precision=32-true,16-mixed")
    told = without_torch("-m", "head=gap,wise", *TOY, *data, *wrong, cwd=tmp_path)
    assert told.returncode == 1, told.stdout + told.stderr
    assert "Nothing was started" in told.stderr
    assert len([line for line in told.stderr.splitlines() if line.startswith("  - ")]) == 3
    assert "head.dropout must be at least 0 and below 1, not 2   [corners-32 test_efficientnet-gap seed 0 " in told.stderr
    assert told.stderr.count(" and 7 more cells]") == 2 and told.stderr.count(" and 3 more cells]") == 1
    assert "backbone.freeze must be null, all, or from 1 to" in told.stderr
    assert "trainer.precision=16-mixed cannot be had on this device" in told.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_wrong_configurations_are_all_named_before_anything_starts(tmp_path: Path) -> None:
    result = train("-m", "head=gap,wise", "head.dropout=x", "recipe.epochs=-1", *TOY[:3], cwd=tmp_path)
    assert result.returncode == 1
    assert "nothing was started" in result.stderr
    assert "head.dropout must be a number, not 'x'   [digits test_efficientnet-gap seed 0 and 1 more cell]" in result.stderr
    assert "recipe.epochs must be a whole number at least 1, not -1" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.rglob("config.yaml"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["head=wize"], "no head is called 'wize'. Did you mean wise"),
        (["-m", "head=gap,wize"], "no head is called 'wize'. Did you mean wise"),
        (["hed=wise"], "no key or group is called 'hed'. Did you mean head"),
        (["-m", "head=wise,gap", "head.pre_pool=1"], "head=gap has no key 'pre_pool'. It belongs to head="),
        (["head.non_negtive=none"], "no key of head is called 'non_negtive'. Did you mean non_negative"),
        (["head.non_negative=banana"], "head.non_negative must be one of none, projection, softplus, not 'banana'"),
        (["backbone=timm"], "backbone.model must be given"),
        (["dataset=folder", "dataset.root=/nowhere"], "dataset.root: there is no folder /nowhere"),
        (["backbone.weights=/nowhere/w.pth"], "there is no file '/nowhere/w.pth'"),
        pytest.param(
            ["backbone.weights=package", "-m", "head=gap,wise"],
            "no package carries weights of resnet50",
            marks=pytest.mark.slow,
        ),
        (["dataset=folder", "dataset.root=/a (copy)"], "there is no folder /a (copy)"),
        (["dataset=folder", "dataset.root=~/no,such=#'folder"], "/no,such=#'folder"),
        (["dataset=folder", "dataset.root=/a,/b"], "-m dataset.root=/a,/b\nAs a text, just as it stands:\n    'dataset.root="),
        (["dataset=folder", "dataset.root=[/a#"], "As a text, just as it stands:\n    'dataset.root=\"[/a#\"'"),
        (["dataset=folder", "dataset.root=${x}"], "As a text, just as it stands:\n    'dataset.root=\"\\${x}\"'"),
        (["dataset=folder", "dataset.root=${x y}", "-m"], "As a text, just as it stands:\n    'dataset.root=\"\\${x y}\"'"),
        (["head=[gap,wise]"], "Several of them are a sweep: python train.py -m head=gap,wise"),
        (["--sed=1"], "no key or group is called 'sed'. Did you mean seed"),
        (["head=gap", "--cfg", "jobs"], "--cfg must be one of job, hydra, all"),
        (["logger=[csv,tensorbord]"], "no logger is called 'tensorbord'. Did you mean tensorboard"),
        (["-m", "--cfg", "job"], "Only one of"),
        (["head=gap,wise"], "several values are a sweep, which needs -m: python train.py -m head=gap,wise"),
        (["dataset.root=/x"], "no key of dataset is called 'root'"),
        (["dataset.root=/x"], "It belongs to dataset=arrays, dataset=folder"),
        (["resolution=160"], "Any other size: resolution.size=160"),
        (["head", "=", "gap"], "'head = gap' is no override: GROUP=OPTION or KEY=VALUE, without spaces around the =: head=gap"),
        (["dataset=folder", "dataset.root=."], "holds no folders"),
        (["~head"], "head is missing: choose one of"),
        (["-m", "output_dir=/proc/x"], "/proc/x"),
    ],
)
def test_misspelled(arguments: list[str], words: str, tmp_path: Path) -> None:
    result = train_here(*arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert words in result.stderr
    assert len(result.stderr.splitlines()) < 20
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir()), "nothing is written"


@pytest.mark.parametrize("arguments", [["--cfg", "job"], ["--help"], ["head.non_negative=banana"]])
def test_what_needs_no_torch_does_not_import_it(arguments: list[str], tmp_path: Path) -> None:
    told = without_torch(*arguments, cwd=tmp_path)
    assert told.returncode == ("banana" in arguments[0]), told.stderr


def test_a_file_in_the_way(images: Path, tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file")
    for mode in ([], ["-m"]):
        result = train_here(*mode, "dataset=folder", f"dataset.root={images}", cwd=tmp_path)
        assert result.returncode == 1
        assert "outputs is a file where a directory should go" in result.stderr
    assert (tmp_path / "outputs").read_text() == "a file"
