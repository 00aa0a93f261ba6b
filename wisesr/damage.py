"""What is damaged of a cell on disk: one word, one sentence and one way out, for every command that meets it. No torch.

A cell is damaged where one of its files cannot be read, or contradicts another. Nothing is repaired here, and nobody trains a
damaged cell: what is still good in it would be written over. It stands above `wisesr.results`: it takes the configuration too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from wisesr.config.files import load_cell
from wisesr.config.identity import computation, fingerprint
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.results.atomic_files import read_json
from wisesr.results.cell_files import BEST, CONFIG, LAST, RESULT, STARTED
from wisesr.results.damaged_files import damaged_files, torn
from wisesr.results.installation import COMMAND
from wisesr.results.labels import parse_labels
from wisesr.results.left_alone import WAY_OUT
from wisesr.results.record import Record
from wisesr.results.record_file import NewerRecordError, RecordError, load_record
from wisesr.results.redo import REDO
from wisesr.results.state import State

_AGAIN = "the command that made it"
_NAMED = re.compile(r"seed-\d+(?:-fold-\d+)?-([0-9a-f]{8})")


class Found(NamedTuple):
    """What the files of a cell say."""

    config: Config | None
    """Of `config.yaml`; where that is damaged, of a whole record; None where neither can be read."""
    record: Record | None
    """Whose figures stand; None where there is none, or none that can be believed."""
    state: State | None = None
    """DAMAGED, NEWER, or None where nothing is wrong."""
    reason: str = ""
    """What is wrong, and the way out."""
    files: tuple[str, ...] = ()
    """Names of the damaged files."""

    @property
    def verdict(self) -> str:
        """To follow its name: `is damaged: best.ckpt is missing ...`; empty where nothing is wrong."""
        return f"is {self.state}: {self.reason}" if self.state is State.DAMAGED else self.reason


def examine(directory: Path, *, expected: str | None = None, running: bool = False) -> Found:
    """Look at a cell's files; nothing is changed.

    Args:
        directory: that holds a `config.yaml`, or has lost it.
        expected: fingerprint of the configuration that it is to be; None for what its name and its record say.
        running: whether a process is at it, whose files come and go: only configuration and record are looked at then.

    Raises:
        UserError: a file may not be read, or the disk does not answer: nothing is known.
    """
    try:
        record, of_record = load_record(directory), ""
    except NewerRecordError as error:
        return Found(_config(directory, None)[0], None, State.NEWER, f"was {error}{WAY_OUT}`pip install --upgrade wisesr`")
    except RecordError as error:
        record, of_record = None, str(error)
    except UserError as error:
        raise UserError(f"{directory}: {error}") from error
    config, of_config = _config(directory, record)
    known = expected or _known_name(directory, record)
    wrong = {CONFIG: of_config, RESULT: of_record} | dict(_of_another(config, record, known))
    if not running and not (directory / REDO / RESULT).exists():  # whose files are about to take the places of these
        wrong |= dict(damaged_files(directory, config or {}, record, finished=bool(record or of_record)))
    wrong = {name: text for name, text in wrong.items() if text}
    if not wrong:
        return Found(config, record)
    reason = f"{'; '.join(wrong.values())}{WAY_OUT}{_way_out(directory, wrong, record, known)}"
    believed = record is not None and (not known or record.fingerprint.startswith(known))
    placed = _plain(record) if record is not None and CONFIG in wrong and believed else config
    return Found(placed, None if {CONFIG, RESULT} & set(wrong) else record, State.DAMAGED, reason, tuple(wrong))


def was_begun_as(directory: Path, name: str) -> bool:
    """Whether a directory without its `config.yaml` holds what came of the configuration with this fingerprint."""
    try:
        record = load_record(directory)
    except UserError:
        record = None
    return name in (_begun(directory), record.fingerprint if record is not None else "")


def _config(directory: Path, record: Record | None) -> tuple[Config | None, str]:
    """The configuration; or none, and what is wrong with it. One that is just that of the record is in order.

    Raises:
        UserError: the file may not be read.
    """
    try:
        config = load_cell(directory)
        parse_labels(config)
        if record is None or record.config != config:
            computation(config)
    except UserError as error:
        if isinstance(error.__context__, FileNotFoundError):
            return None, f"{CONFIG} is missing"
        if isinstance(error.__context__, OSError):
            raise
        return None, _short(str(error), directory)
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        return None, f"{CONFIG}: {_short(str(error), directory)}"
    return config, ""


def _short(text: str, directory: Path) -> str:
    """A reader's message in one line, without the directory, which whoever shows it names, and without a parser's words."""
    line = " ".join(text.replace(f"{directory}/", "").split()).rstrip(".")
    return re.sub(r"is no YAML: .*?(line \d+).*", r"is no YAML (\1)", line)


def _plain(record: Record) -> Config | None:
    """The configuration of a record, where a cell can be named by it."""
    try:
        parse_labels(record.config)
    except UserError:
        return None
    return dict(record.config)


def _known_name(directory: Path, record: Record | None) -> str:
    """The fingerprint, or its beginning, of what a command made the directory for; empty where nothing tells."""
    named = _NAMED.fullmatch(directory.name)
    if named and (directory / COMMAND).exists():
        return named[1]
    return _begun(directory) if record is None else ""


def _of_another(config: Config | None, record: Record | None, known: str) -> Iterator[tuple[str, str]]:
    """(name, what is wrong) of a configuration and a record that do not belong together, or not where they lie."""
    if config is None or (record is None and not known):
        return
    if record is not None and _is_of(record, config):
        if known and not record.fingerprint.startswith(known):
            yield CONFIG, f"{CONFIG} and {RESULT} are of another configuration than the directory is named after"
        return
    own = not known or fingerprint(config).startswith(known)
    if record is not None and known and own and not record.fingerprint.startswith(known):
        yield RESULT, f"{RESULT} is the record of another configuration"
    elif record is not None:
        yield CONFIG, f"{CONFIG} was edited: it is not the configuration of the record"
    elif not own:
        yield CONFIG, f"{CONFIG} was edited: it is not the configuration that the directory is named after"


def _begun(directory: Path) -> str:
    """Fingerprint of the configuration with which the first attempt began; empty where nobody wrote it down."""
    started = read_json(directory / STARTED)
    name = started.get("fingerprint") if isinstance(started, dict) else None
    return name if isinstance(name, str) else ""


def _is_of(record: Record, config: Config) -> bool:
    if record.config == config:  # which spares working out what of it is computed
        return bool(record.protocol == config["protocol"])
    try:
        return computation(record.config) == computation(config) and record.protocol == config["protocol"]
    except (AttributeError, TypeError, ValueError, RecursionError):
        return False


def _way_out(directory: Path, wrong: Mapping[str, str], record: Record | None, known: str) -> str:
    """What to remove, as little as helps, and what then comes in its place."""
    name, own = known or _begun(directory), record.fingerprint if record else _begun(directory)
    if CONFIG in wrong and not (directory / CONFIG).exists():
        if not own or not own.startswith(name):  # nothing tells whose files these are
            return f"move {shlex.quote(str(directory))} away; {_AGAIN} then trains it again"
        wrong = {file: text for file, text in wrong.items() if file != CONFIG}
        if not wrong:
            return f"{_AGAIN} writes it again"
    if list(wrong) == [CONFIG] and name and own.startswith(name):
        return f"`rm {shlex.quote(str(directory / CONFIG))}`; {_AGAIN} then writes it again"
    whole = all((directory / name).exists() and not torn(directory / name) for name in (BEST, LAST))
    if CONFIG not in wrong and whole and _begun(directory):
        remove = "rm -r" if (directory / RESULT).is_dir() else "rm"
        return f"`{remove} {shlex.quote(str(directory / RESULT))}`; {_AGAIN} then tests its checkpoints again, without training"
    return f"`rm -r {shlex.quote(str(directory))}`; {_AGAIN} then trains it again"
