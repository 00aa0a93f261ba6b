"""Pictures that are decoded and resized once: rows of uint8, (height, width, 3), of a view (`wisesr.data.views`).

Whose content is known, and which are decoded from files: of others there is nothing to hold a row against, or nothing to save.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wisesr.data.file_images import FileImages
from wisesr.data.images import RULES, decoders
from wisesr.data.manifest import Manifest, digest_of
from wisesr.data.rows.store import Kind, Rows, Store
from wisesr.data.views import View
from wisesr.errors import UserError
from wisesr.results.provenance import file_hash, installed_version
from wisesr.types import usable_cores

log = logging.getLogger("wisesr")

DECODED = "decoded"
_AT_ONCE, _AHEAD = 8, 4
"""Pictures that a thread takes at a time, and how often for each core: they come in order, and few wait in memory."""
_CODE = (
    *("images.py", "image_file.py", "image_formats.py", "grey_levels.py", "orientation.py", "quiet.py"),
    *("augmentation.py", "pipeline.py", "resizing.py", "whole_view.py", "random_steps.py", "normalization.py"),
    *("keras_pipeline.py", "keras_steps.py", "keras_fused.py", "keras_kernel.py"),
)
"""Files beside this one by which a picture becomes what a model sees."""


class Pictures:
    """Views of some images of a manifest, read from where they are kept.

    Args:
        rows: of these images, in the order of `positions`.
        positions: in the manifest.
        count: images of the manifest.
    """

    def __init__(self, rows: Rows, positions: NDArray[np.int64], count: int) -> None:
        self._rows: Rows | None = rows
        self._at = np.full(count, -1, np.int64)
        self._at[positions] = np.arange(len(positions))

    def pixels(self, position: int) -> Tensor | None:
        """The view of the image at a position of the manifest, uint8, (3, height, width); None of one that is not kept.

        None also from when on rows cannot be read any more: then the picture is decoded, as it would be without them.
        """
        at = int(self._at[position])
        if self._rows is None or at < 0:
            return None
        try:
            pixels = np.empty(self._rows.shape(at), np.uint8)
            self._rows.read(at, pixels.reshape(-1).data)
        except OSError as error:
            log.warning("decoded images cannot be read any more, and are decoded again: %s", error)
            self._rows = None
            return None
        return torch.from_numpy(pixels).permute(2, 0, 1)


def why_not_kept(manifest: Manifest) -> str | None:
    """Why pictures of a manifest are not kept, a reader's half sentence; None where they can be."""
    if not manifest.hashed:
        return "dataset.fingerprint=listing does not look into files, and nobody could tell whether they are still the same"
    if not (isinstance(manifest.load, FileImages) or getattr(manifest.load, "known", None) is not None):
        return "the images are no files that are decoded"
    return None


def kind_of(manifest: Manifest, view: View) -> Kind:
    """What rows of a view are, and all that their bytes depend on beside the content of a file."""
    depends_on = {
        "view": view.text,
        "rules": [RULES, manifest.rules],
        "decoders": list(decoders()),
        "torch": [installed_version("torch"), installed_version("torchvision"), torch.backends.cpu.get_cpu_capability()],
        "code": code_hash(),
        "made_by": None if view.make.__module__.startswith("wisesr.") else _file_of(view.make.__module__),
    }
    return Kind(DECODED, depends_on, dimensions=3, item=1, text=view.text)


def _file_of(module: str) -> str | None:
    """Hash of the file of somebody else's module, which makes a view; what it imports is not looked at."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file_hash(Path(file)) if file and Path(file).is_file() else None


@cache
def code_hash() -> str:
    """Of the files of `_CODE`, as they were when this process began to use them."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"\0".join((folder / name).read_bytes() for name in _CODE)).hexdigest()


def keys_of(manifest: Manifest, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
    """What rows of images are found by: the digests of their content."""
    return cast(NDArray[np.uint8], manifest.digests)[positions]


def keep_pictures(
    manifest: Manifest, positions: NDArray[np.int64], view: View, place: Path, *, asked: bool, about: Mapping[str, Any]
) -> Pictures:
    """Views of images, those made now that are not kept yet.

    Args:
        manifest: whose pictures can be kept.
        positions: of the images in it.
        view: of them.
        place: the folder of all that is kept.
        asked: whether a user asked for it, and did not leave it to us.
        about: for the list of what is kept: dataset.

    Raises:
        OSError: there is no room for them, or the folder cannot be written.
        UserError: an image cannot be read.
    """
    store, keys = Store(place, kind_of(manifest, view)), keys_of(manifest, positions)

    def make(wanted: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        return _decoded(manifest, positions[wanted], view)

    rows = store.find(keys)
    if rows is None:
        rows = store.extend(keys, make, what="decoding images", about=about, row_bytes=view.row_bytes, asked=asked)
    if rows is None:
        raise OSError(f"what was just written below {place} is not there")
    return Pictures(rows, positions, len(manifest))


def _decoded(manifest: Manifest, positions: NDArray[np.int64], view: View) -> Iterator[NDArray[Any]]:
    """Views in order, decoded by as many threads as there are cores: decoding goes on without the interpreter's lock."""

    def block(some: NDArray[np.int64]) -> list[NDArray[Any]]:
        return [_view_of(manifest, int(position), view) for position in some]

    blocks = (positions[start : start + _AT_ONCE] for start in range(0, len(positions), _AT_ONCE))
    cores = usable_cores()
    with ThreadPoolExecutor(cores) as pool:
        waiting = deque(pool.submit(block, some) for some in islice(blocks, _AHEAD * cores))
        while waiting:
            yield from waiting.popleft().result()
            waiting.extend(pool.submit(block, some) for some in islice(blocks, 1))


def _view_of(manifest: Manifest, position: int, view: View) -> NDArray[np.uint8]:
    require_same(manifest, position)
    pixels = view.make(manifest.load(position))
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


def require_same(manifest: Manifest, position: int) -> None:
    """Raise UserError where a file is not what the manifest was made from: its row would stand for another picture for good."""
    load: Any = manifest.load
    try:
        content = load.content(position)
    except OSError:
        return  # loading it tells what is wrong
    if digest_of(content) != keys_of(manifest, np.array([position])).tobytes():
        raise UserError(f"{manifest.ids[position]} has changed since its folder was listed: run the same command again")
