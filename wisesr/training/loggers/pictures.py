"""A confusion matrix as a picture, for destinations that only take pictures. No plotting library: a cell has none to load."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from wisesr.data.sheet import drawable
from wisesr.results.predictions import Predictions

_SIDE = 640
"""Pixels of the matrix, about."""
_NAMED = 30
"""Classes up to which each row has its name beside it."""
_LETTERS = 16
_INK, _PAPER, _DEEP = (24, 24, 27), (255, 255, 255), np.array([8.0, 48.0, 107.0])
_ABSENT = 208
"""Grey of the row of a class without test images: white would say that none of them is right."""


def confusion(predictions: Predictions) -> NDArray[np.int64]:
    """Counts of test images, (true class, predicted class)."""
    classes = len(predictions.classes)
    predicted = predictions.probabilities.argmax(axis=1)
    pairs = np.bincount(predictions.labels * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def confusion_picture(predictions: Predictions) -> Image.Image:
    """Rows are true classes, columns what was predicted; a row's darkness is its share, white 0, darkest 1, grey no images."""
    counts = confusion(predictions)
    classes, totals = len(counts), counts.sum(axis=1, keepdims=True)
    share = counts / np.maximum(totals, 1)
    side = max(1, _SIDE // classes)
    colours = np.where(totals[:, :, None] > 0, 255 + share[:, :, None] * (_DEEP - 255), _ABSENT)
    matrix = Image.fromarray(np.rint(colours).astype(np.uint8)).resize((classes * side,) * 2, Image.Resampling.NEAREST)
    named = classes <= _NAMED
    margin = 150 if named else 24
    sheet = Image.new("RGB", (margin + matrix.width + 8, margin + matrix.height + 8), _PAPER)
    draw = ImageDraw.Draw(sheet)
    if named:
        _names(sheet, predictions.classes, margin, side)
    sheet.paste(matrix, (margin, margin))
    draw.rectangle((margin - 1, margin - 1, margin + matrix.width, margin + matrix.height), outline=_INK)
    if named:
        _numbers(draw, counts, share, margin, side)
    legend = ["true: rows", "said: columns" if named else "predicted: columns"] + ["grey: no images"] * bool(
        (totals == 0).any()
    )
    draw.text((4, 4), ("\n" if named else "; ").join(legend), fill=_INK, font=_font(13))
    return sheet


def _numbers(draw: ImageDraw.ImageDraw, counts: NDArray[np.int64], share: NDArray[np.float64], margin: int, side: int) -> None:
    font = _font(min(14, side // 2))
    for row, column in zip(*np.nonzero(counts), strict=True):
        middle = (margin + column * side + side // 2, margin + row * side + side // 2)
        ink = _PAPER if share[row, column] > 0.5 else _INK
        draw.text(middle, str(counts[row, column]), fill=ink, font=font, anchor="mm")


def _names(sheet: Image.Image, classes: tuple[str, ...], margin: int, side: int) -> None:
    """Beside each row, and above each column, read upwards."""
    beside = Image.new("RGB", (margin, sheet.width), _PAPER)
    above, font = beside.copy(), _font(min(14, side - 2))
    left, right = ImageDraw.Draw(beside), ImageDraw.Draw(above)
    for index, name in enumerate(classes):
        text = drawable(name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}")
        middle = margin + index * side + side // 2
        left.text((margin - 6, middle), text, fill=_INK, font=font, anchor="rm")
        right.text((6, middle), text, fill=_INK, font=font, anchor="lm")
    sheet.paste(above.rotate(90, expand=True), (0, 0))
    sheet.paste(beside.crop((0, margin, margin, sheet.height)), (0, margin))


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=max(6, size))
