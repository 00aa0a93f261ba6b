"""Composing once for each combination of groups gives what Hydra gives for every cell by itself."""

from __future__ import annotations

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_automatic_config_search_path
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode

from hydra_plugins.wisesr_grid.composer import Composer
from hydra_plugins.wisesr_grid.launcher import refuse_several_experiments
from wisesr.config.command_line import quote_choices
from wisesr.config.files import register_resolvers, to_dict
from wisesr.config.hydra_errors import explain
from wisesr.config.options import conf_dir
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
]


@pytest.fixture
def loader() -> ConfigLoaderImpl:
    setup_globals()
    register_resolvers()
    return ConfigLoaderImpl(create_automatic_config_search_path(None, None, str(conf_dir())))


def test_the_same_as_hydra(loader: ConfigLoaderImpl) -> None:
    sweep = [quote_choices(overrides) for overrides in SWEEP]
    master = loader.load_configuration("config", ["study=master"], run_mode=RunMode.MULTIRUN)
    composer = Composer(loader, master)
    fast = [to_dict(composer.compose(overrides)) for overrides in sweep * 2]
    for overrides, one, again in zip(sweep, fast, fast[len(sweep) :], strict=False):
        whole = loader.load_sweep_config(master, list(overrides))
        HydraConfig.instance().set_config(whole)
        assert one == again == to_dict(whole), overrides


@pytest.mark.parametrize("override", ["head.dropuot=1", "sed=1", "head=wize", "~head.nothing", "seed"])
def test_the_same_errors(loader: ConfigLoaderImpl, override: str) -> None:
    master = loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN)
    with pytest.raises(HydraException) as theirs:
        loader.load_sweep_config(master, [override])
    with pytest.raises(HydraException) as ours:
        Composer(loader, master).compose([override])
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value) == str(theirs.value)


def test_several_experiments_are_refused_as_none_of_them_would_be_swept(loader: ConfigLoaderImpl) -> None:
    parser = OverridesParser.create(config_loader=loader)
    refuse_several_experiments(parser.parse_overrides(["experiment=paper_intel", "head=wise,gap"]))
    with pytest.raises(UserError, match="experiment=paper_intel,digits_heads: an experiment is a sweep of its own"):
        refuse_several_experiments(parser.parse_overrides(["seed=0,1", "experiment=paper_intel,digits_heads"]))


def test_a_key_that_only_one_of_the_swept_recipes_has(loader: ConfigLoaderImpl) -> None:
    composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))
    with pytest.raises(HydraException) as caught:
        composer.compose(["recipe=quick", "recipe.optimizer.lr_in_velocity=true"])
    message = explain(caught.value, ["-m", "recipe=paper,quick", "recipe.optimizer.lr_in_velocity=true"])
    assert "recipe=quick has no key 'optimizer.lr_in_velocity'" in message
    assert message.endswith("recipe=modern_sgd, recipe=paper"), "the recipes that have it"


def test_a_misspelt_key_is_held_against_what_the_experiment_chose(loader: ConfigLoaderImpl) -> None:
    overrides = ["experiment=paper_intel", "augment.contrast_strech=true,false"]
    composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))
    with pytest.raises(HydraException) as caught:
        composer.compose(["experiment=paper_intel", "augment.contrast_strech=true"])
    assert "no key of augment is called 'contrast_strech'. Did you mean contrast_stretch?" in explain(caught.value, overrides)
