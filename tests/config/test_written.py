"""Where a wrong value was written, and which key was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.configs import change
from wisesr.config.check import check
from wisesr.config.compose import compose_cell
from wisesr.errors import UserError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, text: str) -> None:
    Path("own", path).parent.mkdir(parents=True, exist_ok=True)
    Path("own", path).write_text(text)


def problems(*overrides: str) -> list[str]:
    """What `check` says, or the one sentence of a configuration that cannot be composed."""
    try:
        return check(compose_cell(overrides, config_dir=Path("own")))
    except UserError as error:
        return [str(error)]


AT = "own/experiment/mine.yaml"
LR = "it is recipe.optimizer.lr: write\nrecipe:\n  optimizer:\n    lr: "
WRONG = {
    "a wrong value": ("recipe:\n  epochs: ten\n", f"recipe.epochs must be a whole number at least 1, not 'ten' ({AT}:2)"),
    "None is no null": ("seed: 1\nrecipe:\n  patience: None\n", f"not 'None' ({AT}:3)"),
    "a comma in a number": ("recipe:\n  optimizer:\n    lr: 0,1\n", f"not '0,1' ({AT}:3)"),
    "deep": ("head:\n  _target_: wisesr.models.heads.gap.Gap\n", f"({AT}:2)"),
    "unknown": ("recipe:\n  epoch: 3\n", "Did you mean epochs?"),
    "unknown at the top": ("sead: 3\n", f"({AT}:1)"),
    "deeper": ("recipe:\n  lr: 0.1\n", f"no key of recipe is called 'lr' ({AT}:2): {LR}0.1"),
    "at the top": ("lr: 0.1\n", f"{LR}0.1"),
    "in braces": ("head: {lr: null}\n", f"{LR}null"),
    "of another group": (
        "trainer:\n  epochs: 3\n",
        f"no key of trainer is called 'epochs' ({AT}:2): it is recipe.epochs: write\nrecipe:\n  epochs: 3",
    ),
    "refers to nothing": ("study: ${head.nme}\n", f"study=${{head.nme}}: interpolation key 'head.nme' not found ({AT}:1)"),
    "no such option": ("defaults:\n  - override /head: gaap\n", f"{AT}:2: no head is called 'gaap'. Did you mean gap"),
    "no such group": (
        "defaults:\n  - override /heads: gap\n",
        f"{AT}:2: no key or group is called 'heads'. Did you mean head?",
    ),
    "no such experiment": ("defaults:\n  - quikstart\n", f"{AT}:2: no experiment is called 'quikstart'"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_the_file_and_line_of_what_is_wrong(text: str, said: str) -> None:
    write("experiment/mine.yaml", text)
    (problem,) = problems("experiment=mine")
    assert said in problem


def test_an_option_of_ones_own() -> None:
    write("recipe/own.yaml", "defaults: [quick]\nepochs: ten\nlr: 3\n")
    wrong = problems("recipe=own")
    assert [problem.partition("(")[2][:21] for problem in wrong] == ["own/recipe/own.yaml:2", "own/recipe/own.yaml:3"]
    assert wrong[1].endswith("it is recipe.optimizer.lr: write\nrecipe:\n  optimizer:\n    lr: 3")


def test_what_the_command_says_is_in_no_file() -> None:
    write("experiment/mine.yaml", "recipe:\n  epochs: 3\n")
    (problem,) = problems("experiment=mine", "recipe.epochs=ten")
    assert problem == "recipe.epochs must be a whole number at least 1, not 'ten'"


def test_a_file_of_another_command_is_forgotten(config: dict[str, object]) -> None:
    write("experiment/mine.yaml", "recipe:\n  epochs: ten\n")
    assert "mine.yaml" in problems("experiment=mine")[0]
    compose_cell([])
    (problem,) = check(change(config, "recipe.epochs", "ten"))
    assert "mine.yaml" not in problem


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("recipe.lr=0.1", "no key of recipe is called 'lr': it is recipe.optimizer.lr=0.1"),
        ("lr=1e-3", "no key or group is called 'lr': it is recipe.optimizer.lr=1e-3"),
        ("optimizer.lr=1e-3", "no key or group is called 'optimizer': it is recipe.optimizer.lr=1e-3"),
        ("head.lr=3", "no key of head is called 'lr': it is recipe.optimizer.lr=3"),
        ("trainer.batch_size=8", "no key of trainer is called 'batch_size': it is recipe.batch_size=8"),
        ("+recipe.lr=0.1", "no key of recipe is called 'lr': it is recipe.optimizer.lr=0.1"),
        ("size=96", "no key or group is called 'size': it is resolution.size=96"),
        ("recipe.epoch=3", "no key of recipe is called 'epoch'. Did you mean epochs? There are: "),
    ],
)
def test_a_key_that_stands_somewhere_else(override: str, said: str) -> None:
    Path("own").mkdir()
    (problem,) = problems(override)
    assert problem.startswith(said)


ELSEWHERE = {
    "mine.yaml": "own/mine.yaml is there, and belongs in own/experiment/",
    "experiments/mine.yaml": "own/experiments/mine.yaml is there: its folder must be called experiment",
    "experiment/Mine.yaml": "Did you mean Mine or size?",
    "experiment/mine.yaml/x": "own/experiment/mine.yaml is a folder, and must be a file",
}


@pytest.mark.parametrize(("path", "said"), ELSEWHERE.items(), ids=ELSEWHERE)
def test_a_file_that_lies_somewhere_else(path: str, said: str) -> None:
    write(path, "seed: 1\n")
    (problem,) = problems("experiment=mine")
    assert said in problem


def test_a_folder_that_is_one_too_deep() -> None:
    write("experiment/mine.yaml", "seed: 1\n")
    with pytest.raises(UserError, match=r"own/experiment/mine.yaml is there: --config-dir is the folder above, own$"):
        compose_cell(["experiment=mine"], config_dir=Path("own/experiment"))


def test_a_path_of_an_experiment_that_is_not_there() -> None:
    write("experiment/mine.yaml", "seed: 1\n")
    (problem,) = problems("experiment=somewhere/mine.yaml")
    assert problem == (
        "experiment=somewhere/mine.yaml: there is no such file, seen from the working folder. "
        "There is own/experiment/mine.yaml: experiment=mine"
    )


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "backbone/own",
            "# @package _global_\ndefaults: [_base]\nmodel: a\n",
            "1: `# @package _global_`: puts these keys at the top",
        ),
        ("backbone/own", "backbone:\n  defaults: [_base]\n", "1: `backbone:`: what this file says is a backbone's"),
        ("head/own", "defaults: [base]\n", "1: no file of head is called 'base'. Did you mean _base?"),
        ("head/own", "defaults: [wise]\nhydra:\n  mode: MULTIRUN\n", "2: `hydra:`: hydra is no setting of a head"),
        ("head/own", "defaults: [wise]\n\tdropout: 0.3\n", "2: `\\tdropout: 0.3`: a tab"),
    ],
)
def test_an_option_whose_keys_stand_too_high_or_too_deep(path: str, text: str, said: str) -> None:
    write(f"{path}.yaml", text)
    (problem,) = problems(f"{path.partition('/')[0]}=own")
    assert problem.startswith(f"own/{path}.yaml:{said}")
