"""What the table must show beside its own columns."""

from __future__ import annotations

import copy
from typing import Any

from wisesr.config.axes import leaves, settings


def changed(config: dict[str, Any], group: str, **values: Any) -> dict[str, Any]:
    other = copy.deepcopy(config)
    other[group] |= values
    return other


def test_leaves_are_dotted() -> None:
    assert leaves({"a": {"b": 1, "c": {"d": None}}, "e": {}}) == {"a.b": 1, "a.c.d": None, "e": {}}


def test_only_what_the_names_do_not_tell(config: dict[str, Any]) -> None:
    assert settings([config]) == [""]
    assert settings([config, config | {"seed": 1}, changed(config, "head", name="gap", dropout=0.0)]) == ["", "", ""]
    assert settings([config, changed(config, "head", dropout=0.5)]) == ["head.dropout=0.25", "head.dropout=0.5"]
    assert settings([config, changed(config, "recipe", epochs=9, batch_size=8)])[1] == "recipe.epochs=9 recipe.batch_size=8"
    sgd = {"_target_": "wisesr.training.optimizers.sgd", "lr": 0.002, "weight_decay": 0.01}
    assert settings([config, changed(config, "recipe", optimizer=sgd)]) == [
        "recipe.optimizer=adamw recipe.optimizer.weight_decay_on=weights",
        "recipe.optimizer=sgd",
    ]
    assert settings([config, changed(config, "backbone", weights="/a/b/c/d/best.ckpt")]) == [
        "backbone.weights=null",
        "backbone.weights=.../d/best.ckpt",
    ]
    assert settings([config, config | {"protocol": "paper"}]) == ["protocol=holdout", "protocol=paper"]


def test_other_studies_and_loggers_are_no_axes(config: dict[str, Any]) -> None:
    other = changed(config, "head", dropout=0.5) | {"study": "other", "logger": {"csv": {}}}
    assert settings([config, other]) == ["", ""]
