"""Whether the code that a record was computed by is that of another record, or that of now; and which files differ.

Records of before 2026-11-30 know of their code only a hash of the whole package. Two of them have the same code where that is
the same; against later ones, which note it too, the same holds, and where it differs nobody can tell whether it concerns them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from wisesr.results.code import Code, changed_files, named, read_code_of, unlike_files
from wisesr.results.provenance import package_hash
from wisesr.results.record import Provenance

BEFORE_FILES = "records of before 2026-11-30 hold one hash of all of wisesr, and that has changed"
"""Why some code cannot be held against other code."""


class CodeComparison(NamedTuple):
    """What can be told of the code of several records."""

    files: tuple[str, ...]
    """That differ among those that have them."""
    codes: Mapping[str, Code]
    """By `provenance.source`, of those whose code.json is there."""
    of_package: bool
    """Whether two that know only of the whole package differ."""
    apart: bool
    """Whether some know only of the whole package, which others note to be another."""
    lost: bool
    """Whether files of some are not known any more, and others have another source."""


def code_change(made: Provenance, directory: Path, now: Code) -> str:
    """What has become of a record's code, as part of a sentence; empty where it is what it was.

    Args:
        made: of the record.
        directory: of its cell.
        now: what its configuration would compute by.
    """
    if not made.code:
        return "" if made.source == package_hash() else "the code of wisesr has changed since"
    if made.source == now.source:
        return ""
    then = _own_code(made, directory)
    if then is None:
        return "the code has changed since (which files cannot be told: its code.json is gone)"
    return f"the code has changed since: {named(changed_files(then, now))}"


def _own_code(made: Provenance, directory: Path) -> Code | None:
    """The files of a record's code; None where its code.json is gone, or is that of another attempt."""
    code = read_code_of(directory)
    return code if code is not None and code.source == made.source else None


def compare_code(records: Iterable[tuple[Provenance, Path]]) -> CodeComparison:
    """Hold the code of records against one another. Files of one source are read once.

    Args:
        records: each with the directory of its cell.
    """
    noted: dict[str, Code | None] = {}
    packages: set[str] = set()
    whole: set[str] = set()
    for made, directory in records:
        if not made.code:
            whole.add(made.source)
            continue
        packages.add(str(made.code.get("package")))
        if noted.get(made.source) is None:
            noted[made.source] = _own_code(made, directory)
    known = {source: code for source, code in noted.items() if code is not None}
    apart = bool(whole and packages) and len(whole | packages) > 1
    lost = len(noted) > 1 and len(known) < len(noted)
    return CodeComparison(tuple(unlike_files(known.values())), known, len(whole) > 1, apart, lost)
