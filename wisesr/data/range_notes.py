"""What is odd about grey values of more than 8 bits, and about colours of as many, in a whole dataset. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wisesr.data.contents import DEPTHS, Contents
from wisesr.data.grey_levels import Range, range_top
from wisesr.wording import count_of, some_of

_DARK = 1 / 8
"""Of the range: what lies below it as a whole was most likely stored with fewer bits."""
_FAINT = 1 / 32
"""Of a range: values that all lie below it were hardly stored for it."""
_MANY = 1 / 10
"""Of the deep images: as many dark ones among bright ones are worth a word, and so is every class that is dark as a whole."""
_SEEN = 0.5 / 255
"""Of the range: values less than this below 0 are black anyhow."""
_SHOWN = 5
_RANGES: tuple[Range, ...] = ("auto", "float", 8, 12, 16)
"""What may be proposed, the first that fits."""

Rows = NDArray[np.bool_]
"""Some of the images: (images,)."""


class RangeNotes:
    """What is to be said of the range of a dataset's images.

    Args:
        found: what lies in them.
        labels: class of each, (images,).
        class_names: by those numbers.
        range: as the dataset is read.
    """

    def __init__(self, found: Contents, labels: NDArray[np.int32], class_names: Sequence[str], range: Range) -> None:
        self._found, self._labels, self._names, self._range = found, labels, class_names, range
        self._deep: Rows = (found.depths > 1) & ~np.isnan(found.peaks) & ~found.bad
        self._colours: Rows = (found.bits > 8) & ~np.isnan(found.peaks) & ~found.bad
        self._peaks = found.peaks.astype(np.float64)
        self._tops = self._tops_of(range)
        self._lit: Rows = self._deep & (self._peaks > 0)
        self._dark: Rows = self._lit & (self._peaks < self._tops * _DARK)
        self._above: Rows = self._deep & (self._peaks > self._tops)

    def sentences(self) -> Iterator[str]:
        """One for each thing that is odd."""
        for number, depth in enumerate(DEPTHS, start=1):
            rows = self._deep & (self._found.depths == number)
            if rows.any():
                yield from self._of_depth(rows, "of floats" if depth == "float" else f"of {depth} bits")
        yield from self._of_colours()
        if self._range != "auto" and not (self._deep | self._colours).any():
            yield f"dataset.range={self._range} changes nothing: no image here has more than 8 bits"

    def _of_depth(self, rows: Rows, kind: str) -> Iterator[str]:
        yield from self._darkness(rows & self._dark, rows & self._lit, kind)
        above = rows & self._above
        if above.any():
            have, highest = self._are(above, rows, kind, verb="have"), self._peaks[above].max()
            top = self._tops[above][0]
            yield f"{have} values above {top:,.6g}, up to {highest:,.6g}, which become white{self._advice(above)}"
        negative = rows & (self._found.lowest < -self._tops * _SEEN)
        if negative.any():
            lowest = float(self._found.lowest[negative].min())
            yield f"{self._are(negative, rows, kind, verb='have')} values below 0, down to {lowest:,.6g}, which become black"

    def _darkness(self, dark: Rows, lit: Rows, kind: str) -> Iterator[str]:
        if not dark.any() or not self._many(dark, lit):
            return
        brightest = int(np.where(dark, self._peaks / np.maximum(self._tops, 1e-9), 0).argmax())
        how = (
            f"{self._are(dark, lit, kind)} darker than an eighth of their range, at most {self._peaks[dark].max():,.6g} where "
            f"{self._tops[brightest]:,.6g} is white"
        )
        if (dark == lit).all():
            yield how + self._advice(dark)
            return
        alike = ": two kinds of range in one dataset? Then store them alike, as dataset.range is one for all"
        yield f"{how}, and the others are not{self._advice(dark) or alike}"

    def _of_colours(self) -> Iterator[str]:
        """Of them Pillow reads the upper 8 bits, so no range can bring the others back."""
        dark = self._colours & (self._peaks > 0) & (self._peaks < 255 * _DARK)
        kind = "of 16 bits a colour channel"
        if dark.any() and self._many(dark, self._colours):
            yield (
                f"{self._are(dark, self._colours, kind, noun='image')} darker than an eighth of their range: the upper 8 bits "
                "of each are read, and dataset.range is for grey images alone, so store them with 8 bits a channel"
            )
        elif self._colours.any() and self._range != "auto":
            count = count_of(int(self._colours.sum()), "image")
            yield f"dataset.range={self._range} changes nothing of {count} {kind}: it is for grey images alone"

    def _tops_of(self, range: Range) -> NDArray[np.float64]:
        """The value that becomes white, an image each."""
        if range == "auto":
            return self._found.whites.astype(np.float64)
        tops = np.array([0.0, *(range_top(depth, range) for depth in DEPTHS)])
        return tops[self._found.depths]

    def _many(self, rows: Rows, among: Rows) -> bool:
        """Whether they are a large share of others, or all that a class has of them."""
        return bool(rows.sum() > _MANY * among.sum()) or len(self._whole(rows, among)) > 0

    def _whole(self, rows: Rows, among: Rows) -> NDArray[np.int64]:
        """Classes of which all images of a kind are among some of them."""
        these, all_of_them = (np.bincount(self._labels[some], minlength=len(self._names)) for some in (rows, among))
        return np.flatnonzero((these > 0) & (these == all_of_them))

    def _are(self, rows: Rows, among: Rows, kind: str, *, noun: str = "grey image", verb: str = "are") -> str:
        """`all 12 grey images of 16 bits of class a are`, `3 of 12 grey images of 16 bits are`."""
        whole, number = self._whole(rows, among), int(rows.sum())
        names = some_of([self._names[at] for at in whole], _SHOWN) if len(whole) else ""
        classes = f"class {names}" if len(whole) == 1 else f"classes {names}"
        verb = {"are": "is", "have": "has"}[verb] if number == 1 else verb
        if number == np.isin(self._labels[among], whole).sum():
            where = "" if (rows == among).all() else f" of {classes}"
            return f"{f'all {count_of(number, noun)}' if number > 1 else f'the only {noun}'} {kind}{where} {verb}"
        also = f", all of {classes} among them," if len(whole) else ""
        return f"{number:,} of {count_of(int(among.sum()), noun)} {kind}{also} {verb}"

    def _advice(self, rows: Rows) -> str:
        """Which setting has room for the values of some images, and spoils no others."""
        highest, spoils = int(np.where(rows, self._peaks, -np.inf).argmax()), False
        good = self._lit & ~self._dark & ~self._above
        for name in _RANGES:
            tops = self._tops_of(name)
            as_now = tops[highest] == self._tops[highest]
            if as_now or not tops[highest] * _FAINT <= self._peaks[highest] <= tops[highest]:
                continue
            spoiled = good & ((self._peaks < tops * _DARK) | (self._peaks > tops))
            if not (spoiled.any() and self._many(spoiled, self._lit)):
                return f": dataset.range={name}, if that is what they hold"
            spoils = True
        return ": no dataset.range suits these and the others, so store them alike" if spoils else ""
