"""What else a head is called on its map, and the sentence of it in a cell's log."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from wisesr.build.create import head_node
from wisesr.build.head_sentences import dropped_sentence, head_sentences
from wisesr.build.same_heads import Dropped, built_head, dropped_on
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
    assert names(node("wise", non_negative="none"), 2) == ("depthwise", "wise_unconstrained")
    assert names(node("wise_unconstrained"), 4) == ("depthwise",)
    assert names(node("wise_average"), 4) == ("depthwise_average with head.non_negative=projection",)
    assert names(node("wise_frozen"), 4) == ("depthwise_nonneg with head.learnable=false",)
    assert names(node("gap_valid"), 4) == ("gap",)
    assert names(node("depthwise"), 4) == (), "what wise would be if it averaged nothing is not told of who never averages"
    assert names(node("wise_shuffled"), 4) == (), "it is wise in mathematics alone"
    assert names(node("wise_dropout"), 4) == ("depthwise_nonneg with head.dropout=0.5",)
    assert names(node("wise", non_negative="softplus"), 3) == ("depthwise with head.non_negative=softplus",)
    assert names(node("gap", dropout=0.5), 7) == ("gap_dropout",)
    assert names(node("gap_dropout", dropout=0.0), 7) == ("gap",)
    assert names(node("gap"), 7) == ()
    assert names(node("gap"), 1) == ("max",)
    assert names(node("flatten"), 1) == ("gap", "gap_valid", "max")


def test_only_the_head_that_is_made_to_average_skips_it() -> None:
    shape = FeatureShape(64, 2, 2)
    heads = ("wise", "wise_average", "wise_unconstrained", "wise_frozen", "depthwise_nonneg", "flatten", "gap", "gap_valid")
    skips = {name: built_head(node(name), shape, 5) for name in heads}
    assert [name for name, built in skips.items() if built and built.skips_average] == list(heads[:4])


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
    assert head_sentences(config, FeatureShape(512, 8, 8), 10) == []
    place, twin = head_sentences(config | {"head": node("gap")}, FeatureShape(512, 1, 1), 10)
    assert "no head can tell where a feature fires" in place
    assert "gap is max, one computation under two names" in twin


def test_what_averaging_leaves_out_stands_in_the_log() -> None:
    """By counting: 49 positions, of which windows of 2x2 hold 36."""
    config = {"head": node("wise"), "backbone": {"name": "resnet50"}, "resolution": {"size": 224}}
    (sentence,) = head_sentences(config, FeatureShape(2048, 7, 7), 70)
    assert sentence == (
        "On the 7x7 map of resnet50 at 224 px, wise averages 2x2 windows and never sees the last row and column, 26.5 % of the "
        "positions, as in the paper; head.pre_pool_mode=ceil averages them too"
    )
    assert head_sentences(config | {"head": node("wise", pre_pool_mode="ceil")}, FeatureShape(2048, 7, 7), 70) == []
    (sentence,) = head_sentences(config | {"head": node("gap_valid")}, FeatureShape(2048, 7, 7), 70)
    assert sentence.endswith("26.5 % of the positions"), "which it is made for"
    (sentence,) = head_sentences(config | {"head": node("wise_shuffled_images")}, FeatureShape(2048, 7, 7), 70)
    assert "wise_shuffled_images averages 2x2 windows of permuted positions and never sees 26.5 % of them;" in sentence


def test_how_much_is_dropped_by_counting() -> None:
    for height, width, window in ((5, 5, 2), (7, 8, 3), (11, 6, 4), (16, 16, 3), (6, 6, 3)):
        kept = sum(
            row // window < height // window and column // window < width // window
            for row in range(height)
            for column in range(width)
        )
        found = dropped_on(node("flatten", pre_pool=window), FeatureShape(2, height, width))
        share = 1 - kept / (height * width)
        assert (found.share if found else 0) == pytest.approx(share)
        assert found is None or (found.rows, found.columns) == (height % window, width % window)
    assert dropped_on(node("gap"), FeatureShape(2, 7, 7)) is None


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [(2, 2, "the last 2 rows and columns"), (0, 1, "the last column"), (1, 2, "the last row and 2 columns")],
)
def test_edges_in_words(rows: int, columns: int, said: str) -> None:
    sentence = dropped_sentence(["wise", "flatten", "fc"], Dropped(3, rows, columns, 0.25, by_choice=True))
    assert (
        sentence == f"wise, flatten and fc average 3x3 windows and never see {said}, 25.0 % of the positions, as in the paper"
    )


def test_controls_that_control_nothing_say_so() -> None:
    config = {"backbone": {"name": "resnet18"}, "resolution": {"size": 128}}

    def said(name: str, extent: int, **settings: object) -> list[str]:
        return head_sentences(config | {"head": node(name, **settings)}, FeatureShape(512, extent, extent), 10)

    (sentence,) = said("wise_shuffled", 4)
    assert sentence.endswith(
        "wise_shuffled averages no neighbours, so that permuting them once changes nothing: it is wise, drawn anew"
    )
    assert said("wise_shuffled", 8) == said("wise_shuffled_images", 4) == []
    (sentence,) = said("gap_valid", 8)
    assert sentence.endswith("gap_valid drops nothing: it is gap, but for last digits")
