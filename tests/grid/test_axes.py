"""What the table must show beside its own columns."""

from __future__ import annotations

import copy
from typing import Any

from wisesr.grid.axes import extra_axes, leaves


def changed(config: dict[str, Any], group: str, **values: Any) -> dict[str, Any]:
    other = copy.deepcopy(config)
    other[group] |= values
    return other


def test_leaves_are_dotted() -> None:
    assert leaves({"a": {"b": 1, "c": {"d": None}}, "e": {}}) == {"a.b": 1, "a.c.d": None, "e": {}}


def test_only_what_the_columns_do_not_tell(config: dict[str, Any]) -> None:
    assert extra_axes([config]) == []
    assert extra_axes([config, config | {"seed": 1}, changed(config, "head", name="gap", dropout=0.0)]) == []
    assert extra_axes([config, changed(config, "head", dropout=0.5)]) == ["head.dropout"]
    assert extra_axes([config, changed(config, "recipe", epochs=9, batch_size=8)]) == ["recipe.epochs", "recipe.batch_size"]
    assert extra_axes([config, config | {"protocol": "paper"}]) == ["protocol"]
