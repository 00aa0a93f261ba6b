"""Composing once for each combination of groups gives what Hydra gives for every cell by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import hydra
import pytest
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode

from hydra_plugins.wisesr_grid.axes import combinations
from hydra_plugins.wisesr_grid.composer import Composer
from hydra_plugins.wisesr_grid.sweeper import refuse_several_experiments, replaced
from tests.support.configs import hydra_loader
from tests.support.paths import ROOT
from wisesr.config.command_line import quote_choices
from wisesr.config.files import to_dict
from wisesr.config.hydra_errors import explain
from wisesr.config.options import options
from wisesr.errors import UserError

SWEEP = [
    ["head=gap", "seed=3"],
    ["head=gap", "seed=4", "head.dropout=0.5"],
    ["head=wise", "seed=4", "head.pre_pool=2"],
    ["seed=4", "head=wise"],
    ["head=wise", "backbone=timm", "backbone.model=resnet10t"],
    ["head=wise", "backbone=timm", "backbone.model=resnet14t", "recipe=modern", "recipe.optimizer.lr=0.1"],
    ["recipe.optimizer.lr=0.1", "recipe=modern", "recipe.epochs=5"],
    ["experiment=digits_heads", "seed=9"],
    ["+dataset.extra=1", "~trainer.deterministic", "++head.more=[1,2]"],
    ["seed=9", "+dataset.extra=1", "dataset.extra=2", "head=gap"],
    ["dataset.test_fraction=0.3", "+dataset.extra=1", "seed=9", "~trainer.deterministic", "trainer.threads=2"],
    ["head.dropout=0.1", "++head.dropout=0.2", "head.dropout=0.3", "++head.dropout=0.4"],
    ["logger=[csv,wandb]", "study=x"],
    ["dataset=folder", "dataset.root=some/images"],
    ["resolution=112", "resolution.size=96"],
    ["head=gap", "seed=5", "study=${hydra:job.config_name}-${seed}"],
    ["head=gap", "seed=6", "+dataset.extra=${hydra:overrides.task}"],
    ["recipe=paper", "seed=7"],
    ["recipe=paper", "seed=7", "resolution.size=600"],
    ["recipe=paper", "resolution=512", "recipe.epochs=3", "dataset=layouts"],
    ["recipe.batch_size=${paper_batch:512}", "seed=8"],
    ["trainer=ddp", "trainer.devices=2", "protocol=paper", "output_dir=elsewhere"],
    ["replicate=3", "dataset.fold=1"],
    ["dataset=layouts", "replicate=3", "seed=4"],
]


@pytest.fixture
def loader() -> Iterator[ConfigLoader]:
    with hydra_loader() as found:
        yield found


def test_the_same_as_hydra(loader: ConfigLoader) -> None:
    sweep = [quote_choices(overrides) for overrides in SWEEP]
    master = loader.load_configuration("config", ["study=master"], run_mode=RunMode.MULTIRUN)
    composer = Composer(loader, master)
    fast = [to_dict(composer.compose(overrides)) for overrides in sweep * 2]
    for overrides, cell, again in zip(sweep, fast, fast[len(sweep) :], strict=False):
        whole = loader.load_sweep_config(master, list(overrides))
        HydraConfig.instance().set_config(whole)
        assert cell == again == to_dict(whole), overrides


@pytest.mark.parametrize(
    "overrides",
    [
        ["head.dropuot=1"],
        ["sed=1"],
        ["head=wize"],
        ["~head.nothing"],
        ["seed"],
        ["seed.x=1"],
        ["dataset.extra=2", "+dataset.extra=1"],
        ["~trainer.deterministic", "trainer.deterministic=false"],
    ],
)
def test_the_same_errors(loader: ConfigLoader, overrides: list[str]) -> None:
    master = loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
    with pytest.raises(HydraException) as theirs:
        loader.load_sweep_config(master, overrides)
    with pytest.raises(HydraException) as ours:
        Composer(loader, master).compose(overrides)
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value) == str(theirs.value)


def test_only_what_hydra_alone_can_do_costs_a_composition(loader: ConfigLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))
    composed: list[list[str]] = []
    load = loader.load_sweep_config
    monkeypatch.setattr(loader, "load_sweep_config", lambda whole, own: composed.append(own) or load(whole, own))
    for seed in range(20):
        for head in ("gap", "wise"):
            composer.compose([f"head={head}", "+dataset.extra=1", f"seed={seed}", "head.dropout=0.5"])
    assert composed == [["head=gap", "+dataset.extra=1"], ["head=wise", "+dataset.extra=1"]]


def test_every_combination_the_last_key_varying_fastest(loader: ConfigLoader) -> None:
    def cells(*overrides: str) -> list[list[str]]:
        return combinations(OverridesParser.create(config_loader=loader).parse_overrides(list(overrides)))

    assert cells("head=wise,gap", "study=x", "seed=range(0,2)") == [
        ["head=wise", "study=x", "seed=0"],
        ["head=wise", "study=x", "seed=1"],
        ["head=gap", "study=x", "seed=0"],
        ["head=gap", "study=x", "seed=1"],
    ]
    assert cells("seed=0,1", "+head.extra=a,b", "seed=7") == [["seed=7", "+head.extra=a"], ["seed=7", "+head.extra=b"]]
    assert cells("study='a,b'", "dataset.root='some/my images'") == [["study='a,b'", "dataset.root='some/my images'"]]
    assert cells() == [[]]
    with pytest.raises(UserError, match=r"seed=interval\(0,1\)"):
        cells("seed=interval(0,1)")


@pytest.mark.parametrize("given", ["resolution=64,96", "resolution.size=64,96"])
@pytest.mark.parametrize("swept", ["resolution", "resolution.size"])
def test_sizes_of_a_command_stand_in_place_of_an_experiment_s_by_either_name(
    loader: ConfigLoader, given: str, swept: str
) -> None:
    asked = OverridesParser.create(config_loader=loader).parse_overrides(["experiment=size", given])
    params = {swept: "224,512", "head": "gap,wise", "recipe.optimizer.lr": "0.1,0.2"}
    assert replaced(params, asked) == {key: values for key, values in params.items() if key != swept}
    assert replaced(params, asked[:1]) == params


def test_what_options_share_is_nothing_to_sweep_over(loader: ConfigLoader) -> None:
    parser = OverridesParser.create(config_loader=loader)
    assert combinations(parser.parse_overrides(["recipe=glob(*)"])) == [[f"recipe={name}"] for name in options("recipe")]
    composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))
    with pytest.raises(UserError, match="no trainer is called '_base'.*auto, cpu, ddp, gpu"):
        composer.compose(["trainer=_base", "seed=1"])


def test_nothing_private_of_hydra_is_used() -> None:
    """What composes, sweeps and explains stands on hydra.core, hydra.plugins and hydra.errors, which 1.3.2 and 1.3.8 share."""
    assert hydra.__version__.startswith("1.3.")
    for folder in ("wisesr", "hydra_plugins", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            private = re.findall(
                r"(?:from|import) hydra\._\w+|\b(?:ConfigLoader|Override|OmegaConf)\w*\._\w+", path.read_text()
            )
            assert not private, path


def test_several_experiments_are_refused_as_none_of_them_would_be_swept(loader: ConfigLoader) -> None:
    parser = OverridesParser.create(config_loader=loader)
    refuse_several_experiments(parser.parse_overrides(["experiment=paper_intel", "head=wise,gap"]))
    with pytest.raises(UserError, match="experiment=paper_intel,digits_heads"):
        refuse_several_experiments(parser.parse_overrides(["seed=0,1", "experiment=paper_intel,digits_heads"]))


def test_a_key_that_only_one_of_the_swept_recipes_has(loader: ConfigLoader) -> None:
    composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))
    with pytest.raises(HydraException) as caught:
        composer.compose(["recipe=quick", "recipe.optimizer.lr_in_velocity=true"])
    message = explain(caught.value, ["-m", "recipe=paper,quick", "recipe.optimizer.lr_in_velocity=true"])
    assert "recipe=quick has no key 'optimizer.lr_in_velocity'" in message
    assert message.endswith("recipe=modern_sgd, recipe=paper"), "the recipes that have it"


def test_a_misspelt_key_is_held_against_what_the_experiment_chose(loader: ConfigLoader) -> None:
    overrides = ["experiment=paper_intel", "augment.contrast_strech=true,false"]
    composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))
    with pytest.raises(HydraException) as caught:
        composer.compose(["experiment=paper_intel", "augment.contrast_strech=true"])
    assert "no key of augment is called 'contrast_strech'. Did you mean contrast_stretch?" in explain(caught.value, overrides)
