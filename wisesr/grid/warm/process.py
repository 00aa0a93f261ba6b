"""A process that a warm parent has forked, for who waits for it. No torch."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from wisesr.grid.warm.parent import WarmParent


class ForkedProcess:
    """Asks a parent that is ready for a child.

    Args:
        parent: that is asked.
        request: see `wisesr.grid.warm.__main__`.
        files: descriptors that go with it, the caller's to close.
    """

    def __init__(self, parent: WarmParent, request: Mapping[str, Any], files: Sequence[int]) -> None:
        self._parent, self._pid = parent, 0
        self._code: int | None = None
        try:
            parent.channel.send(request, files)
        except EOFError:
            self._code = -signal.SIGKILL

    def has_begun(self) -> bool:
        """Whether there is such a process, once the parent has answered; one that is stale or has died forks none."""
        while not self._pid and self._code is None:
            self._listen()
        return self._pid > 0

    def wait(self) -> int:
        """Its exit code, negative for a signal, once it has ended."""
        while self._code is None:
            self._listen()
        return self._code

    def kill(self) -> None:
        """SIGKILL to it and to what it has started; it may have ended."""
        for send in (os.kill, os.killpg) if self.has_begun() and self._code is None else ():  # it may not lead its session yet
            with suppress(ProcessLookupError):  # a zombie at worst while its parent lives
                send(self._pid, signal.SIGKILL)

    def _listen(self) -> None:
        try:
            answer = self._parent.channel.receive(wait=True)
        except EOFError:  # the parent was killed, and its child with it
            self._code = -signal.SIGKILL
            return
        assert answer is not None
        message = answer[0]
        self._pid = message.get("pid", self._pid)
        self._code = message.get("code", self._code)
