"""What the batches of a search have in common: what was told, warm parents, how its cells are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.slots import Slot
from wisesr.grid.warm.slots import WarmSlots, warm_slots


class KeptWarm:
    """`warm_slots` whose parents outlive a batch: the cells of the next find them with all imports done.

    A batch of one cell is forked too, as more will come. Parents end with this process.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._made: tuple[Sequence[Slot], int, WarmSlots] | None = None
        self._edited: Callable[[], None] = lambda: None

    @contextmanager
    def __call__(
        self,
        cells: Sequence[Cell],
        slots: Sequence[Slot],
        how: str,
        say: Callable[[str], None],
        *,
        begin: bool = True,
        edited: Callable[[], None] = lambda: None,
    ) -> Iterator[WarmSlots]:
        """As `warm_slots`; others are made only where the slots are others, or more of them are taken."""
        self._edited = edited  # of this batch, also where a parent is an earlier one's
        taken = min(len(cells), len(slots))
        if self._made is None or list(self._made[0]) != list(slots) or taken > self._made[1]:
            self.close()
            made = warm_slots(cells, slots, how, say, begin=begin, more=True, edited=lambda: self._edited())
            warm = self._stack.enter_context(made)
            self._made = slots, taken, warm
        yield self._made[2]

    def close(self) -> None:
        """End the parents."""
        self._stack.close()
        self._made = None


class Batch(NamedTuple):
    """Cells of a search that run together."""

    settings: Mapping[Path, str]
    """What tells each cell of the search from the others, by its directory: `head.dropout=0.3`."""
    told: set[str]
    """Sentences that were said before an earlier batch."""
    warm: KeptWarm
