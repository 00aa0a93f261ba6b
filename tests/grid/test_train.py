"""`train.py` as a user runs it, in processes of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command import TOY, train
from tests.support.paths import ROOT
from wisesr.results.record_file import read_record


def test_a_grid_from_anywhere_and_again(images: Path, tmp_path: Path) -> None:
    """What only a built model knows is told before any cell starts; without it two run side by side, and never again."""
    data = ("dataset=folder", f"dataset.root={images}")
    broken = train("-m", "head=gap,wise", "head.dropout=0,1.5", *TOY, *data, cwd=tmp_path)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert "Nothing was started" in broken.stderr
    assert "head.dropout must be at least 0 and below 1, not 1.5" in broken.stderr
    assert "and 1 more cell" in broken.stderr
    assert not list(tmp_path.iterdir()), "nothing was written"
    good = train("-m", "head=gap,wise", "head.dropout=0", "grid.slots=2", *TOY, *data, cwd=tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    assert good.stdout.count(": done\n") == 2
    assert good.stdout.splitlines()[-2:] == ["", "Next: wisesr report outputs/default"]
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
        (["hed=wise"], "no group or key is called 'hed'. Did you mean head"),
        (["-m", "head=wise,gap", "head.pre_pool=1"], "head=gap has no key 'pre_pool'. It belongs to head="),
        (["head.non_negtive=none"], "no key of head is called 'non_negtive'. Did you mean non_negative"),
        (["head.non_negative=banana"], "head.non_negative must be one of none, projection, softplus, not 'banana'"),
        (["backbone=timm"], "backbone.model must be given"),
        (["dataset=folder", "dataset.root=/nowhere"], "dataset.root: there is no folder /nowhere"),
        (["backbone.weights=/nowhere/w.pth"], "there is no file '/nowhere/w.pth'"),
        (["backbone.weights=package", "-m", "head=gap,wise"], "no package carries weights of resnet50"),
        (["dataset=folder", "dataset.root=/a (copy)"], "needs quotes of its own"),
        (["logger=[csv,tensorbord]"], "no logger is called 'tensorbord'. Did you mean tensorboard"),
        (["-m", "--cfg", "job"], "Only one of"),
        (["head=gap,wise"], "several values are a sweep, which needs -m: python train.py -m head=gap,wise"),
        (["dataset.root=/x"], "no key of dataset is called 'root'"),
        (["dataset.root=/x"], "It belongs to dataset=arrays, dataset=folder"),
        (["resolution=160"], "Any other size: resolution.size=160"),
        (["head", "=", "gap"], "'head' is no override: GROUP=OPTION or KEY=VALUE"),
        (["dataset=folder", "dataset.root=."], "holds no folders"),
        (["~head"], "head is missing: choose one of"),
        (["-m", "output_dir=/proc/x"], "/proc/x"),
    ],
)
def test_misspelled(arguments: list[str], words: str, tmp_path: Path) -> None:
    result = train(*arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert words in result.stderr
    assert len(result.stderr.splitlines()) < 20
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir()), "nothing is written"


@pytest.mark.parametrize("arguments", [["--cfg", "job"], ["--help"], ["head.non_negative=banana"]])
def test_what_needs_no_torch_does_not_import_it(arguments: list[str], tmp_path: Path) -> None:
    code = f"""
import runpy, sys
sys.argv = ["train.py", *{arguments!r}]
sys.path.insert(0, {str(ROOT)!r})
code = 0
try:
    runpy.run_path({str(ROOT / "train.py")!r}, run_name="__main__")
except SystemExit as end:
    code = end.code
assert bool(code) == {"banana" in arguments[0]!r}, code
assert "torch" not in sys.modules and "sklearn" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)


def test_a_file_in_the_way(images: Path, tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file")
    for mode in ([], ["-m"]):
        result = train(*mode, "dataset=folder", f"dataset.root={images}", cwd=tmp_path)
        assert result.returncode == 1
        assert "outputs is a file where a directory should go" in result.stderr
    assert (tmp_path / "outputs").read_text() == "a file"
