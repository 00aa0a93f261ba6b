"""Pictures that `wisesr explain` is given: those that `wisesr predict` finds, but of folders and patterns only some."""

from __future__ import annotations

from collections.abc import Sequence


def choose_pictures(paths: Sequence[str], limit: int) -> tuple[list[str], list[str], list[str]]:
    """Files to be explained, each once, those that are named first.

    Args:
        paths: files, which are taken whether they are there or not, folders, and patterns.
        limit: pictures of all folders and patterns together; of more, so many evenly spaced ones.

    Returns:
        The files; sentences on what is left out; sentences on what is wrong with a path.
    """
    from wisesr.inference.prediction.paths import Skipped, pictures_of

    skipped = Skipped()
    named: dict[str, None] = {}
    others: dict[str, None] = {}
    problems = []
    for path in paths:
        for found in pictures_of(path, skipped):
            if found.problem:
                problems.append(f"{found.path}: {found.problem}")
            else:
                (named if found.path == path else others)[found.path] = None
    some = [one for one in others if one not in named]
    notes = [str(skipped)] if skipped.kinds else []
    if len(some) > limit:
        notes.append(f"{limit} of {len(some):,} pictures of folders, evenly spaced: --limit takes more.")
        some = [some[number * len(some) // limit] for number in range(limit)]
    return [*named, *some], notes, problems
