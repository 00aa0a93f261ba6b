"""Sheets of several pictures: every map and picture has its words, colours are those of one scale, names are text."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from wisesr.report.disagreement import Case, Disagreement, MeanPrediction
from wisesr.report.evidence.rows import ByRun
from wisesr.report.evidence.scales import AGAINST, FOR
from wisesr.report.evidence.sheets import SheetColumn, disagreement_sheet, heads_sheet
from wisesr.report.evidence.tiles import png_of
from wisesr.results.explanation import ClassMaps, Explanation

NAME = "<b>&cow"


def run(head: str, label: str, predicted: str, largest: float, *, linear: bool = True) -> ByRun:
    """Evidence of one number for the class and one against it."""
    plane = np.zeros((3, 3))
    plane[0, 0], plane[2, 2] = largest, -0.1
    maps = ClassMaps(label, 0.9, 1.0, 1.0, plane if linear else None, 0.0 if linear else None, None)
    view = np.full((32, 32, 3), 128, np.uint8)
    return ByRun(head, "32-true", Explanation(view, predicted, 0.875, (maps,), None))


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


def test_heads_and_classes_are_named_and_one_scale_holds_all() -> None:
    heads = ("gap", "wise")
    columns = [
        SheetColumn(NAME, tuple(run(head, NAME, NAME, 0.25) for head in heads)),
        SheetColumn("7", tuple(run(head, "7", "7" if head == "wise" else "1", 0.5) for head in heads)),
    ]
    svg = heads_sheet(columns)
    said = words(svg)
    assert said[:3] == ["the picture", f"true class: {NAME}", "true class: 7"]
    assert said[3:7] == ["gap", "1 of 2 right", "right, 0.88", "wrong: says 1, 0.88"]
    assert said[7:11] == ["wise", "2 of 2 right", "right, 0.88", "right, 0.88"]
    assert said[11:] == ["\N{MINUS SIGN}0.5", "0", "+0.5", "logits per position", "evidence"]
    strongest, half = (re.findall(f'fill="{FOR}" fill-opacity="([.0-9]+)"', svg) for _ in range(2))
    assert strongest.count("0.860") >= 2 and half.count(f"{0.86 * 0.5**0.75:.3f}") >= 2, "on the scale of the largest number"
    assert AGAINST in svg
    assert Image.open(io.BytesIO(png_of(svg))).size[0] > 500


def test_a_head_without_evidence_says_so() -> None:
    svg = heads_sheet([SheetColumn("7", (run("gem", "7", "7", 1.0, linear=False),))])
    assert words(svg) == ["the picture", "true class: 7", "gem", "1 of 1 right", "right, 0.88", "its head is not linear"]


@pytest.mark.parametrize("there", [True, False])
def test_what_two_heads_say_of_each_picture(there: bool) -> None:
    sure, doubt = MeanPrediction("cow", 0.9, 0.9), MeanPrediction(NAME, 0.6, 0.25)
    cases = tuple(Case(f"{number}.png", "cow", doubt, sure) for number in range(6))
    one = Disagreement(cast(Any, SimpleNamespace(head="wise")), "gap", (0,), cases, (Case("9.png", "cow", sure, doubt),))

    def load(name: str) -> Image.Image:
        if name == "1.png":
            raise OSError
        return Image.new("RGB", (20, 10))

    svg = disagreement_sheet(one, load if there else None)
    said = words(svg)
    assert said[:5] == ["wise is surer", "4 pictures", "true class: cow", f"gap: {NAME}, 0.60", "(0.25 for cow)"]
    assert said.count("wise: cow, 0.90") == 4 and said.count("gap: cow, 0.90") == 1 and "gap is surer" in said
    assert svg.count("<image") == (4 if there else 0), "three of four, and the other side's"
