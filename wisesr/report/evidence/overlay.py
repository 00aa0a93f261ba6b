"""Maps on the picture that the model saw, as SVG: each position a cell, at the map's own resolution, with its number.

SVG, as cells stay sharp at every size and each can be pointed at; a picture is embedded once and used by all its panels.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wisesr.report.evidence.scales import Scale, short
from wisesr.results.explanation import Map

SIDE = 320
"""Width and height of a panel, in units of its SVG."""
PIXELS = 448
"""Of an embedded picture's side, at most; smaller ones are enlarged by the viewer, each pixel a square."""
_GREY_FROM, _GREY_TO = 45, 235
"""What black and white become below colours, which would not be seen on them."""
_INVISIBLE = 0.004
"""Opacity of less than one grey level."""
BAR = 10
"""Height of a colour bar."""
_STEPS = 60
"""Pieces that it is drawn of."""


def picture_uri(view: NDArray[np.uint8], *, grey: bool, pixels: int = PIXELS) -> str:
    """A picture as a `data:` address: in its colours, or in grey of less contrast, for colours to lie on.

    PNG where it is small, so that its pixels stay what they were; JPEG of larger ones, of `pixels` a side at most.
    """
    image = Image.fromarray(view)
    if grey:
        image = image.convert("L").point([round(_GREY_FROM + (_GREY_TO - _GREY_FROM) * level / 255) for level in range(256)])
    small = max(image.size) <= pixels // 2
    image.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, **({"format": "PNG"} if small else {"format": "JPEG", "quality": 88, "subsampling": 0}))
    return f"data:image/{'png' if small else 'jpeg'};base64,{base64.b64encode(file.getvalue()).decode()}"


def image_element(uri: str, key: str) -> str:
    """A picture that panels use by its key."""
    pixels = ' style="image-rendering:pixelated"' if uri.startswith("data:image/png") else ""
    return f'<image id="{key}" href="{uri}" width="{SIDE}" height="{SIDE}" preserveAspectRatio="none"{pixels}/>'


def overlay(plane: Map, scale: Scale, *, smooth: bool, hover: bool = True) -> str:
    """The colours of a map, to lie on a picture of SIDE x SIDE.

    Args:
        plane: (height, width).
        scale: of its colours.
        smooth: bilinear between the middles of the cells, in place of the cells.
        hover: whether pointing at a cell shows its number.
    """
    numbers = scale.numbers(plane)
    if smooth:
        return f'<image href="{_smoothed(numbers, scale)}" width="{SIDE}" height="{SIDE}"/>'
    return f'<g shape-rendering="crispEdges">{"".join(_cells(numbers, scale, hover))}</g>{_borders(*plane.shape)}'


def _cells(numbers: Map, scale: Scale, hover: bool) -> Iterator[str]:
    rows, columns = (_edges(count) for count in numbers.shape)
    for (row, column), number in np.ndenumerate(numbers):
        colour, opacity = scale.colour(float(number))
        if opacity < _INVISIBLE and not hover:
            continue
        left, top = columns[column], rows[row]
        size = f'x="{left}" y="{top}" width="{columns[column + 1] - left}" height="{rows[row + 1] - top}"'
        title = f"<title>{short(float(number), signed=scale.signed)}</title>" if hover else ""
        yield f'<rect {size} fill="{colour}" fill-opacity="{opacity:.3f}"' + (f">{title}</rect>" if title else "/>")


def _edges(count: int) -> list[int]:
    """Where so many cells begin and end along a side."""
    return [round(number * SIDE / count) for number in range(count + 1)]


def _borders(height: int, width: int) -> str:
    lines = [f"M0 {at}H{SIDE}" for at in _edges(height)[1:-1]] + [f"M{at} 0V{SIDE}" for at in _edges(width)[1:-1]]
    return f'<path d="{"".join(lines)}" stroke="#fff" stroke-opacity=".3" fill="none" pointer-events="none"/>'


def _smoothed(numbers: Map, scale: Scale) -> str:
    """Bilinear between middles of cells, and even beyond the outermost: colours of a picture of SIDE x SIDE."""
    fine = np.asarray(Image.fromarray(numbers.astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    steps = np.round(255 * fine / scale.largest).astype(int).clip(-255, 255)
    table = np.array([_rgba(scale, step / 255 * scale.largest) for step in range(-255, 256)], np.uint8)
    file = io.BytesIO()
    Image.fromarray(table[steps + 255]).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _rgba(scale: Scale, number: float) -> tuple[int, ...]:
    colour, opacity = scale.colour(number)
    return (*(int(colour[at : at + 2], 16) for at in (1, 3, 5)), round(255 * opacity))


def bar_colours(scale: Scale, width: float) -> str:
    """The colours of a scale from left to right, `width` wide and BAR high, on the grey of a photograph."""
    low = -scale.largest if scale.signed else 0.0
    parts = [f'<rect width="{width}" height="{BAR}" fill="#8c8c8c"/>']
    for step in range(_STEPS):
        colour, opacity = scale.colour(low + (step + 0.5) / _STEPS * (scale.largest - low))
        left, right = round(width * step / _STEPS, 2), round(width * (step + 1) / _STEPS, 2)
        fill = f'fill="{colour}" fill-opacity="{opacity:.3f}"'
        parts.append(f'<rect x="{left}" width="{right - left:.2f}" height="{BAR}" {fill}/>')
    return f'<g shape-rendering="crispEdges">{"".join(parts)}</g>'


def bar_numbers(scale: Scale) -> list[str]:
    """What stands at its left end, in its middle and at its right end."""
    return [short(number, signed=scale.signed) for number in scale.ticks()]
