"""What else a head is called on its map, and the sentence of it in a cell's log."""

from __future__ import annotations

from typing import Any

import torch

from wisesr.build.create import head_node
from wisesr.build.same_heads import built_head, head_sentences
from wisesr.types import FeatureShape


def node(name: str, **settings: Any) -> dict[str, Any]:
    return {"name": name, **head_node(name, settings)}


def names(head: dict[str, Any], extent: int) -> tuple[str, ...]:
    built = built_head(head, FeatureShape(64, extent, extent), 5)
    assert built is not None
    return built.names


def test_names_of_conf_with_the_fewest_changes() -> None:
    """In mathematics: which setting makes which head of which."""
    assert names(node("wise"), 4) == ("depthwise_nonneg",)
    assert names(node("wise"), 5) == ()
    assert names(node("wise", pre_pool=1), 7) == ("depthwise_nonneg",)
    assert names(node("wise", non_negative="none"), 2) == ("depthwise",)
    assert names(node("wise_dropout"), 4) == ("depthwise_nonneg with head.dropout=0.5",)
    assert names(node("wise", non_negative="softplus"), 3) == ("depthwise with head.non_negative=softplus",)
    assert names(node("gap", dropout=0.5), 7) == ("gap_dropout",)
    assert names(node("gap_dropout", dropout=0.0), 7) == ("gap",)
    assert names(node("gap"), 7) == ()
    assert names(node("gap"), 1) == ("flatten", "max")


def test_only_the_head_that_is_made_to_average_skips_it() -> None:
    shape = FeatureShape(64, 2, 2)
    skips = {name: built_head(node(name), shape, 5) for name in ("wise", "depthwise_nonneg", "flatten", "gap")}
    assert [built.skips_average for built in skips.values() if built] == [True, False, False, False]


def test_somebody_elses_head_is_not_built() -> None:
    """Which could take its memory for it, and could not be told from others."""
    assert built_head({"name": "mine", "_target_": "nowhere.Head"}, FeatureShape(64, 2, 2), 5) is None


def test_the_sentence_of_the_log() -> None:
    config = {"head": node("wise"), "backbone": {"name": "resnet18"}, "resolution": {"size": 128}}
    before = torch.get_rng_state()
    (sentence,) = head_sentences(config, FeatureShape(512, 4, 4), 10)
    assert torch.equal(torch.get_rng_state(), before), "the cell's own numbers are drawn as without it"
    assert sentence == (
        "On the 4x4 map of resnet18 at 128 px, wise averages nothing before its kernel: it is depthwise_nonneg, "
        "one computation under two names"
    )
    assert head_sentences(config, FeatureShape(512, 7, 7), 10) == []
    place, twin = head_sentences(config | {"head": node("gap")}, FeatureShape(512, 1, 1), 10)
    assert "no head can tell where a feature fires" in place
    assert "gap is flatten and max, one computation under 3 names" in twin
