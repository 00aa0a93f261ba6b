"""Contact sheets: images of a class as a cell is fed them, the test view beside what training draws from it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wisesr.data.augmentation import Augmentation
from wisesr.data.datamodule import Images
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.errors import UserError

_MARGIN, _GAP, _APART = 28, 6, 22
"""Pixels: around everything, between pictures, between the test view and the draws."""

_NARROWEST = 480
"""Pixels of a sheet's width between the margins, for the sake of its title."""

_SMALL, _LARGE = 128, 320
"""Pixels of a side below which pictures are enlarged, and above which they are reduced."""

_PAPER, _INK, _PALE = (255, 255, 255), (24, 24, 27), (96, 96, 104)
_TITLE, _TEXT = 22, 13
"""Sizes of the letters, pixels."""


class Strip(NamedTuple):
    """A row of a sheet."""

    caption: str
    pictures: Sequence[Image.Image]
    """All of one size: the test view, then a picture for each draw."""

    def reduced(self) -> Strip:
        """The row with pictures of no more than 128 pixels a side."""
        factor = -(-self.pictures[0].width // _SMALL)
        return self._replace(pictures=[picture.reduce(factor) for picture in self.pictures])


class Views:
    """The training images of a cell, through the dataset that feeds its training; the manifest's splits are complete."""

    def __init__(self, manifest: Manifest, augment: Augmentation, *, seed: int, views: int | None = None) -> None:
        self._manifest, self._augment = manifest, augment
        self._indices = manifest.indices(TRAIN)
        self._tested = Images(manifest, TRAIN, augment, training=False, seed=seed)
        self._trained = Images(manifest, TRAIN, augment, training=True, seed=seed, views=views)

    def count(self, label: int) -> int:
        """Training images of a class."""
        return len(self._of(label))

    def strips(self, label: int, *, images: int, draws: int) -> list[Strip]:
        """Images of a class, evenly spaced over its training images, and what training sees of them in its first epochs

        Args:
            label: of the class.
            images: how many; all where the class has fewer.
            draws: epochs.

        Raises:
            UserError: one of them cannot be read.
        """
        in_class = self._of(label)
        count = min(images, len(in_class))
        return [self._strip(in_class[number * len(in_class) // count], draws) for number in range(count)]

    def _of(self, label: int) -> list[int]:
        found: list[int] = np.flatnonzero(np.asarray(self._manifest.labels)[self._indices] == label).tolist()
        return found

    def _strip(self, at: int, draws: int) -> Strip:
        pictures = [self._picture(self._tested, 0, at), *(self._picture(self._trained, epoch, at) for epoch in range(draws))]
        return Strip(self._manifest.ids[self._indices[at]], pictures)

    def _picture(self, images: Images, epoch: int, at: int) -> Image.Image:
        sample = images[epoch, at]
        if isinstance(sample, UserError):
            raise sample
        return self._augment.picture(sample[0])


def display_scale(size: int) -> tuple[int, int]:
    """How pictures of so many pixels a side are shown: enlarged by a whole number, and reduced by one; 1 and 1 for most."""
    return max(1, _SMALL // size), -(-size // _LARGE)


def draw_sheet(title: str, notes: Sequence[str], strips: Sequence[Strip]) -> Image.Image:
    """A sheet: title, notes, a head above each column, and the rows, each with its caption below.

    Pictures are enlarged or reduced by whole numbers (`display_scale`), so that each pixel is a square of its colour, or the
    mean of those of a square.
    """
    larger, smaller = display_scale(strips[0].pictures[0].width)
    side = strips[0].pictures[0].reduce(smaller).width * larger
    columns = len(strips[0].pictures)
    width = max(columns * side + (columns - 2) * _GAP + _APART, _NARROWEST)
    head = [(line, _TITLE, _INK) for line in _wrapped(title, width, _TITLE)]
    head += [(line, _TEXT, _PALE) for note in [*notes, *_scale_note(larger, smaller)] for line in _wrapped(note, width, _TEXT)]
    row = side + _TEXT + 18
    top = _MARGIN + sum(_line(size) for _, size, _ in head) + 36
    sheet = Image.new("RGB", (width + 2 * _MARGIN, top + len(strips) * row + _MARGIN - 10), _PAPER)
    at = _MARGIN
    for text, size, colour in head:
        _write(sheet, (_MARGIN, at), text, width, size, colour)
        at += _line(size)
    for column in range(columns):
        left = _MARGIN + column * (side + _GAP) + (_APART - _GAP if column else 0)
        _write(sheet, (left, top - 22), f"epoch {column}" if column else "test view", side, _TEXT, _INK)
        for number, strip in enumerate(strips):
            picture = strip.pictures[column].reduce(smaller).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(picture, (left, top + number * row))
    for number, strip in enumerate(strips):
        _write(sheet, (_MARGIN, top + number * row + side + 4), strip.caption, width, _TEXT, _PALE)
    return sheet


def _scale_note(larger: int, smaller: int) -> list[str]:
    if larger > 1:
        return [f"enlarged: each pixel is a square of {larger}x{larger}"]
    return [f"reduced: each pixel is the mean of {smaller}x{smaller}"] if smaller > 1 else []


def _line(size: int) -> int:
    return round(size * 1.55)


def _write(sheet: Image.Image, at: tuple[int, int], text: str, width: int, size: int, colour: tuple[int, int, int]) -> None:
    """A line of text, its beginning left out where it is wider than so many pixels: the end tells files apart."""
    font, text = ImageFont.load_default(size), drawable(text)
    shown = text
    while shown and font.getlength(shown if shown == text else f"…{shown}") > width:
        shown = shown[1:]
    ImageDraw.Draw(sheet).text(at, shown if shown == text else f"…{shown}", fill=colour, font=font)


def _wrapped(text: str, width: int, size: int) -> list[str]:
    """Lines no wider than so many pixels, broken at spaces."""
    font, lines = ImageFont.load_default(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(drawable(longer)) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def drawable(text: str) -> str:
    """Text in the letters that Pillow's font has: accents are dropped, other scripts become question marks."""
    plain = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if (c.isascii() and c.isprintable()) or c in "·…" else "?" for c in plain)
