"""Image files decoded as training decodes them, and what is to be said of each; no pixels are kept. No torch."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from wisesr.data.grey_levels import Levels, levels_of, peak_of
from wisesr.data.image_file import HUGE, TINY, UNREADABLE, open_image, reading_problem
from wisesr.data.images import AS_A_VIEWER, PixelRules, to_rgb
from wisesr.data.orientation import orientation
from wisesr.data.quiet import quiet
from wisesr.types import usable_cores

_VARIANTS = {"JPEG": "MPO", "BMP": "DIB"}
"""Pillow's name of a format -> of one in files of the same ending; MPO is a JPEG with more pictures behind it."""

_UPRIGHT_BY = {
    2: "mirrored left and right",
    3: "turned by 180 degrees",
    4: "mirrored top and bottom",
    5: "mirrored and turned",
    6: "turned by 90 degrees clockwise",
    7: "mirrored and turned",
    8: "turned by 90 degrees counterclockwise",
}
"""EXIF's orientation -> what would set the picture upright. CIPA DC-008, section 4.6.5."""

_AHEAD = 64
"""Files handed to the threads before their turn."""


class Decoded(NamedTuple):
    """What is known of a file after it was decoded."""

    notes: tuple[tuple[str, str], ...]
    """Kind of finding (`wisesr.data.check.problems.KINDS`) and detail, most often none."""
    size: tuple[int, int] = (0, 0)
    """Width and height, pixels."""
    format: str = ""
    """Pillow's name; empty if the file cannot be read."""
    digest: bytes = b""
    """Of its size and RGB pixels, 16 bytes; empty if it cannot be read."""


def decode_files(paths: Iterable[Path], rules: PixelRules = AS_A_VIEWER) -> Iterator[Decoded]:
    """Each file, decoded by as many threads as there are cores, in order; `rules`: of its dataset.

    Threads, as Pillow decodes and hashlib hashes without the interpreter's lock. Processes were measured too (JPEGs of 150
    to 1,280 px, two cores): neither was ahead everywhere, and threads need no imports and nothing sent. When the caller ends,
    by Ctrl-C for instance, no more than one image a thread is still to be waited for.
    """
    pool = ThreadPoolExecutor(usable_cores())
    waiting: deque[Future[Decoded]] = deque()
    try:
        for path in paths:
            waiting.append(pool.submit(decode_file, path, rules))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def decode_file(path: Path, rules: PixelRules = AS_A_VIEWER) -> Decoded:
    """One file, decoded as by `wisesr.data.images.open_rgb` under its dataset's rules."""
    try:
        with quiet(), open_image(path) as image:
            levels, stored = levels_of(image), orientation(image)  # which Pillow forgets, of some, as it decodes them
            rgb = to_rgb(image, rules)
            notes = tuple(_notes(path, image, levels, stored, rules))
            return Decoded(notes, rgb.size, image.format or "", _digest(rgb))
    except UNREADABLE as error:
        system = isinstance(error, OSError) and error.errno is not None
        return Decoded((("unopened" if system else "corrupt", reading_problem(error)),))


def _digest(rgb: Image.Image) -> bytes:
    digest = hashlib.blake2b(repr(rgb.size).encode(), digest_size=16)
    rows = max(1, 2**20 // rgb.width)  # in strips, for the sake of large images: tobytes makes a copy
    for top in range(0, rgb.height, rows):
        digest.update(rgb.crop((0, top, rgb.width, min(top + rows, rgb.height))).tobytes())
    return digest.digest()


def _notes(path: Path, image: Image.Image, levels: Levels | None, stored: int, rules: PixelRules) -> Iterator[tuple[str, str]]:
    """Of an image that was decoded; `levels` and `stored` (its orientation) as they were before."""
    promised = Image.registered_extensions().get(path.suffix.lower())
    if promised and image.format not in (promised, _VARIANTS.get(promised)):
        yield "format", f"{image.format} in a file that ends in {path.suffix}"
    if mode := _mode(image) if levels is None else _deep(image, levels, rules):
        yield "mode", mode
    if (frames := _whole_number(lambda: getattr(image, "n_frames", 1))) > 1 and image.format != "MPO":
        yield "mode", f"{frames} frames, of which the first is read"
    if turn := _UPRIGHT_BY.get(stored):
        read = "it is read upright" if rules.upright else "it is read as it is stored, as the published results had it"
        yield "orientation", f"EXIF says: upright when {turn}; {read}"
    if min(image.size) < TINY:
        yield "tiny", f"{image.width}x{image.height} px"
    if (pixels := image.width * image.height) > HUGE:
        yield "huge", f"{image.width:,} x {image.height:,} = {pixels / 1e6:,.0f} million pixels"


def _deep(image: Image.Image, levels: Levels, rules: PixelRules) -> str:
    """`16 bit grey, 12 to 4,081: 65,535 becomes white`."""
    top, peak = levels.top(rules.range), peak_of(image, levels)
    kind = "floats" if levels.depth == "float" else f"{levels.depth} bit grey"
    clipped = ", and what is above it" if peak > top else ""
    return f"{kind} up to {peak:,.6g}: {top:,.10g} becomes white{clipped}"


def _mode(image: Image.Image) -> str:
    """What becomes of an image that is neither RGB, grey, nor a palette of such colours."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        solid = image.convert("RGBA").getchannel("A").getextrema() == (255, 255)
        return "" if solid else f"{image.mode} with transparent parts, which become black"
    return "" if image.mode in ("RGB", "L", "P", "1") else f"{image.mode}, converted to RGB without a colour profile"


def _whole_number(read: Callable[[], Any]) -> int:
    """Of what lies beside the pixels of an image that is whole, 1 where that is damaged."""
    try:
        return int(read())
    except Exception:  # Pillow raises whatever it comes upon there
        return 1
