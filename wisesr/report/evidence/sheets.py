"""Sheets of several pictures: the evidence of several heads for them, and the ones on which two heads disagree."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from PIL import Image

from wisesr.report.disagreement import Case, Disagreement
from wisesr.report.evidence.overlay import SIDE, image_element, overlay, picture_uri
from wisesr.report.evidence.rows import ByRun
from wisesr.report.evidence.scales import Scale, common_scale
from wisesr.report.evidence.tiles import Tile, TileRow, tiles_svg
from wisesr.report.pictures import pictures
from wisesr.results.explanation import Map
from wisesr.wording import count_of

_PIXELS = 224
"""Of an embedded picture's side."""
_ROOM = 2_000_000
"""Bytes of the pictures of one sheet."""


class SheetColumn(NamedTuple):
    """A picture, and what several runs say of it."""

    label: str
    """Its true class."""
    runs: tuple[ByRun, ...]
    """The same runs in each column of a sheet, each asked for the true class."""


def heads_sheet(columns: Sequence[SheetColumn]) -> str:
    """Evidence for the true classes as SVG: a column for each picture, a row for each run, all maps on one scale."""
    maps = [_evidence(column, number) for column in columns for number in range(len(column.runs))]
    scale = common_scale("evidence", [plane for plane in maps if plane is not None])
    shown = tuple(Tile(f'<use href="#picture{at}"/>', (f"true class: {one.label}",)) for at, one in enumerate(columns))
    rows = [TileRow(("the picture",), shown)]
    rows += [_of_run(columns, number, scale) for number in range(len(columns[0].runs))]
    return tiles_svg(rows, pictures=_images(columns), scale=scale, scale_title="evidence")


def _evidence(column: SheetColumn, number: int) -> Map | None:
    maps = column.runs[number].explanation.of(column.label)
    return None if maps is None else maps.evidence


def _images(columns: Sequence[SheetColumn]) -> Iterator[str]:
    for at, column in enumerate(columns):
        yield image_element(picture_uri(column.runs[0].explanation.view, grey=False, pixels=_PIXELS), f"picture{at}")
        for number, run in enumerate(column.runs):
            yield image_element(picture_uri(run.explanation.view, grey=True, pixels=_PIXELS), f"grey{at}-{number}")


def _of_run(columns: Sequence[SheetColumn], number: int, scale: Scale | None) -> TileRow:
    """What one run says of all pictures."""
    tiles, right = [], 0
    for at, column in enumerate(columns):
        said, plane = column.runs[number].explanation, _evidence(column, number)
        is_right = said.predicted == column.label
        right += is_right
        line = f"right, {said.probability:.2f}" if is_right else f"wrong: says {said.predicted}, {said.probability:.2f}"
        laid = "" if plane is None or scale is None else overlay(plane, scale, smooth=False, hover=False)
        lines = (line,) if laid else (line, "its head is not linear")
        tiles.append(Tile(f'<use href="#grey{at}-{number}"/>{laid}', lines, strong=not is_right))
    return TileRow((columns[0].runs[number].run, f"{right} of {len(columns)} right"), tuple(tiles))


def disagreement_sheet(one: Disagreement, load: Callable[[str], Image.Image] | None, *, most: int = 4) -> str:
    """The pictures on which a head and the baseline disagree most, as SVG, with what both say of each.

    Args:
        one: of `wisesr.report.prediction_analysis.analyse_predictions`, with images on one side at least.
        load: a test image by its name; one that cannot be read any more leaves its place empty, as all do with None.
        most: pictures of either side, at most.
    """
    sides = [(one.entry.head, one.better[:most]), (one.baseline, one.worse[:most])]
    names = [case.id for _, cases in sides for case in cases]
    jpegs = {} if load is None else pictures(names, load, room=_ROOM).jpegs
    rows = [
        TileRow((f"{surer} is surer", count_of(len(cases), "picture")), tuple(_case(one, case, jpegs) for case in cases))
        for surer, cases in sides
        if cases
    ]
    return tiles_svg(rows)


def _case(one: Disagreement, case: Case, jpegs: dict[str, bytes]) -> Tile:
    said: list[str] = []
    for name, prediction in ((one.baseline, case.baseline), (one.entry.head, case.head)):
        said.append(f"{name}: {prediction.predicted}, {prediction.probability:.2f}")
        if prediction.predicted != case.label:
            said.append(f"({prediction.true_probability:.2f} for {case.label})")
    return Tile(_picture(jpegs.get(case.id)), (f"true class: {case.label}", *said), strong=True)


def _picture(jpeg: bytes | None) -> str:
    """As it is, in the middle of its place."""
    if jpeg is None:
        return f'<rect width="{SIDE}" height="{SIDE}" fill="#f1f2f4"/>'
    uri = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return f'<image href="{uri}" width="{SIDE}" height="{SIDE}" style="image-rendering:pixelated"/>'
