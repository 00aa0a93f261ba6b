"""`result.json`, the record of a finished cell on disk.

It is written last and atomically: a directory with a valid record holds everything else too. How the file is laid out and
what may stand in it say the annotations of `Record`; `parse_record` names whatever is wrong with one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wisesr.errors import UserError
from wisesr.results.atomic_files import write_json
from wisesr.results.cell_files import RESULT
from wisesr.results.checks import Check, is_count, problem
from wisesr.results.fields import checks_of, make
from wisesr.results.record import Record

SCHEMA = 1


class RecordError(UserError):
    """A `result.json` that this version cannot read, or that is damaged. Its text says why."""


class NewerRecordError(RecordError):
    """A `result.json` of a newer version of wisesr: nothing is wrong with it, and it is not to be written over."""


_CHECKS: dict[str, Check] = {
    **dict(checks_of(Record)),
    **{f"provenance.data.images.{split}": is_count for split in ("test", "train")},
}


def parse_record(value: Any) -> Record:
    """A record from the content of `result.json`.

    Raises:
        RecordError: it is of another schema, lacks something, or holds what cannot be; the text names the file.
        NewerRecordError: a newer version wrote it.
    """
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise RecordError(f"{RESULT} is no record: it states no schema")
    if schema != SCHEMA:
        age, kind = ("an older", RecordError) if schema < SCHEMA else ("a newer", NewerRecordError)
        raise kind(f"written by {age} version (record schema {schema}; this one reads {SCHEMA})")
    if value.get("status") != "done":
        raise RecordError(f"{RESULT} is no record of a finished cell")
    if wrong := problem(value, _CHECKS):
        raise RecordError(f"{RESULT}: {wrong}")
    return make(Record, value)


def load_record(directory: Path) -> Record | None:
    """The record of a cell; None where there is none.

    Raises:
        RecordError: there is one, of another version or damaged.
        UserError: the file cannot be read.
    """
    try:
        value = json.loads((directory / RESULT).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise RecordError(f"{RESULT} is a directory") from None
    except OSError as error:
        raise UserError(f"{RESULT} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        raise RecordError(f"{RESULT} is no JSON: cut short, or overwritten") from None
    return parse_record(value)


def read_record(directory: Path) -> Record | None:
    """The record of a cell; None where there is none, or none that this version can read: the cell is not done, then.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return load_record(directory)
    except RecordError:
        return None


def write_record(directory: Path, content: Mapping[str, Any]) -> None:
    """`result.json` of a finished cell: what `Record` reads, under the keys of the file.

    Raises:
        RecordError: it could not be read again, and is not written.
    """
    whole = {"schema": SCHEMA, "status": "done", **content}
    parse_record(json.loads(json.dumps(whole)))
    write_json(directory / RESULT, whole)
