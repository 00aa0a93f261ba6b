"""The first sentence of a study that was made to choose a head: which, by how much, how sure; or what would have been found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.compared import LR, data, write
from wisesr.report.claims.declared import PAPER
from wisesr.report.read import read_study
from wisesr.report.tables.claim_block_sentences import headline, unanswered
from wisesr.report.whole_study import Study

RATES = {0.001: -0.02, 0.004: 0.0}
"""Their effects, on validation and test."""
WAVE = (0.0, 0.01, -0.01, 0.02, -0.02)
"""Of replicates, or of a head's differences between them."""


def study(root: Path, gains: Mapping[str, float], *, rates: Mapping[float, float] = RATES, spread: float = 0.1) -> Study:
    """Replicates with test images of their own; gains are shares of top-1 over gap."""
    for number, base in enumerate(WAVE):
        for place, (head, gain) in enumerate({"gap": 0.0, **gains}.items()):
            own = spread * WAVE[(number + place) % len(WAVE)] if place else 0.0
            for rate, effect in rates.items():
                share = 0.8 + base + gain + own + effect
                changes = {LR: rate, "replicate": number, "dataset.split_seed": number}
                settings = {"changes": changes, "images": 1000, "first": 1000 * number}
                write(root, head, number, share, provenance=data(str(number), 1000), **settings)
    return read_study([root])


def first(found: Study) -> tuple[str, str]:
    (block,) = found.claims
    (known,) = headline(block)
    return known.text, known.detail


def test_the_better_head_is_named_with_its_interval(tmp_path: Path) -> None:
    found = study(tmp_path, {"wise": 0.05, "gem": 0.02, "depthwise": -0.04})
    text, detail = first(found)
    (table,) = found.tables
    (wise,) = (entry.difference for entry in table.entries if entry.head == "wise")
    assert wise is not None
    assert text.startswith("Take wise: on toy at 64 px it is better than gap, +5.00 points of test top-1 (95 % interval +")
    assert [float(end) for end in re.findall(r"\+([\d.]+)", text)] == pytest.approx([wise.mean, wise.low, wise.high], abs=0.005)
    assert "Better than gap, too: gem (+2.00). Between these heads nothing is tested." in detail
    assert "Worse than gap: depthwise (\N{MINUS SIGN}4.00)." in detail
    assert "at the best of 2 learning rates, chosen on held-out images in each of 5 replicates" in detail


def test_where_nothing_is_found_the_baseline_stays_and_what_would_have_been_found_is_told(tmp_path: Path) -> None:
    text, detail = first(study(tmp_path, {"wise": 0.004, "gem": -0.003}, spread=1.0))
    assert text.startswith(
        "Keep gap for now: on toy at 64 px no head is found to be better, and the best of 2 others, wise, has +0.40"
    )
    assert re.match(r"A true difference of [\d.]+ points would have been found in 80 % of such studies; smaller ones", detail)


def test_where_all_others_are_worse_that_is_said(tmp_path: Path) -> None:
    text, _ = first(study(tmp_path, {"wise": -0.02, "gem": -0.05}))
    assert text.startswith(
        "Keep gap: on toy at 64 px all 2 other heads are worse, wise by the least, \N{MINUS SIGN}2.00 points"
    )


def test_a_higher_mean_that_may_be_chance_is_told_beside_the_head_to_take(tmp_path: Path) -> None:
    found = study(tmp_path, {"wise": 0.03})
    for number, share in enumerate((0.99, 0.7, 0.97, 0.99, 0.72)):
        for rate in RATES:
            changes = {LR: rate, "replicate": number, "dataset.split_seed": number}
            own = {"images": 1000, "first": 1000 * number, "provenance": data(str(number), 1000)}
            write(tmp_path, "gem", number, share, changes=changes, **own)
    text, detail = first(read_study(found.roots))
    assert text.startswith("Take wise: ")
    assert detail.startswith("That gem (+7.40) has the highest mean may be chance. Of the other a true difference of ")


def test_other_studies_begin_with_their_first_claim(tmp_path: Path) -> None:
    """One rate; two rows; questions of one's own."""
    one_rate = study(tmp_path / "one", {"wise": 0.05}, rates={0.004: 0.0})
    assert first(one_rate)[0].startswith("Supported: wise has a higher test top-1 than gap")
    study(tmp_path / "asked", {"wise": 0.05})
    asked = read_study([tmp_path / "asked"], claims=PAPER)
    assert first(asked)[0].startswith("Supported: wise has")
    (block,) = read_study([tmp_path / "asked"]).claims
    assert first(read_study([tmp_path / "asked"]))[0].startswith("Take wise")
    assert len(unanswered(block)) >= len(unanswered(asked.claims[0]))
