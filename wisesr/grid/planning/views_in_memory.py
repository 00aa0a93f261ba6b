"""Views of images as a cell reads them that are kept, without keeping any: for a plan, which times what reading them takes."""

from __future__ import annotations

import time

from torch import Tensor

from wisesr.data.decoded import Pictures
from wisesr.data.manifest import Manifest
from wisesr.data.views import View


class ViewsInMemory(Pictures):
    """Views of the images that were asked for, in memory from then on.

    Args:
        manifest: of the images.
        view: of them.
    """

    def __init__(self, manifest: Manifest, view: View) -> None:
        self._manifest, self._view = manifest, view
        self._made: dict[int, Tensor] = {}
        self._seconds = 0.0

    def pixels(self, position: int) -> Tensor:
        """As of `Pictures`: a copy, as reading makes one."""
        if position not in self._made:
            began = time.process_time()
            self._made[position] = self._view.make(self._manifest.load(position))
            self._seconds += time.process_time() - began
        return self._made[position].clone()

    @property
    def seconds(self) -> float:
        """Of one thread for an image, to decode it."""
        return self._seconds / max(1, len(self._made))
