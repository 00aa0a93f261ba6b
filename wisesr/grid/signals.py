"""Signals that ask a grid to end, counted: it ends in order, not in the middle of something."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class SignalCounter:
    """How many of SIGINT, SIGTERM and SIGHUP have come."""

    def __init__(self) -> None:
        self.count = self.first = 0
        """`first` is the number of the first that came."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count them while the block runs, in place of what they did before; not what is ignored, as under nohup."""
        if threading.current_thread() is not threading.main_thread():  # of a launcher that runs cells in threads
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        for number in heard:
            signal.signal(number, self._add)
        try:
            yield
        finally:
            for number in heard:
                signal.signal(number, before[number])

    def _add(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self.first = self.first or number
