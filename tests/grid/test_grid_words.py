"""`grid.zip` and `grid.exclude` without brackets: taken as one rule, or answered with the form before anything is counted."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.support.command import train_here

SWEPT = ("-m", "head=gap,wise", "seed=0,1", "backbone=timm", "backbone.model=test_resnet", "resolution.size=32", "logger=none")
TINY = (*SWEPT, "trainer=cpu", "grid.plan=true")


def test_one_text_is_one_rule(tmp_path: Path) -> None:
    done = train_here(*TINY, "grid.exclude=head=gap", "dataset=folder", "dataset.root=none", cwd=tmp_path)
    assert done.stdout == "4 combinations, 2 excluded: 2 cells\n"
    assert "dataset.root: there is no folder" in done.stderr and "must be" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "forms"),
    [
        ("grid.exclude={head:gap}", ["grid.exclude=[{head:gap}]"]),
        ("grid.exclude=head=gap,wise", ['grid.exclude=["head=gap,wise"]']),
        ("grid.exclude=head=gap,seed=1", ['grid.exclude=["head=gap seed=1"]', 'grid.exclude=["head=gap","seed=1"]']),
        ("grid.zip=head,seed", ["grid.zip=[head,seed]"]),
        ("grid.zip='head, seed'", ["grid.zip=[head,seed]"]),
    ],
)
def test_the_form_is_told_before_the_count(tmp_path: Path, typed: str, forms: list[str]) -> None:
    done = train_here(*TINY, typed, cwd=tmp_path)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith(typed.partition("=")[0])
    for form in forms:  # each is taken, but for all cells of one rule
        assert shlex.quote(form) in done.stderr
        taken = train_here(*TINY, form, "dataset=folder", "dataset.root=none", cwd=tmp_path)
        assert (
            taken.stdout.startswith("4 combinations" if "exclude" in form else "2 combinations")
            or "leaves none" in taken.stderr
        )


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("  exclude: {head: gap, seed: 1}", "write `exclude: [{head: gap, seed: 1}]`"),
        ("  zip: head,seed", "write `zip: [head, seed]`"),
        ("  exclude: [{head: gap, seed: '${seed}'}]", "grid.exclude (own/experiment/mine.yaml:2): ${seed} is a cell's"),
        ("  slots: ${seed}", "grid.slots belongs to the command"),
    ],
)
def test_in_a_file(tmp_path: Path, lines: str, words: str) -> None:
    experiment = tmp_path / "own" / "experiment" / "mine.yaml"
    experiment.parent.mkdir(parents=True)
    experiment.write_text(f"grid:\n{lines}\nrecipe:\n  epochs: 1\n")
    done = train_here("--config-dir", "own", "experiment=mine", *TINY, "seed=1,2", cwd=tmp_path)
    assert done.returncode == 1 and not done.stdout
    assert words.removeprefix("write ") in " ".join(done.stderr.split())
