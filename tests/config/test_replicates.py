"""`replicate` and folds in a configuration: what follows from them, what they are called, what contradicts."""

from __future__ import annotations

from typing import Any

import pytest
from hydra.types import RunMode

from hydra_plugins.wisesr_grid.composer import Composer
from tests.support.configs import composed, hydra_loader
from wisesr.config.axes import settings
from wisesr.config.check import check
from wisesr.config.files import to_dict
from wisesr.config.identity import cell_dir, fingerprint
from wisesr.config.replicates import repetition_names


def test_a_replicate_moves_seed_and_split_and_says_so() -> None:
    config = composed("replicate=3")
    assert (config["replicate"], config["seed"], config["dataset"]["split_seed"]) == (3, 3, 3)
    assert check(config) == []
    alone = composed()
    assert (alone["replicate"], alone["seed"], alone["dataset"]["split_seed"]) == (None, 0, 0)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (("replicate=0",), ()),
        (("replicate=3",), ("seed=3", "dataset.split_seed=3")),
        (("replicate=3", "seed=3"), ("replicate=3",)),
        (("replicate=2", "dataset.fold=1"), ("seed=2", "dataset.split_seed=2", "dataset.fold=1", "dataset.folds=5")),
    ],
)
def test_a_replicate_is_the_cell_of_its_seed_and_split(one: tuple[str, ...], same: tuple[str, ...]) -> None:
    """One computation, one directory: a finished cell is found again by either name."""
    assert fingerprint(composed(*one)) == fingerprint(composed(*same))
    assert cell_dir(composed(*one)) == cell_dir(composed(*same))


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (
            ("replicate=3", "seed=1"),
            "replicate=3 makes seed and dataset.split_seed 3, and seed=1 says otherwise: leave out one of the two",
        ),
        (("replicate=1", "seed=0"), "and seed=0 says otherwise"),
        (("replicate=3", "dataset.split_seed=0"), "and dataset.split_seed=0 says otherwise"),
        (("replicate=-1",), "replicate must be a whole number at least 0 or null, not -1"),
        (("replicate=true",), "replicate must be a whole number at least 0 or null, not true"),
        (("dataset.fold=5",), "dataset.fold=5 is too high: with dataset.folds=5 it is 0 to 4"),
        (("dataset.fold=-1",), "dataset.fold must be a whole number at least 0 or null, not -1"),
        (("dataset.fold=0", "dataset.folds=1"), "dataset.folds must be a whole number at least 2, not 1"),
        (("dataset.folds=10",), "dataset.folds=10 has no effect without dataset.fold: -m 'dataset.fold=range(0,10)' trains"),
        (
            ("dataset.fold=0", "dataset.test_fraction=0.3"),
            "dataset.test_fraction=0.3 has no effect with dataset.fold, as the test split is one of 5 folds",
        ),
    ],
)
def test_contradictions_are_told_in_a_sentence(overrides: tuple[str, ...], problem: str) -> None:
    problems = check(composed(*overrides))
    assert problems and problem in problems[0]


def _swept(*overrides: tuple[str, ...]) -> list[dict[str, Any]]:
    with hydra_loader() as loader:
        base = loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
        composer = Composer(loader, base)
        return [to_dict(composer.compose(list(cell))) for cell in overrides]


def test_sweeps_take_replicates_and_folds() -> None:
    cells = _swept(*((f"replicate={n}", f"dataset.fold={fold}") for n in range(3) for fold in range(2)))
    assert [(cell["seed"], cell["dataset"]["split_seed"], cell["dataset"]["fold"]) for cell in cells] == [
        (n, n, fold) for n in range(3) for fold in range(2)
    ]
    names = [cell_dir(cell).name for cell in cells]
    assert len({fingerprint(cell) for cell in cells}) == len(set(names)) == 6
    assert names[3].startswith("seed-1-fold-1-")
    assert repetition_names(cells[3]) == ("replicate-1", "fold-1") and repetition_names(composed("seed=4")) == ("seed-4",)


def test_tables_of_cells_tell_folds_apart_and_replicates_by_their_seeds() -> None:
    folds = [composed(f"dataset.fold={fold}") for fold in range(2)]
    assert settings(folds) == ["dataset.fold=0", "dataset.fold=1"]
    assert settings([composed(f"replicate={n}") for n in range(3)]) == [""] * 3
    assert settings([composed("replicate=1"), composed("seed=1")]) == ["dataset.split_seed=1", "dataset.split_seed=0"]
