"""Images that lie in files below a folder: how a manifest reads them. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wisesr.data.images import PixelRules, open_rgb


@dataclass(frozen=True, eq=False)
class FileImages:
    """`Manifest.load` of a dataset of files."""

    base: Path
    """The folder that all names are below."""
    names: Sequence[str]
    rules: PixelRules = field(default_factory=PixelRules)
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.array([], np.int64))
    """Bytes, a file each."""
    changed: NDArray[np.int64] = field(default_factory=lambda: np.array([], np.int64))
    """Time of the last change of the content, ns, a file each."""
    touched: NDArray[np.int64] = field(default_factory=lambda: np.array([], np.int64))
    """Time of the last change of the file itself, ns."""

    def __call__(self, index: int) -> Image.Image:
        """The RGB image at an index.

        Raises:
            UserError: it cannot be read.
        """
        return open_rgb(self.base / self.names[index], self.rules)

    def content(self, index: int) -> bytes:
        """The file at an index, as it lies there now.

        Raises:
            OSError: it cannot be read.
        """
        return (self.base / self.names[index]).read_bytes()
