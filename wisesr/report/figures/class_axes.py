"""Classes on the axes of figures: their names, and the rows of those without test images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wisesr.report.confusion import Confusion
from wisesr.report.figures.figure import Spec
from wisesr.wording import some_of

SIGNED = "datum.value === 0 ? '0' : format(datum.value, '+~r')"
"""Labels of an axis of differences."""
_CUT = 16
"""Letters of a long name at either end."""
_SHOWN = 6
"""Names that a caption lists."""


def class_names(classes: Sequence[str]) -> list[str]:
    """Names of classes, long ones without their middle: an axis would cut the end, which tells them apart more often."""
    short = [f"{name[:_CUT]}\N{HORIZONTAL ELLIPSIS}{name[-_CUT:]}" if len(name) > 2 * _CUT + 2 else name for name in classes]
    return short if len(set(short)) == len(short) else list(classes)


def without_images(confusion: Confusion, what: str) -> str:
    """A sentence on classes without test images, as 0 % would be something else: `what` is what they do not have."""
    if not (names := confusion.absent):
        return ""
    return f" Without test images, and so without {what}: {some_of(names, _SHOWN)}."


def matrix_axes(names: list[str], step: int) -> Spec:
    """Encodings of x, the predicted class, and y, the true one.

    Args:
        names: of the classes.
        step: px of a class.
    """
    size = min(12, max(8, step - 2))
    axis = {"labelFontSize": size, "labelLimit": 200, "labelOverlap": False, "grid": False, "domain": False, "ticks": False}
    angle = 0 if step > 20 and max(map(len, names)) < 5 else -45 if step > 20 else -90
    band = {"type": "nominal", "sort": names, "scale": {"domain": names, "padding": 0}}
    x = {"field": "predicted", "title": "Predicted class"} | band | {"axis": axis | {"labelAngle": angle}}
    return {"x": x, "y": {"field": "true", "title": "True class"} | band | {"axis": axis}}


def matrix_ground(confusion: Confusion, names: Sequence[str], place: Spec, step: int, zero: Spec) -> Iterator[Spec]:
    """Layers below the cells: the colour of 0, which is not in the data; a row without images has none, but says so.

    Args:
        confusion: whose rows they are.
        names: of the classes.
        place: of `matrix_axes`.
        step: px of a class.
        zero: a layer without place that has the colour of 0: its mark, and what encodes its colour.
    """
    if not confusion.absent:
        yield {"data": {"values": [{}]}} | zero
        return
    totals, row = confusion.counts.sum(axis=1), {"y": place["y"]}
    present = [{"true": name} for name, total in zip(names, totals, strict=True) if total]
    absent = [{"true": name, "text": "no test images"} for name, total in zip(names, totals, strict=True) if not total]
    yield {"data": {"values": present}} | zero | {"encoding": row | zero.get("encoding", {})}
    yield {
        "data": {"values": absent},
        "mark": {"type": "text", "align": "left", "fontSize": min(11, step - 2)},
        "encoding": row | {"x": {"value": 4}, "text": {"field": "text", "type": "nominal"}},
    }
