"""`wisesr cache`: what this machine keeps between cells, told and freed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from wisesr.data.rows.stock import Part

_CACHE = """\
What this machine keeps so that cells need not do it again, for all studies:

  decoded     images decoded and resized, as bytes (dataset.cache)
  maps        feature maps of frozen backbones (dataset.features)
  manifests   what lies in the files of datasets, and their lists

Without options it tells what there is: of which dataset, how many images, how
much disk, when it was used last, and whether a process reads it now. Images are
found by their content, so that copies, parts and folds of a dataset share what
is kept, and no cell gets another's. All of it may go at any time: it is made
again when a cell needs it, with the same numbers.

It lies in WISESR_CACHE, else in $XDG_CACHE_HOME/wisesr, else in ~/.cache/wisesr;
--dir names the folder of a dataset.cache_dir. WISESR_CACHE_LIMIT=50GB bounds
decoded images and maps for good: before a cell makes more, those go that were
used least recently. Unset, a cell makes no more than half of what the disk has
free, and no more than 50 GB; nine tenths where it was told to keep them.

What a process reads or makes now is left alone, unless --force is given: on
Linux a reader keeps the files that it has open, and one that writes goes on
without keeping anything.

exit code: 1 if something that was to go is in use, or could not be removed

examples:
  wisesr cache                          what is kept
  wisesr cache --clear                  remove all of it
  wisesr cache --clear decoded          all decoded images
  wisesr cache --clear stl10 3f9a12cd   of a dataset; and by a key of the table
  wisesr cache --at-most 20GB           the least recently used go, to fit that
  wisesr cache --dir /scratch/me/rows   what lies in a dataset.cache_dir
"""


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _CACHE
    parser.set_defaults(run=cache)
    either = parser.add_mutually_exclusive_group()
    help_clear = "remove what is named: decoded, maps, manifests, all (default), a dataset, the beginning of a key"
    either.add_argument("--clear", metavar="WHAT", nargs="*", help=help_clear)
    help_most = "remove decoded images and maps, the least recently used first, until they take no more: 20GB, 1.5TB"
    either.add_argument("--at-most", metavar="SIZE", help=help_most)
    parser.add_argument("--force", action="store_true", help="also what is in use")
    help_folder = "a folder that a dataset.cache_dir names, in place of this machine's"
    parser.add_argument("--dir", metavar="FOLDER", type=Path, dest="folder", help=help_folder)


def cache(chosen: argparse.Namespace) -> int:
    """Tell what is kept, or remove some of it.

    Returns:
        1 if something was to go and did not.

    Raises:
        UserError: there is no such folder, nothing of such a name, a size is none.
    """
    from wisesr.grid.console import make_console, say
    from wisesr.space.cache_table import print_kept
    from wisesr.space.kept import kept_rows

    console, place = make_console(), _place(chosen.folder)
    if chosen.force and chosen.clear is None and chosen.at_most is None:
        raise UserError("--force says how to remove, and nothing is to be removed: add --clear or --at-most SIZE")
    if place is None:
        say(console, "Nothing is kept on this machine.")
        return 0
    if chosen.clear is not None:
        return _clear(console, place, chosen.clear or ["all"], force=chosen.force)
    if chosen.at_most is not None:
        return _shrink(console, place, chosen.at_most, force=chosen.force)
    print_kept(console, place, kept_rows(place))
    return 0


def _place(folder: Path | None) -> Path | None:
    from wisesr.space.cache import cache_place

    if folder is None:
        return cache_place()
    if not folder.expanduser().is_dir():
        raise UserError(f"--dir must be a folder, as of dataset.cache_dir, not {folder}")
    return folder.expanduser()


def _clear(console: Console, place: Path, words: Sequence[str], *, force: bool) -> int:
    """Remove what words name."""
    from wisesr.data.rows.stock import parts, remove_empty, stores
    from wisesr.grid.console import say
    from wisesr.space.cache import CONTENTS, MANIFESTS, clear_kind
    from wisesr.space.kept import ALL, FILES, chosen_parts
    from wisesr.wording import size

    going = chosen_parts(parts(place), words)
    files = sum(clear_kind(place, name) for name in (CONTENTS, MANIFESTS)) if {ALL, FILES} & set(words) else 0
    if files:
        say(console, f"removed: what is known of datasets' files, {size(files)}")
    code = _remove(console, going, files, force=force)
    for folder in stores(place):
        remove_empty(folder)
    return code


def _shrink(console: Console, place: Path, most: str, *, force: bool) -> int:
    """Remove what was used least recently, until the others take no more than a size."""
    from wisesr.data.rows.room import least_recently_used, parse_size
    from wisesr.data.rows.stock import parts
    from wisesr.grid.console import say
    from wisesr.wording import size

    kept, goal = parts(place), parse_size(most, "--at-most")
    surplus = sum(part.bytes for part in kept) - goal
    if surplus <= 0:
        say(console, f"Decoded images and feature maps take {size(goal + surplus)}: nothing has to go.")
        return 0
    going = least_recently_used(kept, surplus, force=force)
    code = _remove(console, going, 0, force=force)
    if sum(part.bytes for part in going) < surplus:
        say(console, f"The others are in use, and take {size(sum(part.bytes for part in parts(place)))}.")
        return 1
    return code


def _remove(console: Console, going: Sequence[Part], before: int, *, force: bool) -> int:
    """Remove parts, and tell of each, and how many bytes are free with those of before."""
    from wisesr.data.rows.room import describe
    from wisesr.data.rows.stock import is_in_use, remove
    from wisesr.grid.console import say
    from wisesr.wording import size

    count, left = before, 0
    for part in going:
        if remove(part, force=force):
            count += part.bytes
            say(console, f"removed: {describe(part)}")
        else:
            left += 1
            reason = "in use" if is_in_use(part) else "FAILED, it may not be removed"
            say(console, f"left alone: {describe(part)}: {reason}")
    say(console, f"{size(count)} are free again." if count else "Nothing was removed.")
    return 1 if left else 0
