"""Whole messages of JSON, and open files with them, between a grid and a slot's warm parent. No torch.

Files are handed on as the kernel does it: https://man7.org/linux/man-pages/man7/unix.7.html, SCM_RIGHTS.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

_LARGEST = 1 << 16
"""Bytes of a message."""
_FILES = 3
"""Open files of a message, at most."""


class Channel:
    """One end of a pair of sockets."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    @classmethod
    def from_descriptor(cls, descriptor: int) -> Channel:
        """The end that a process was started with."""
        os.set_inheritable(descriptor, False)
        return cls(socket.socket(fileno=descriptor))

    def send(self, message: Mapping[str, Any], files: Sequence[int] = ()) -> None:
        """Send a message, and copies of these descriptors; the other side need not be listening yet.

        Raises:
            EOFError: the other end is closed.
        """
        try:
            self._end.setblocking(True)
            socket.send_fds(self._end, [json.dumps(message).encode()], list(files))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError from error

    def receive(self, *, wait: bool) -> tuple[dict[str, Any], list[int]] | None:
        """A message and its descriptors, which are this process's to close; None if there is none yet and `wait` is false.

        Raises:
            EOFError: the other end is closed, and all was read.
        """
        try:
            self._end.setblocking(wait)  # in place of MSG_DONTWAIT: recv_fds does not hand its flags on
            data, files, _, _ = socket.recv_fds(self._end, _LARGEST, _FILES)
        except BlockingIOError:
            return None
        except ConnectionResetError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        for file in files:
            os.set_inheritable(file, False)
        return json.loads(data), files

    def close(self) -> None:
        """Close this end."""
        self._end.close()


def channel_pair() -> tuple[Channel, socket.socket]:
    """This process's end, and the one that a child is to have."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(ours), theirs
