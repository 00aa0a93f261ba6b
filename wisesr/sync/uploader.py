"""One offline run to the server, with wandb's own `wandb sync` in a process of its own.

What it does, tried with wandb 0.31 against a server that refuses, stalls and dies (tests/sync):

- Its exit code is 0 whatever happens, and it may leave its mark `.synced` beside a file of which the server has nothing:
  what counts is the mark and that it complained of nothing.
- To a run that the server has, it appends: the second upload of a file doubles its rows. An id that was deleted there is
  refused for ever. So each upload has an id that was never used.
- It tries for many minutes to reach a server that is away; here three times, and not beyond a limit.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlparse

from wisesr.encoding import CHILD_OUTPUT
from wisesr.results.lock import locked
from wisesr.results.run_address import web_address
from wisesr.sync.uploads import Destination, Sent, SyncCell, UploadState, note_attempt, note_success, read_sync_cell
from wisesr.wording import some_of

_RETRIES = {
    "WANDB__GRAPHQL_RETRY_MAX": "3",
    "WANDB__GRAPHQL_RETRY_WAIT_MIN_SECONDS": "1",
    "WANDB__GRAPHQL_RETRY_WAIT_MAX_SECONDS": "4",
    "WANDB__FILE_STREAM_RETRY_MAX": "5",
    "WANDB__FILE_TRANSFER_RETRY_MAX": "5",
}
"""wandb's own settings by their environment variables; it ignores those that it does not know."""

_LEFT_TO_US = ("WANDB_MODE", "WANDB_RUN_ID", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_RUN_GROUP", "WANDB_NAME", "WANDB_SILENT")


_DAMAGED = ("Failed to read", "incomplete record")
"""What wandb says of a file that is none of its own, or not whole."""


class UploadError(Exception):
    """Why a run is not on the server; its text is for the user."""


class CellError(UploadError):
    """It lies with the cell or its file: other runs may be sent all the same."""


class Uploader:
    """Sends runs, several at a time where several threads ask.

    Args:
        timeout: seconds for one run.
        again: whether runs that were sent before are sent again.
        environment: of the processes, with the key.
    """

    def __init__(self, *, timeout: float, again: bool, environment: Mapping[str, str]) -> None:
        self._timeout, self._again = timeout, again
        kept = {name: value for name, value in environment.items() if name not in _LEFT_TO_US}
        self._environment = _RETRIES | kept
        self._running: set[subprocess.Popen[str]] = set()
        self._guard = threading.Lock()
        self._stopped = False

    def send(self, cell: SyncCell) -> Sent:
        """Upload a cell's offline run under a new id, and note it in the cell.

        Raises:
            UploadError: that did not succeed; the cell is as it was, but for the id that was used up.
        """
        where = cell.destination
        with locked(cell.directory) as mine:
            if not mine:
                raise CellError("another process works on this cell")
            now = read_sync_cell(cell.directory, cell.name, project=where.project, entity=where.entity)
            if now.offline is None and now.state is UploadState.SENT:
                raise CellError("its W&B files were removed by `wisesr clean`")
            sendable = (UploadState.OFFLINE, UploadState.SENT) if self._again else (UploadState.OFFLINE,)
            if now.offline is None or now.state not in sendable:
                raise CellError(f"it changed meanwhile, and is now {now.state.value}")
            identifier = secrets.token_hex(4)
            note_attempt(cell.directory, identifier)
            entity, project, url = self._upload(now.offline, identifier, where)
            sent = Sent(identifier, entity, project, now.offline.name, url)
            note_success(cell.directory, sent)
        return sent

    def stop(self) -> None:
        """End all that runs; what is asked for later fails at once."""
        with self._guard:
            self._stopped = True
            for process in self._running:
                _kill(process)

    def _upload(self, folder: Path, identifier: str, where: Destination) -> tuple[str, str, str]:
        for left in (*folder.glob("*.wandb.synced"), *folder.glob("*.wandb.syncstate")):  # of an upload under another id
            left.unlink()
        output = self._run(folder, identifier, where)
        complaints = [line for line in output.splitlines() if line.startswith("wandb: ERROR")]
        if complaints:
            kind = CellError if any(phrase in line for line in complaints for phrase in _DAMAGED) else UploadError
            raise kind(some_of([_plain(line) for line in complaints], 2, "; "))
        if not any(folder.glob("*.wandb.synced")):
            raise UploadError(f"wandb sync did not finish: {_plain((output.splitlines() or ['it said nothing'])[-1])}")
        return _place(output, identifier, where)

    def _run(self, folder: Path, identifier: str, where: Destination) -> str:
        entity = ["--entity", where.entity] if where.entity else []
        options = ["--include-synced", "--id", identifier, "--project", where.project, *entity]
        command = [sys.executable, "-m", "wandb", "sync", *options, str(folder.absolute())]
        with self._guard:
            if self._stopped:
                raise UploadError("not tried")
            process = subprocess.Popen(
                command,
                env={**self._environment, **CHILD_OUTPUT},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
        try:
            output, _ = process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired:
            raise UploadError(f"not done within {self._timeout:g} seconds (--timeout)") from None
        finally:
            _kill(process)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
            with self._guard:
                self._running.discard(process)
        if process.returncode and self._stopped:
            raise UploadError("broken off")
        if process.returncode:
            raise UploadError(f"wandb sync ended with {process.returncode}: {_plain((output.splitlines() or [''])[-1])}")
        return output


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process, if it still runs; with wandb's own background process, which is of its session."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _place(output: str, identifier: str, where: Destination) -> tuple[str, str, str]:
    """Entity, project and address of the run as the server has them, from what `wandb sync` prints."""
    for address in re.findall(r"https?://\S+", output):
        parts = urlparse(address).path.strip("/").split("/")
        if len(parts) >= 4 and parts[-2:] == ["runs", identifier]:
            return unquote(parts[-4]), unquote(parts[-3]), web_address(address)
    return where.entity or "", where.project, ""


def _plain(line: str) -> str:
    """A line of wandb's without the mark that it begins with."""
    return re.sub(r"^wandb:\s*(ERROR)?\s*", "", line.strip())
