"""`wisesr clean`: told first, then removed, never what a cell still needs; checkpoints here are files of known size."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.support.cleaned import BEST, LAST, clean, trained
from wisesr.cli import main
from wisesr.results.cleaned import removed_on
from wisesr.space import removal
from wisesr.space.leftovers import Kind
from wisesr.space.plan import Choice, make_plan


def names_with(root: Path, name: str) -> set[tuple[str, int]]:
    """Head and seed of the cells that hold a file."""
    return {(path.parent.parent.name.partition("-")[2], int(path.parent.name.split("-")[1])) for path in root.rglob(name)}


def test_the_best_of_each_row_keeps_its_weights(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for head, tops in {"gap": (0.5, 0.7, 0.7), "wise": (0.9, 0.8, 0.6)}.items():
        for seed, top in enumerate(tops):
            trained(root, head=head, seed=seed, val_top1=top)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.suffix != ".ckpt"}
    assert clean("--yes") == 0
    assert names_with(root, "best.ckpt") == {("wise", 0)}
    assert names_with(root, "last.ckpt") == set()
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.suffix != ".ckpt"}
    assert {path for path in after if path not in before} == {
        path.parent / "cleaned.json" for path in root.rglob("result.json")
    } | {path.parent / ".lock" for path in root.rglob("result.json")}
    assert before.items() <= after.items(), "nothing else was touched"
    out = capsys.readouterr().out
    assert f"{(5 * BEST + 6 * LAST) / 1000:.0f} kB are free again" in out
    assert clean() == 0 and "There is nothing to remove." in capsys.readouterr().out  # nobody is asked
    assert names_with(root, "best.ckpt") == {("wise", 0)}


def test_of_each_head_the_lower_of_equal_seeds(root: Path) -> None:
    for head, tops in {"gap": (0.5, 0.7, 0.7), "wise": (0.9, 0.8, 0.6)}.items():
        for seed, top in enumerate(tops):
            trained(root, head=head, seed=seed, val_top1=top)
    assert clean("--keep", "head", "--yes") == 0
    assert names_with(root, "best.ckpt") == {("gap", 1), ("wise", 0)}


@pytest.mark.parametrize(
    ("keep", "kept"),
    [("row", {("wise", 1)}), ("all", {("gap", 0), ("gap", 1), ("wise", 0), ("wise", 1)}), ("none", set())],
)
def test_other_choices(root: Path, keep: str, kept: set[tuple[str, int]]) -> None:
    for head, tops in {"gap": (0.5, 0.7), "wise": (0.6, 0.8)}.items():
        for seed, top in enumerate(tops):
            trained(root, head=head, seed=seed, val_top1=top, changes={"recipe.optimizer.lr": 0.1 if head == "gap" else 0.01})
    assert clean("--keep", keep, "--yes") == 0
    assert names_with(root, "best.ckpt") == kept


def test_settings_sizes_and_studies_are_heads_of_their_own(root: Path) -> None:
    trained(root, changes={"recipe.label_smoothing": 0.1})
    trained(root, size=96)
    trained(root, val_top1=0.9)
    trained(root, seed=1, val_top1=0.7)
    trained(root, study="other", val_top1=0.1)
    assert main(["clean", "outputs", "--yes"]) == 0
    assert len(list(root.rglob("best.ckpt"))) == 4
    assert not list((root / "study").glob("*/*/seed-1-*/best.ckpt"))


def test_nothing_goes_unasked(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cell = trained(root)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal
    assert clean() == 1
    printed = capsys.readouterr()
    assert "--yes" in printed.err and "last.ckpt of finished cells" in printed.out
    assert clean("--dry-run", "--list") == 0 and f"  {cell}/last.ckpt" in capsys.readouterr().out
    assert (cell / "last.ckpt").exists() and not (cell / "cleaned.json").exists()
    for answer, code in (("", 1), ("n", 1), ("Y", 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        assert clean() == code
        assert (cell / "last.ckpt").exists() is bool(code)
    assert "[y/N]" in capsys.readouterr().out


def test_a_kill_at_any_step_is_made_good_by_the_next(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = trained(root)
    (cell / "tensorboard").mkdir()
    (cell / "tensorboard" / "events").write_bytes(b"e" * 10)
    remove, removed = removal._remove, []

    def killed(path: Path) -> None:
        if removed:
            raise KeyboardInterrupt
        remove(path)
        removed.append(path)

    with monkeypatch.context() as patch:
        patch.setattr(removal, "_remove", killed)
        assert clean("--keep", "none", "--yes") == 130
    assert not (cell / "best.ckpt").exists() and (cell / "last.ckpt").exists()
    assert removed_on(cell, "best.ckpt"), "what is gone is noted"
    assert clean("--keep", "none", "--yes") == 0
    assert not (cell / "last.ckpt").exists() and not (cell / "tensorboard").exists()
    assert set(json.loads((cell / "cleaned.json").read_text())["removed"]) == {"best.ckpt", "last.ckpt", "tensorboard"}


def test_what_cannot_be_removed_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = trained(root), trained(root, seed=1)
    remove = removal._remove

    def refuse(path: Path) -> None:
        if first in path.parents:
            raise PermissionError(1, "Operation not permitted", str(path))
        remove(path)

    monkeypatch.setattr(removal, "_remove", refuse)
    assert clean("--only", "best", "--only", "last", "--yes") == 1
    out = capsys.readouterr().out
    assert f"FAILED: {first}: Operation not permitted" in out and "1 cell could not be cleaned." in out
    assert (first / "last.ckpt").exists() and not (second / "last.ckpt").exists()


def test_what_stays_of_a_folder_is_named_with_its_place_and_the_rest_is_counted(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = trained(root)
    (cell / "tensorboard").mkdir()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", "events")  # as rmtree does, which works from folder to folder

    monkeypatch.setattr(removal.shutil, "rmtree", refuse)
    assert clean("--yes") == 1
    out = capsys.readouterr().out
    assert f"FAILED: Permission denied: {cell / 'tensorboard'}" in out and "81.9 kB are free again." in out
    assert not (cell / "last.ckpt").exists()


def test_what_its_own_settings_keep_and_one_kind_alone(root: Path) -> None:
    last = trained(root, changes={"trainer.keep_checkpoints": "last"})
    best = trained(root, seed=1, val_top1=0.9)
    assert clean("--only", "last", "--yes") == 0
    assert (last / "last.ckpt").exists() and (last / "best.ckpt").exists() and not (best / "last.ckpt").exists()
    assert {left.kind for plan in make_plan([last, best], Choice()).cells for left in plan.leftovers} == {Kind.BEST}


def test_what_is_kept_of_datasets_goes_only_when_asked(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "cache"))
    cell = trained(root)
    for name in ("contents", "mine"):
        (tmp_path / "cache" / name).mkdir(parents=True)
        (tmp_path / "cache" / name / "a.npz").write_bytes(b"k" * 10)
    assert clean("--yes") == 0 and (tmp_path / "cache" / "contents").exists()
    assert clean("--yes", "--cache") == 0 and not (tmp_path / "cache" / "contents").exists()
    assert (tmp_path / "cache" / "mine" / "a.npz").exists() and cell.exists()


def test_what_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = trained(root)
    (root / "empty").mkdir()
    for name, message in (
        (str(cell), "is one cell"),
        ("empty", "there are no cells below"),
        ("stduy", "Did you mean study?"),
        ("", "names no study"),
    ):
        assert main(["clean", name, "--yes"]) == 1
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        clean("--keep", "everything")
    assert (cell / "last.ckpt").exists()
