"""Heads are told apart by everybody: in colour, against the ground, and by shape."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from wisesr.config.options import options
from wisesr.report.figures.figure import Section
from wisesr.report.figures.style import HEADS, PLACES, by_head, color, config, places

SECTIONS: tuple[Section, ...] = ("confusion", "kernels", "cost", "convergence")

# Machado, Oliveira and Fernandes 2009, table 1 at severity 1.0: how those see who lack a kind of cone; on linear RGB.
SIGHTS = {
    "all cones": np.eye(3),
    "no red": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "no green": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "no blue": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def linear(color: str) -> NDArray[np.float64]:
    """Linear RGB of `#rrggbb` (IEC 61966-2-1)."""
    value = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB under D65."""
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])
    t = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_differ_for_all_eyes(sight: str, theme: str) -> None:
    """A difference of 2.3 in CIELAB is just noticeable; five times that is seen without looking for it."""
    seen = [lab(SIGHTS[sight] @ linear(shown)) for shown in HEADS[theme]]  # type: ignore[index]
    assert min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(seen, 2)) > 11.5


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#14171b")])
def test_colours_stand_out_from_their_ground(theme: str, ground: str) -> None:
    """Contrast as WCAG 2.2 has it, 3 for graphics (1.4.11); words, which need 4.5, are never written in these colours."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    under = float(weights @ linear(ground))
    for shown in HEADS[theme]:  # type: ignore[index]
        over = float(weights @ linear(shown))
        assert (max(over, under) + 0.05) / (min(over, under) + 0.05) > 3
    over = float(weights @ linear(config(theme)["text"]["color"]))  # type: ignore[arg-type]
    assert (max(over, under) + 0.05) / (min(over, under) + 0.05) > 7


def looks(order: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and shape of each head of a study, as a figure draws them."""
    drawn = by_head(order, order, 480)
    known, shapes = drawn["shape"]["scale"]["domain"], drawn["shape"]["scale"]["range"]
    assert known == drawn["color"]["scale"]["domain"] and len(set(known)) == len(known)
    return {head: (color(head, order), shapes[known.index(head)]) for head in order}


def test_46_heads_differ_in_colour_or_shape() -> None:
    heads = [*options("head"), *(f"head{index}" for index in range(46 - len(options("head"))))]
    assert len(set(looks(heads).values())) == len(heads) == 46


def test_heads_that_are_held_against_each_other_differ_in_colour() -> None:
    drawn = looks(options("head"))
    together = (
        ("gap", "wise", "wise_average", "gap_scale", "gap_valid", "wise_shuffled_images", "wise_frozen", "wise_unconstrained"),
        ("gap", "wise", "depthwise_nonneg", "depthwise", "wise_dropout", "gap_dropout", "wise_average"),
        ("gap", "wise", "depthwise", "depthwise_average", "wise_average"),
        ("gap", "wise", "wise_shuffled", "wise_shuffled_images", "wise_average", "wise_frozen"),
    )
    for heads in together:
        assert len({drawn[head][0] for head in heads}) == len(heads), heads


def test_no_head_of_a_user_is_drawn_in_the_colour_of_gap_or_wise() -> None:
    """Whatever its place: one would look for the baseline there."""
    order = ["gap", "wise", *(f"mine{index}" for index in range(22))]
    drawn = looks(order)
    assert not {drawn[head][0] for head in order[2:]} & {drawn["gap"][0], drawn["wise"][0]}


def test_a_head_has_one_colour_in_every_study() -> None:
    """Whatever stands beside it, and whatever others are compared with."""
    for order in (("gap", "wise"), ("wise",), ("depthwise", "wise", "max"), ("wise", "mine", "yours")):
        assert color("wise", order) == HEADS["light"][1]
        assert color("wise", order, "dark") == HEADS["dark"][1]


def test_the_first_variant_of_a_head_is_drawn_as_the_head() -> None:
    order = ("gap", "wise dropout=0.2", "wise dropout=0.3", "mine")
    assert color("wise dropout=0.2", order) == color("wise", ("wise",))
    assert [head for head in places(order)[len(PLACES) :] if head in order] == ["wise dropout=0.3", "mine"]
    assert len(set(places(order))) == len(places(order))
    assert "wise dropout=0.3" in places(("wise", "wise dropout=0.3"))[len(PLACES) :]


def test_settings_that_an_option_has_are_drawn_as_the_option() -> None:
    """Two starts of one head, whichever comes first, beside the options that have them or not."""
    starts = ("gap", "wise init=average", "wise init=normal")
    drawn, named = looks(starts), looks(("wise", "wise_average"))
    assert (drawn["wise init=normal"], drawn["wise init=average"]) == (named["wise"], named["wise_average"])
    beside = looks((*starts, "wise_average"))
    assert beside["wise_average"] == named["wise_average"] and len(set(beside.values())) == 4
    others = looks(("simpool gamma=2.0", "simpool gamma=null", "wise dropout=0.5", "mine size=3"))
    assert others["simpool gamma=null"] == looks(("simpool",))["simpool"]
    assert others["wise dropout=0.5"] == looks(("wise_dropout",))["wise_dropout"]
    assert len(set(others.values())) == 4


def test_every_head_of_the_package_has_a_colour_among_its_fellows() -> None:
    assert set(options("head")) - set(PLACES) == set()
    assert set(PLACES[:8]) >= {"gap", "wise", "wise_dropout", "depthwise", "depthwise_nonneg", "gap_dropout"}
