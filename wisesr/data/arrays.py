"""Images in the arrays of an .npz file: `images` and `labels`, or a pair of them for each split. No torch.

The file is read as a whole, as no member of an .npz can be mapped into memory: a process holds as many bytes as the arrays have
(10,000 pictures of 224x224 in colour are 1.5 GB), and worker processes share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wisesr.data.grey_levels import Range, range_top
from wisesr.data.images import PixelRules
from wisesr.data.manifest import SPLITS, TRAIN, Manifest
from wisesr.data.notes import Notes
from wisesr.data.npz_file import Npz, Pair
from wisesr.data.parts import Part, PixelArray, class_name, doubtful_names, join, split_of
from wisesr.errors import UserError, unknown
from wisesr.wording import natural_key, some_of

_SHOWN = 8
_BITS: tuple[Range, ...] = (8, 12, 16)


def arrays(*, root: str, file: str, range: Literal["auto", 8, 12, 16, "float"] = "auto") -> Manifest:
    """Images of a file that `numpy.savez` or `numpy.savez_compressed` wrote.

    It holds `images` (n, height, width) or (n, height, width, 3), uint8, uint16 or floating point, and `labels` (n,), numbers
    or texts; where there are any, `split` (train, val, test) and `group`, one an image, and `class_names`, the texts that
    numbers stand for. Or a pair of arrays for each split: `train_images`, `train_labels`, `val_images`, ... (MedMNIST), or
    `x_train`, `y_train`, ... (Keras).

    Args:
        root: the folder that the file's path is below.
        file: the path.
        range: which value is white in images deeper than 8 bits: of 8, 12 or 16 bits, "float" 1.0, "auto" by the type.

    Raises:
        UserError: no such file, an array missing, of another type or length, values beyond white or that are no numbers.
    """
    with closing(Npz(Path(root) / file)) as npz:
        named = _texts(npz, "class_names") if "class_names" in npz.names else []
        found = [_part(npz, pair, named, range) for pair in npz.pairs()]
        parts, dark = [part for part, _ in found], [word for _, words in found for word in words]
        hints = [*npz.unread(), *doubtful_names(str(npz.path), parts)]
        return join(npz.path.name, parts, named, rules=PixelRules(range=range), notes=Notes(grey=dark, hints=hints))


def _part(npz: Npz, pair: Pair, named: Sequence[str], range: Range) -> tuple[Part, list[str]]:
    pixels, labels = npz.read(pair.images), _as_labels(npz, pair.labels, named)
    _check_shape(npz.of(pair.images), pixels)
    count = len(pixels)
    npz.same_length(pair.labels, len(labels), pair.images, count)
    if pixels.ndim == 4:
        pixels = pixels[..., 0] if pixels.shape[3] == 1 else pixels
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    white, note = _white(npz.of(pair.images), pixels, range)
    note = note or _dark_classes(npz.of(pair.images), pixels, labels, white)
    splits = [pair.split or TRAIN] * count
    groups: list[str] = []
    if not pair.split and "split" in npz.names:
        splits = [_split(npz, name) for name in _texts(npz, "split", count)]
    if not pair.split and "group" in npz.names:
        groups = ["" if name == "nan" else name for name in _texts(npz, "group", count)]  # not a number: in no group
    ids = [f"{npz.path.stem}/{pair.images}/{index:06d}" for index in np.arange(count).tolist()]
    return Part(PixelArray(pixels, white), ids, labels, splits, groups), note


def _as_labels(npz: Npz, name: str, named: Sequence[str]) -> list[str]:
    """Names of classes: of numbers those of `class_names`, else the numbers as text."""
    values = npz.column(name)
    if values.dtype.kind in "US":
        labels = _texts(npz, name)
        if named and (others := sorted(set(labels) - set(named))):
            raise UserError(f"{npz.of(name)} has {some_of(others, _SHOWN)}, which class_names has not")
        return labels
    if values.dtype.kind not in "iub":
        raise UserError(f"{npz.of(name)} is {values.dtype}: labels are whole numbers or texts, as {name}.astype('int64') gives")
    numbers = [int(value) for value in values.tolist()]
    if not named:
        return [str(number) for number in numbers]
    if numbers and (min(numbers) < 0 or max(numbers) >= len(named)):
        raise UserError(
            f"{npz.of(name)} goes from {min(numbers)} to {max(numbers)}, and class_names has names for 0 to {len(named) - 1}"
        )
    return [named[number] for number in numbers]


def _texts(npz: Npz, name: str, count: int | None = None) -> list[str]:
    try:
        return [class_name(value) for value in npz.column(name, count).tolist()]
    except UserError as error:
        where = npz.of(name)
        raise error if where in str(error) else UserError(f"{where}: {error}") from error


def _check_shape(where: str, pixels: NDArray[Any]) -> None:
    rule = "must be (images, height, width) or (images, height, width, 3)"
    if pixels.ndim == 4 and pixels.shape[1] in (1, 3) and pixels.shape[3] not in (1, 3):
        raise UserError(f"{where} has the shape {pixels.shape}, and {rule}: images.transpose(0, 2, 3, 1) makes it so")
    if pixels.ndim not in (3, 4) or (pixels.ndim == 4 and pixels.shape[3] not in (1, 3)) or 0 in pixels.shape:
        raise UserError(f"{where} has the shape {pixels.shape}, and {rule}")


def _white(where: str, pixels: NDArray[Any], range: Range) -> tuple[float, list[str]]:
    """The value that becomes white, and what is odd about it."""
    kind = pixels.dtype
    if kind != np.uint8 and kind != np.uint16 and kind.kind != "f":
        raise UserError(f"{where} is {kind}: pixels are uint8, uint16 or floating point{_as_pixels(pixels)}")
    if kind == np.uint8 and range not in ("auto", 8):
        raise UserError(f"dataset.range={range} is for pixels deeper than 8 bits, and {where} is uint8: leave it out")
    low, high = float(pixels.min()), float(pixels.max())
    if np.isnan(low) or np.isinf(low) or np.isinf(high):
        bad = np.flatnonzero(~np.isfinite(pixels.reshape(len(pixels), -1)).all(axis=1)).tolist()
        raise UserError(f"{where} has values that are no finite numbers, in images {some_of([str(at) for at in bad], _SHOWN)}")
    white = 255.0 if kind == np.uint8 else range_top("16" if kind == np.uint16 else "float", range)
    if low < 0:
        raise UserError(f"{where} goes from {low:g} to {high:g}: pixels must not be negative. Save them from 0 to {white:g}")
    if high > white:
        fits = next((name for name in _BITS if range_top("16", name) >= high), None)
        wider = f": add dataset.range={fits} if {range_top('16', fits):g} is" if fits else ""
        raise UserError(f"{where} goes up to {high:g}, and with dataset.range={range} {white:g} is white{wider}")
    if high < white / 8:
        return white, [f"{where} goes up to {high:g} only, and {white:g} is white: nearly black images (see dataset.range)"]
    return white, []


def _dark_classes(where: str, pixels: NDArray[Any], labels: Sequence[str], white: float) -> list[str]:
    """What is to be said of classes that are dark as a whole beside others that are not: scaled otherwise, most likely."""
    tops: dict[str, float] = {}
    for label, top in zip(labels, pixels.reshape(len(pixels), -1).max(axis=1).tolist(), strict=True):
        tops[label] = max(top, tops.get(label, 0.0))
    dark = [f"{label} ({tops[label]:g})" for label in sorted(tops, key=natural_key) if 0 < tops[label] < white / 8]
    return [f"{where}: whole classes are nearly black, where {white:g} is white: up to {some_of(dark, _SHOWN)}"] if dark else []


def _as_pixels(pixels: NDArray[Any]) -> str:
    """What makes values pixels without a change; empty where nothing does."""
    if pixels.dtype == np.bool_:
        return ", as images.astype('uint8') * 255 gives"
    if pixels.dtype.kind not in "iu" or pixels.min() < 0 or pixels.max() > 65535:
        return ""
    return f", as images.astype('{'uint8' if pixels.max() < 256 else 'uint16'}') gives"


def _split(npz: Npz, name: str) -> str:
    if (split := split_of(name)) is None:
        raise UserError(f"{npz.of('split')}: {unknown('split', name, SPLITS)}")
    return split
