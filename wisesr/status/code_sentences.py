"""Whether two records were computed by the same code, in sentences that name files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wisesr.results.code import named
from wisesr.results.record import Provenance
from wisesr.results.same_code import BEFORE_FILES, compare_code


def code_sentences(records: Sequence[tuple[Provenance, Path]]) -> list[str]:
    """What differs in the code of two records, and what nobody can tell of it; nothing where it is the same.

    Args:
        records: each with the directory of its cell.
    """
    found, sentences = compare_code(records), []
    attempts = [made.sources for made, _ in records if not made.code]
    if found.files:
        sentences.append(f"They were not computed by the same code: {named(found.files)}.")
    if found.of_package or len(set(attempts)) > 1:
        sentences.append("They were not computed by the same code of wisesr: its source differs.")
    if found.apart:
        sentences.append(f"Nobody can tell whether they were computed by the same code: {BEFORE_FILES}.")
    if found.lost:
        sentences.append("Nobody can tell whether they were computed by the same code: code.json is gone.")
    for name, (made, _) in zip(("first", "second"), records, strict=True):
        if edited := made.code.get("edited"):
            sentences.append(
                f"Code of the {name} was edited between its attempts, or while it began: {named(map(str, edited))}."
            )
    return sentences
