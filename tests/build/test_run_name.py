"""What loggers call a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config
from wisesr.build.parts import build_loggers
from wisesr.build.run_name import run_name
from wisesr.results.installation import write_command

ROOT = Path("/nowhere")


def config(**given: Any) -> dict[str, Any]:
    return cell_config(ROOT, head="wise", dataset="sun8", size=112, seed=3, **given)


def test_the_dataset_its_size_and_the_seed() -> None:
    assert run_name(config(), ()) == "sun8-112 resnet18 wise seed 3"
    replicate = config(changes={"replicate": 3, "dataset.split_seed": 3})
    assert run_name(replicate, ()) == "sun8-112 resnet18 wise replicate 3"
    assert run_name(config(changes={"dataset.fold": 2}), ()) == "sun8-112 resnet18 wise seed 3 fold 2"


@pytest.mark.parametrize("command", [(), ("dataset.classes=10,20",)])
def test_a_subset_of_classes_stands_once_whoever_swept_it(command: tuple[str, ...]) -> None:
    changes = {"dataset.classes": 10, "dataset.classes_seed": 1}
    assert run_name(config(changes=changes), command) == (
        "sun8-112 resnet18 wise seed 3 dataset.classes=10 dataset.classes_seed=1"
    )


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("recipe.optimizer.lr=0.5,0.1", "recipe.optimizer.lr=0.5"),
        ("recipe.optimizer.lr=choice(0.5, 0.1)", "recipe.optimizer.lr=0.5"),
        ("recipe.epochs=range(3,9)", "recipe.epochs=3"),
        ("recipe.optimizer.lr=0.5", ""),
        ("seed=0,3", ""),
        ("head=gap,wise", ""),
        ("dataset.fold=range(0,5)", ""),
        ("resolution=112,224", ""),
        ("nothing.like.it=1,2", ""),
        ("-m", ""),
    ],
)
def test_what_the_command_sweeps_over(argument: str, said: str) -> None:
    named = run_name(config(changes={"recipe.optimizer.lr": 0.5}), ("train.py", "study=a,b", argument))
    assert named == f"sun8-112 resnet18 wise seed 3 {said}".rstrip()


def test_a_flag_with_its_values_in_the_next_word() -> None:
    named = run_name(config(changes={"recipe.optimizer.lr": 0.5}), ("train.py", "-m", "--recipe.optimizer.lr", "0.5,0.1"))
    assert named == "sun8-112 resnet18 wise seed 3 recipe.optimizer.lr=0.5"


def test_a_list_is_one_value() -> None:
    cell = config()
    cell["augment"]["mean"] = [0.1, 0.2]
    assert run_name(cell, ("augment.mean=[0.1,0.2]",)) == "sun8-112 resnet18 wise seed 3"


def test_loggers_have_it_with_the_command_of_the_cell(tmp_path: Path) -> None:
    write_command(tmp_path, ["train.py", "-m", "recipe.optimizer.lr=0.5,0.1"])
    cell = config(
        changes={"recipe.optimizer.lr": 0.5, "logger": {"csv": {"_target_": "wisesr.training.loggers.steps.StepsLogger"}}}
    )
    (logger,) = build_loggers(cell, tmp_path)
    assert logger.run.name == "sun8-112 resnet18 wise seed 3 recipe.optimizer.lr=0.5"
