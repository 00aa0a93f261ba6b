"""Pictures that `wisesr explain` is given: files by their names, folders by what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wisesr.wording import natural_key


def find_pictures(paths: Sequence[str], limit: int) -> tuple[list[Path], list[str], list[str]]:
    """Files to be explained, each once.

    Args:
        paths: files, which are taken whether they are there or not, and folders, of which every picture at any depth counts.
        limit: pictures of all folders together; of more, so many evenly spaced ones.

    Returns:
        The files; sentences on what is left out; sentences on what is wrong with a path.
    """
    from wisesr.data.image_formats import is_image

    files: list[Path] = []
    found: list[Path] = []
    problems: list[str] = []
    for path in map(Path, paths):
        if not path.is_dir():
            files.append(path)
            continue
        inside = [file for file in path.rglob("*") if is_image(file.name) and not file.name.startswith(".")]
        found += sorted(inside, key=lambda file: natural_key(file.as_posix()))
        if not inside:
            problems.append(f"{path}: no picture in it")
    notes = []
    if len(found) > limit:
        notes.append(f"{limit} of {len(found):,} pictures of folders, evenly spaced: --limit takes more.")
        found = [found[number * len(found) // limit] for number in range(limit)]
    return list(dict.fromkeys([*files, *found])), notes, problems
