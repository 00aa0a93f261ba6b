"""Scales of maps, and their colours: signed evidence around 0, amounts from 0 on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from wisesr.report.tables.numbers import typographic
from wisesr.results.explanation import Map

Kind = Literal["evidence", "grad_cam", "attention"]
FOR, AGAINST, AMOUNT = "#ff7a14", "#1f7bff", "#a428d8"
"""Orange for a class, blue against it, violet for amounts: told apart by every kind of eye, on any grey of a photograph."""
_MOST = 0.86
"""Opacity of the strongest colour: the photograph stays visible below it."""
_BEND = 0.75
"""Below 1, so that a weak colour is seen on a busy photograph; the bar beside the maps is bent the same."""


class Scale(NamedTuple):
    """What the strongest colour means."""

    kind: Kind
    largest: float
    """The number at its end, which no number of its maps exceeds; above 0."""
    by_area: bool = False
    """Whether numbers are of a hundredth of the picture: maps of several extents cut it into cells of several sizes."""
    nothing: bool = False
    """Whether all numbers are 0: no colour is seen, whatever stands at the ends."""

    @property
    def signed(self) -> bool:
        """Whether it goes from -largest to largest, or from 0."""
        return self.kind == "evidence"

    @property
    def unit(self) -> str:
        """What is counted."""
        words = {"evidence": "logits", "grad_cam": "Grad-CAM, no unit", "attention": "share of the attention"}[self.kind]
        if self.nothing:
            return f"{words}: 0 everywhere"
        return words + (" per 1 % of the picture" if self.by_area else " per position" * (self.kind != "grad_cam"))

    def numbers(self, plane: Map) -> Map:
        """A map in the scale's unit."""
        return plane * (plane.size / 100 if self.by_area else 1.0)

    def colour(self, number: float) -> tuple[str, float]:
        """Colour and opacity, from 0 to 1, of a number in the scale's unit."""
        share = max(-1.0, min(1.0, number / self.largest))
        name = AMOUNT if not self.signed else FOR if share >= 0 else AGAINST
        return name, _MOST * abs(share) ** _BEND

    def ticks(self) -> tuple[float, float, float]:
        """Numbers that stand beside its colours: at the left end, in the middle, at the right end."""
        return (-self.largest, 0.0, self.largest) if self.signed else (0.0, self.largest / 2, self.largest)


def common_scale(kind: Kind, maps: Sequence[Map]) -> Scale | None:
    """One scale for maps, its end rounded up to two digits; None of no maps.

    Maps of one extent are shown as they are. Of several, a cell of the finer one is a smaller piece of the picture and holds a
    smaller part of the sum: numbers are then of a hundredth of the picture's area. Grad-CAM, an intensity, is left as it is.
    """
    if not maps:
        return None
    scale = Scale(kind, 1.0, by_area=kind != "grad_cam" and len({plane.shape for plane in maps}) > 1)
    largest = max(float(np.abs(scale.numbers(plane)).max()) for plane in maps)
    return scale._replace(largest=_rounded_up(largest) if largest > 0 else 1.0, nothing=largest == 0)


def _rounded_up(number: float) -> float:
    """To two digits, `0.3471` to `0.35`; above 0."""
    step = 10.0 ** (math.floor(math.log10(number)) - 1)
    up = math.ceil(number / step - 1e-9) * step
    return float(f"{up:.2g}")


def short(number: float, *, signed: bool = False) -> str:
    """`+0.35`, `-1.2`, `0`, with a true minus sign."""
    text = f"{number:{'+' if signed and number else ''}.3g}" if abs(number) >= 1e-12 else "0"
    return typographic(text)
