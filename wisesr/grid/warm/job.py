"""A cell in a process that a slot's warm parent has forked, as the grid watches, interrupts and kills it. No torch."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from wisesr.cell.run import FAILED, INTERRUPTED
from wisesr.grid.cell_process import ProcessJob
from wisesr.grid.warm.parent import WarmParent, WarmSlot

_DEATH = 5.0
"""Seconds in which the kernel has surely ended a process that was killed."""
_TRIES = 3
"""Parents that are asked: one may have been stale, and one have died. Then the slot's cells get a Python of their own."""


class ForkedJob:
    """A cell that a warm parent was asked to fork; it may still be importing.

    Args:
        slot: whose parent is asked.
        request: see `wisesr.grid.warm.__main__`.
        files: that go with it; this closes them as soon as the child has them.
        spawn: starts the cell in a Python of its own, where no parent can be had; the files are still open then.
    """

    name = ended = ""
    """As of `ProcessJob`; and why the cell could not be started after all."""

    def __init__(
        self, slot: WarmSlot, request: Mapping[str, Any], files: Sequence[IO[Any]], spawn: Callable[[], ProcessJob]
    ) -> None:
        self._slot, self._request, self._files, self._spawn = slot, request, files, spawn
        self._parent: WarmParent | None = None
        self._spawned: ProcessJob | None = None
        self._pid = 0
        self._pidfd = -1
        self._code: int | None = None
        self._tries = 0
        self._ask()

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs. What it has left running ends with it."""
        while self._code is None and self._spawned is None and self._listen(wait=False):
            pass
        return self._code if self._spawned is None else self._spawned.poll()

    def interrupt(self) -> None:
        """SIGINT to the cell alone; one that was not forked yet is not started."""
        if self.poll() is not None:
            return
        if self._spawned is not None:
            self._spawned.interrupt()
        elif self._pid:
            with suppress(ProcessLookupError):  # a zombie at worst while its parent lives
                os.kill(self._pid, signal.SIGINT)
        else:
            self._slot.drop()
            self._end(INTERRUPTED)

    def kill(self) -> None:
        """SIGKILL to all of its session."""
        self.interrupt()
        if self._spawned is not None:
            self._spawned.kill()
            return
        if self._code is None:
            self._slot.drop()  # it may be stopped, and would not tell of the child's end
            self._end(-signal.SIGKILL)

    def _ask(self) -> None:
        """Send the request to a parent; where there is none, start a Python."""
        while self._tries < _TRIES and (parent := self._slot.parent()) is not None:
            self._tries += 1
            try:
                parent.channel.send(self._request, [file.fileno() for file in self._files])
            except EOFError:  # it has died since the last cell
                self._slot.lose()
            else:
                self._parent = parent
                return
        if self._tries == _TRIES:
            self._slot.give_up(f"{_TRIES} processes to fork it from have ended before they did")
        try:
            self._spawned = self._spawn()
        finally:
            self._close_files()

    def _ask_again(self) -> None:
        """Where that fails the cell has failed, and the grid goes on."""
        try:
            self._ask()
        except OSError as error:
            self.ended = f"it could not be started: {error}"
            self._end(FAILED)

    def _listen(self, *, wait: bool) -> bool:
        """Take the parent's next message; whether there was one."""
        assert self._parent is not None
        try:
            answer = self._parent.channel.receive(wait=wait)
        except EOFError:
            self._lose_parent()
            return True
        if answer is None:
            return False
        message = answer[0]
        if "pid" in message:
            self._has_child(message["pid"])
        elif "code" in message:
            self._end(message["code"])
        elif "ready" in message:
            self._parent.is_ready = True
        else:
            self._slot.hear_end(message)
            self._ask_again()
        return True

    def _has_child(self, pid: int) -> None:
        """The child was forked: it holds the log and the lock now."""
        self._pid = pid
        with suppress(OSError):  # parent and child were killed; a kernel before Linux 5.3, or a sandbox, has no such call
            self._pidfd = os.pidfd_open(pid)
        self._close_files()

    def _lose_parent(self) -> None:
        """The parent has died, and the kernel has killed its child; without a child another parent is asked."""
        self._slot.lose()
        if self._pid:
            self._end(-signal.SIGKILL)
        else:
            self._ask_again()

    def _end(self, code: int) -> None:
        self._end_session()
        self._close_files()
        if self._pidfd >= 0:
            # A parent's end is seen before its child's: the slot is free after both.
            select.select([self._pidfd], [], [], _DEATH)
            os.close(self._pidfd)
        self._code = code

    def _end_session(self) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)

    def _close_files(self) -> None:
        for file in self._files:
            file.close()
