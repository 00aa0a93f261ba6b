"""`grid.zip` and `grid.exclude` against the cells that a reader would write down by hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode

from hydra_plugins.wisesr_grid.axes import combinations, describe_zipped, zipped
from hydra_plugins.wisesr_grid.composer import Composer
from hydra_plugins.wisesr_grid.exclude import Excluded
from tests.support.command import train_here
from tests.support.configs import hydra_loader
from wisesr.config.command_line import quote_choices
from wisesr.errors import UserError

TOY = ("backbone=timm", "backbone.model=test_resnet", "logger=none", "trainer=cpu")


@pytest.fixture(scope="module")
def composer() -> Iterator[Composer]:
    """One for all, which composes each combination of groups once."""
    with hydra_loader() as found:
        yield Composer(found, found.load_configuration("config", [], run_mode=RunMode.MULTIRUN))


@pytest.fixture
def loader() -> Iterator[ConfigLoader]:
    with hydra_loader() as found:
        yield found


def cells(loader: ConfigLoader, setting: object, *overrides: str) -> list[list[str]]:
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(quote_choices(overrides))
    return [[text.replace("'", "") for text in cell] for cell in combinations(parsed, zipped(setting))]


@pytest.mark.parametrize("setting", [["resolution", "recipe.batch_size"], [["resolution.size", "recipe.batch_size"]]])
def test_values_that_go_together_are_one_axis(loader: ConfigLoader, setting: object) -> None:
    made = cells(loader, setting, "resolution=224,512", "head=gap,wise", "recipe.batch_size=64,16", "seed=0")
    pairs = [("224", "64"), ("512", "16")]
    assert made == [
        [f"resolution={size}", f"head={head}", f"recipe.batch_size={batch}", "seed=0"]
        for (size, batch), head in product(pairs, ("gap", "wise"))
    ]


def test_three_together_beside_two_together(loader: ConfigLoader) -> None:
    swept = ("a.x=1,2", "seed=range(0,3)", "b.y=p,q", "c.z=r,s", "study=k,l,m")
    made = cells(loader, [["b.y", "a.x", "c.z"], ["seed", "study"]], *swept)
    triples, pairs = list(zip("12", "pq", "rs", strict=True)), list(zip("012", "klm", strict=True))
    expected = [
        [f"a.x={x}", f"seed={seed}", f"b.y={y}", f"c.z={z}", f"study={study}"]
        for (x, y, z), (seed, study) in product(triples, pairs)
    ]
    assert made == expected


def test_it_says_how_many_go_together(loader: ConfigLoader) -> None:
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(["seed=range(0,3)", "study=k,l,m", "head=gap"])
    assert describe_zipped([["seed", "study"]], parsed) == "seed with study: 3 pairs"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (["resolution", "recipe.batch_size"], r"resolution has 2 values \(224, 512\) and recipe.batch_size has 3 values"),
        (
            ["resolution", "seed"],
            r"resolution has 2 values .* and seed has 1 value \(7\). Give as many of each, or grid.zip=null",
        ),
        (
            ["resolution", "recipe.batchsize"],
            "no key with a list of values is called 'recipe.batchsize'. Did you mean recipe.batch_size",
        ),
        (["resolution"], r"at least two keys that go together, and \[resolution\] is 1"),
        ([["resolution", "head"], ["head", "recipe.batch_size"]], r"head stands in it twice"),
    ],
)
def test_what_cannot_go_together(loader: ConfigLoader, setting: object, words: str) -> None:
    with pytest.raises(UserError, match=words):
        cells(loader, setting, "resolution=224,512", "recipe.batch_size=64,32,16", "head=gap,wise", "seed=7")


def left(composer: Composer, rules: object, *overrides: str) -> tuple[list[str], list[str]]:
    """The cells that rules leave, as one text each, and what is said of rules without effect."""
    parsed = OverridesParser.create().parse_overrides(quote_choices([*TOY[:2], *overrides]))
    excluded = Excluded(rules, ["head", "resolution"])
    kept = excluded.kept(combinations(parsed), composer)
    return [" ".join(cell[2:]).replace("'", "") for cell in kept], excluded.without_effect()


HEADS = ("gap", "wise", "flatten")
ALL = [f"head={head} resolution={size}" for head in HEADS for size in (224, 512)]
SWEPT = ("head=gap,wise,flatten", "resolution=224,512")


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        ([{"head": "flatten", "resolution": 512}], ["head=flatten resolution=512"]),
        (["head=flatten resolution=512"], ["head=flatten resolution=512"]),
        (["head=flatten resolution.size=512"], ["head=flatten resolution=512"]),
        ([{"head": ["gap", "wise"], "resolution": 224}], ["head=gap resolution=224", "head=wise resolution=224"]),
        (["head=gap,wise resolution=224"], ["head=gap resolution=224", "head=wise resolution=224"]),
        ([{"head": "gap"}, {"resolution": 512}], [cell for cell in ALL if "gap" in cell or "512" in cell]),
        ([{"head": "gap", "dataset": "digits"}], [cell for cell in ALL if "gap" in cell]),
        ([{"head.name": "gap", "recipe.optimizer.lr": 1e-3}], [cell for cell in ALL if "gap" in cell]),
        ([{"trainer.deterministic": True, "head": "gap"}], [cell for cell in ALL if "gap" in cell]),
        ([{"head.pre_pool": None, "resolution": 224}], ["head=wise resolution=224", "head=flatten resolution=224"]),
    ],
)
def test_cells_that_are_left_out(composer: Composer, rules: object, gone: list[str]) -> None:
    kept, sayings = left(composer, rules, *SWEPT)
    assert kept == [cell for cell in ALL if cell not in gone]
    assert not sayings


def test_values_are_compared_and_not_how_they_are_written(composer: Composer) -> None:
    kept, _ = left(
        composer, ["recipe.optimizer.lr=1e-2 head.dropout=0"], "recipe.optimizer.lr=0.001,0.01", "head.dropout=0.0,0.5"
    )
    assert kept == [
        f"recipe.optimizer.lr={lr} head.dropout={dropout}"
        for lr, dropout in product(("0.001", "0.01"), ("0.0", "0.5"))
        if (lr, dropout) != ("0.01", "0.0")
    ]


def test_a_rule_that_leaves_out_nothing_is_told(composer: Composer) -> None:
    kept, sayings = left(composer, [{"head": "flaten", "resolution": 512}, {"head": "gap"}], *SWEPT)
    assert kept == [cell for cell in ALL if "gap" not in cell]
    assert sayings == ["grid.exclude: head=flaten resolution=512 is none of the combinations"]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"head": list(HEADS)}], "leaves none of the 6 combinations"),
        ([{"hed": "gap"}], "no key of these cells is called 'hed'. Did you mean head"),
        (["flatten"], "'flatten' names no combination"),
        ([{}], "names no combination"),
    ],
)
def test_rules_that_are_none(composer: Composer, rules: object, words: str) -> None:
    with pytest.raises(UserError, match=words):
        left(composer, rules, *SWEPT)


def test_both_from_an_experiment_of_one_s_own(tmp_path: Path) -> None:
    """Read at a terminal: how many cells there are, and why; nothing is started, as the root is not there."""
    experiment = tmp_path / "own" / "experiment" / "pairs.yaml"
    experiment.parent.mkdir(parents=True)
    experiment.write_text(
        "# @package _global_\n"
        "grid:\n  zip: [resolution, recipe.batch_size]\n  exclude: [{head: flatten, resolution: 512}]\n"
        "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n"
        "      resolution: 224,512\n      recipe.batch_size: 64,16\n      head: gap,wise,flatten\n"
    )
    told = train_here("--config-dir", "own", "experiment=pairs", *TOY, "dataset=folder", "dataset.root=none", cwd=tmp_path)
    assert told.stdout == "6 combinations (resolution with recipe.batch_size: 2 pairs), 1 excluded: 5 cells\n"
    assert "dataset.root: there is no folder" in told.stderr and "and 4 more cells" in told.stderr
    pinned = train_here("--config-dir", "own", "experiment=pairs", *TOY, "resolution=224", cwd=tmp_path)
    assert "resolution has 1 value (224) and recipe.batch_size has 2 values (64, 16)" in pinned.stderr
    for setting in ("grid.zip=[head,seed]", "grid.exclude=[{head:gap}]"):
        alone = train_here(setting, *TOY, cwd=tmp_path)
        assert alone.returncode == 1 and "add -m" in alone.stderr and setting.partition("=")[0] in alone.stderr
    assert "grid.zip must be a list of texts" in train_here("-m", "grid.zip=1", *TOY, cwd=tmp_path).stderr


def test_an_experiment_of_one_s_own_chooses_who_launches_and_sweeps(tmp_path: Path) -> None:
    """An override in config.yaml itself would win over the experiment's, without a word."""
    experiment = tmp_path / "own" / "experiment" / "elsewhere.yaml"
    experiment.parent.mkdir(parents=True)
    experiment.write_text("# @package _global_\ndefaults:\n  - override /hydra/launcher: submitit_slurm\n")
    shown = train_here(
        "--config-dir", "own", "experiment=elsewhere", "--cfg", "hydra", "--package", "hydra.launcher", cwd=tmp_path
    )
    assert "_target_: hydra_plugins.wisesr_grid.launcher.ClusterLauncher" in shown.stdout
    shown = train_here("--cfg", "hydra", "--package", "hydra.launcher", cwd=tmp_path)
    assert "_target_: hydra_plugins.wisesr_grid.launcher.GridLauncher" in shown.stdout
    shown = train_here("--cfg", "hydra", "--package", "hydra.sweeper", cwd=tmp_path)
    assert "_target_: hydra_plugins.wisesr_grid.sweeper.GridSweeper" in shown.stdout
