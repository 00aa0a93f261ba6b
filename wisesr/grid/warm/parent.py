"""A slot's warm parent as the grid sees it: started when it is needed, and anew when it has ended. No torch."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from wisesr.grid.cell_process import module_command
from wisesr.grid.warm.channel import channel_pair


class WarmParent:
    """The process `python -m wisesr.grid.warm`, which ends with this one.

    Args:
        environment: of it and of its children.
        wandb: whether a cell wants it.
        code: folder of frozen code that it runs from; None for the code as it is.
    """

    _MODULE: ClassVar = "wisesr.grid.warm"

    def __init__(self, environment: Mapping[str, str], *, wandb: bool = False, code: Path | None = None) -> None:
        self.channel, end = channel_pair()
        self.is_ready = False
        """Whether it has said that it has imported all."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with this
        command = [*module_command(self._MODULE, code), "--channel", str(end.fileno()), "--parent", str(os.getpid())]
        command += ["--wandb"] * wandb
        with end:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C is for the grid
                pass_fds=[end.fileno()],
            )

    def last_words(self) -> str:
        """Why it ended, once its end of the channel is closed: the last line that it has printed, or how the system puts it."""
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", errors="replace").strip().splitlines()
        code = self._process.wait()
        return lines[-1] if lines else f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def close(self) -> None:
        """End it, and with it a cell that it may have forked."""
        self._process.kill()
        self._process.wait()
        self.channel.close()
        self._said.close()


class WarmSlot:
    """A slot and the warm parent that it has now, if any.

    Args:
        start: starts one that runs from this folder of frozen code, or None.
        say: tells the user a sentence.
        edited: called where files were edited since its parent imported them, and the next one imports them anew.
    """

    def __init__(
        self, start: Callable[[Path | None], WarmParent], say: Callable[[str], None], edited: Callable[[], None] = lambda: None
    ) -> None:
        self._start, self._say, self._edited = start, say, edited
        self._parent: WarmParent | None = None
        self._code: Path | None = None
        self._given_up = False

    def use(self, code: Path | None) -> None:
        """What its parents run from, from here on: a folder of frozen code, or the code as it is."""
        if code != self._code:
            self.drop()
        self._code = code

    def parent(self) -> WarmParent | None:
        """The warm parent, which may still be importing; None where this slot does without one."""
        if self._parent is None and not self._given_up:
            try:
                self._parent = self._start(self._code)
            except OSError as error:
                self.give_up(f"none could be started: {error}")
        return self._parent

    def ready(self) -> WarmParent | None:
        """The warm parent once it has imported all; None where none can be had, which the user is told."""
        while (parent := self.parent()) is not None:
            if parent.is_ready:  # of an earlier batch of a search
                return parent
            try:
                answer = parent.channel.receive(wait=True)
            except EOFError:
                self.lose()
                continue
            assert answer is not None
            if "ready" in answer[0]:
                parent.is_ready = True
                return parent
            self.hear_end(answer[0])
        return None

    def lose(self) -> None:
        """The parent has ended without a word: the next one is started anew, or none where it had not even imported all."""
        if self._parent is not None and not self._parent.is_ready:
            self.give_up(f"the one that they were to be forked from ended while it imported: {self._parent.last_words()}")
        self.drop()

    def hear_end(self, message: Mapping[str, Any]) -> None:
        """Take a message with which a parent ends: the next one is started anew, or none any more."""
        if "unfit" in message:
            self.give_up(str(message["unfit"]))
            return
        self.drop()
        self._edited()

    def give_up(self, reason: str) -> None:
        """Do without from here on, and say why."""
        self.drop()
        if not self._given_up:
            self._say(f"Cells start in a Python of their own, each of which imports anew (grid.start): {reason}.")
        self._given_up = True

    def drop(self) -> None:
        """End the parent; the next cell gets another."""
        if self._parent is not None:
            self._parent.close()
            self._parent = None
