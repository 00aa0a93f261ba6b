"""What a command asks of its grid, and where its user hears of it. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rich.console import Console

from wisesr.grid.batch import Batch
from wisesr.grid.cluster import Cluster
from wisesr.terminal import tell


class GridCommand(NamedTuple):
    """A command that runs cells, or plans them."""

    grid: Mapping[str, Any]
    """Its settings `grid`."""
    cluster: Cluster | None
    """Whose jobs the cells are to be; None for this machine."""
    console: Console
    began: float
    """Seconds since 1970."""
    batch: Batch | None = None
    """Where its cells are some of those of a search."""

    @property
    def plans(self) -> bool:
        """Whether nothing is to start."""
        return bool(self.grid["plan"])

    def say(self, sentence: str) -> None:
        """Tell the user a sentence."""
        tell(self.console, sentence)

    def warn(self, sentence: str) -> None:
        """The same, in red."""
        tell(self.console, sentence, "red")
