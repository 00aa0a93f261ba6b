"""The baseline, the project's heads, the others: the same order in every study."""

from __future__ import annotations

import itertools

import pytest

from wisesr.config.options import options
from wisesr.results.head_order import KNOWN, in_order


@pytest.mark.parametrize("heads", list(itertools.permutations(("depthwise", "wise_dropout", "mine", "wise", "gap"))))
def test_whatever_order_they_come_in(heads: tuple[str, ...]) -> None:
    assert in_order(heads) == ("gap", "wise", "wise_dropout", "depthwise", "mine")
    assert in_order(heads, "depthwise") == ("depthwise", "wise", "wise_dropout", "gap", "mine")
    assert in_order(heads, "wise_dropout") == ("wise_dropout", "wise", "depthwise", "gap", "mine")


def test_variants_stand_with_their_head() -> None:
    heads = ("zeta", "wise dropout=0.5", "depthwise", "wise", "wise_mine", "gap pre_pool=2", "gap", "wiser")
    assert in_order(heads) == ("gap", "wise", "wise dropout=0.5", "wise_mine", "depthwise", "gap pre_pool=2", "wiser", "zeta")


def test_settings_stand_by_their_numbers() -> None:
    assert in_order(["wise pre_pool=10", "wise pre_pool=2", "mine size=10", "mine size=9"]) == (
        *("wise pre_pool=2", "wise pre_pool=10"),
        *("mine size=9", "mine size=10"),
    )


def test_each_stands_once_and_none_is_lost() -> None:
    heads = [*options("head"), "mine"]
    assert sorted(in_order([*heads, *heads])) == sorted(heads)
    assert in_order([]) == ()


def test_every_head_of_the_package_has_its_place() -> None:
    assert sorted(KNOWN) == options("head")


def test_starts_and_controls_stand_with_the_head_that_they_are_controls_of() -> None:
    heads = in_order([*options("head"), "wise_mine", "mine"])
    assert heads[:3] == ("gap", "wise", "wise_dropout")
    own = [head.startswith("wise") for head in heads]
    assert own.index(True) == 1 and not any(own[own.index(False, 1) :])
    assert heads.index("wise_mine") == sum(own) and heads[-1] == "mine"
    for one, after in (("depthwise_average", "depthwise"), ("gap_scale", "gap_dropout"), ("gap_valid", "gap_scale")):
        assert heads.index(one) == heads.index(after) + 1
