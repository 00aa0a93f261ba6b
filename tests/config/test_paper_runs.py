"""The paper's runs through the configuration: batch and epochs by dataset and resolution, and the value of a user's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hydra.types import RunMode

from hydra_plugins.wisesr_grid.composer import Composer
from tests.support.configs import composed, hydra_loader
from wisesr.config.check import check
from wisesr.config.command_line import quote_choices
from wisesr.config.files import to_dict
from wisesr.config.options import conf_dir, load_option
from wisesr.config.paper_runs import paper_batch, paper_epochs


@pytest.mark.parametrize(
    ("dataset", "size", "batch", "epochs"),
    [
        ("sub_imagenet", 224, 70, 148),
        ("intel", 224, 70, 220),
        ("mit_indoor", 224, 70, 200),
        ("mit_indoor", 512, 15, 130),
        ("mit_indoor", 511, 70, 200),
        ("intel", 600, 15, 220),
        ("digits", 64, 70, 200),
        ("my_own", 512, 15, 200),
    ],
)
def test_the_runs_of_the_notebooks(dataset: str, size: int, batch: int, epochs: int) -> None:
    assert (paper_batch(size), paper_epochs(dataset, size)) == (batch, epochs)


@pytest.mark.parametrize(
    ("overrides", "batch", "epochs"),
    [
        ([], 70, 200),
        (["resolution=512"], 15, 200),
        (["resolution.size=640"], 15, 200),
        (["resolution=512", "recipe.batch_size=32"], 32, 200),
        (["dataset.resolution=512", "recipe.epochs=3"], 15, 3),
    ],
)
def test_the_recipe_follows_dataset_and_resolution(overrides: list[str], batch: int, epochs: int) -> None:
    config = composed("recipe=paper", *overrides)
    assert (config["recipe"]["batch_size"], config["recipe"]["epochs"]) == (batch, epochs)
    assert check(config) == []


def test_a_resolution_that_is_none_is_told_of_once() -> None:
    assert check(composed("recipe=paper", "resolution.size=large")) == [
        "resolution.size must be a whole number at least 8, not 'large'"
    ]


def test_keras_conventions_are_the_papers_alone() -> None:
    recipes = {name: composed(f"recipe={name}")["recipe"] for name in ("quick", "paper", "modern", "modern_sgd")}
    conventions = {name: tuple(recipe[key] for key in ("init", "batch_norm", "structure")) for name, recipe in recipes.items()}
    assert conventions.pop("paper") == ("keras", "keras", "keras")
    assert set(conventions.values()) == {("timm", "timm", "timm")}
    velocities = {name: recipe["optimizer"].get("lr_in_velocity") for name, recipe in recipes.items()}
    assert velocities == {"quick": None, "paper": True, "modern": None, "modern_sgd": False}


def test_each_cell_of_a_sweep_has_its_own(tmp_path: Path) -> None:
    """Two combinations of groups share nothing but the command; values come last, as everywhere."""
    shutil.copytree(conf_dir(), tmp_path / "conf")
    for name in ("intel", "mit_indoor", "sub_imagenet"):  # digits under their names: choices are all that counts here
        shutil.copy(conf_dir() / "dataset" / "digits.yaml", tmp_path / "conf" / "dataset" / f"{name}.yaml")
    expected = {
        ("intel", "224"): (220, 70),
        ("mit_indoor", "224"): (200, 70),
        ("mit_indoor", "512"): (130, 15),
        ("sub_imagenet", "224"): (148, 70),
    }
    with hydra_loader(tmp_path / "conf") as loader:
        composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))

        def run(*overrides: str) -> tuple[int, int]:
            recipe = to_dict(composer.compose(quote_choices(["recipe=paper", *overrides])))["recipe"]
            return recipe["epochs"], recipe["batch_size"]

        for seed in ("0", "1"):
            for (dataset, size), cell in expected.items():
                assert run(f"dataset={dataset}", f"resolution={size}", f"seed={seed}") == cell
        assert run("dataset=mit_indoor", "resolution.size=700", "recipe.batch_size=8") == (130, 8)
        assert run("dataset=intel", "recipe.epochs=3", "resolution=112") == (3, 70)


def test_an_option_as_it_stands_is_read_unresolved() -> None:
    assert str(load_option("recipe", "paper")["batch_size"]).startswith("${paper_batch:")
