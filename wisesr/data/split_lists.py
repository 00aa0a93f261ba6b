"""Lists beside the list that names the images: test.csv beside train.csv is not dropped in silence. No torch."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from wisesr.data.image_list import ImageList, read_list
from wisesr.data.manifest import TEST, TRAIN, VAL
from wisesr.data.overrides import leave_out, override
from wisesr.data.split_words import alike, meant
from wisesr.errors import UserError

_ENDINGS = (".csv", ".tsv")
_JOIN = (
    'import csv,sys;n=sys.argv[1:];w=csv.writer(open(n[0],"w",newline="",encoding="utf-8"));'
    'w.writerow(["filename","class","split"]);w.writerows([r[int(f)],r[int(c)],s] for s,p,m,f,c in zip(*[iter(n[1:])]*5) '
    'for r in list(csv.reader(open(p,newline="",encoding="utf-8-sig"),delimiter={"tab":"\\t"}.get(m,m)))[1:] if r)'
)
"""Of the new list, and of each: split, file, mark between cells, positions of its two columns."""


def is_list(path: Path) -> bool:
    """Whether a file is one that may list images, by its ending."""
    return path.suffix.lower() in _ENDINGS and path.is_file()


def refuse_other_lists(
    base: Path,
    name: str,
    table: ImageList,
    *,
    columns: Mapping[str, str | None] | None,
    without: Sequence[str] = (),
) -> None:
    """Stop where a list of training images lies beside one of test images.

    Args:
        base: the root.
        name: of the list that is used, below the root or absolute.
        table: what it holds.
        columns: how its columns are called.
        without: lists that the user does without.

    Raises:
        UserError: with a command that joins them, and the override that does without the others.
    """
    splits = {row.split for row in table.rows}
    wanted = [] if TEST in splits else [TEST] if VAL in splits else [TEST, VAL]
    gone = {_place(base, other) for other in without}
    found = {
        path: (split, other)
        for path in _beside(base / name)
        if (split := _split_of(base / name, path)) in wanted
        and _place(base, path) not in gone
        and (other := _labelled(base, path, columns))
    }
    if not found:
        return
    names, one = [_below(base, name, path) for path in found], len(found) == 1
    what = f"{' and '.join(map(str, found))} {'lists' if one else 'list'} images with classes, and would not be read"
    after = "the val split is the test split then" if VAL in splits else "draws a test split from the training images"
    raise UserError(
        f"{what}: {_joined(base / name, table, found)}; or {leave_out(without, names)} does without "
        f"{'it' if one else 'them'}, and {after}"
    )


def refuse_no_lists(base: Path, name: str, without: Collection[str]) -> None:
    """Raise UserError for what `dataset.leave_out` names and is no list beside the one that is used."""
    for other in without:
        if not other.strip() or not is_list(base / other):
            raise UserError(
                f"dataset.leave_out is about folders, and dataset.csv lists the images: {other!r} is no other list beside it; "
                f"leave the lines of images out of {name}"
            )
        if _place(base, other) == _place(base, name):
            raise UserError(f"dataset.leave_out and dataset.csv both name {name}: it cannot be read and left out")


def _beside(path: Path) -> list[Path]:
    """Other lists in a list's folder."""
    return sorted(
        other for other in path.parent.iterdir() if other.name != path.name and other.name[0] != "." and is_list(other)
    )


def _split_of(own: Path, path: Path) -> str | None:
    """The split that a list's name speaks of: with nothing else in it, or what is in the other's name, too."""
    return meant(path.stem) if path.stem in alike([own.stem, path.stem]) else None


def _labelled(base: Path, path: Path, columns: Mapping[str, str | None] | None) -> ImageList | None:
    """A list of images and classes; None where it is none, as a list of images whose classes are to be found."""
    for chosen in (columns, None) if columns else (None,):
        try:
            return read_list(base, str(path.absolute()), columns=chosen)
        except (UserError, OSError):
            continue
    return None


def _joined(path: Path, table: ImageList, others: Mapping[Path, tuple[str | None, ImageList]]) -> str:
    """A command that writes all lists into one, with a column of splits, and the override that takes that."""
    tables = [(TRAIN, path, table), *((split or TEST, other, own) for other, (split, own) in others.items())]
    plain = {row.split for row in table.rows} == {TRAIN} and all(
        own.header.utf8 and own.line == 1 and own.columns.group is None for _, _, own in tables
    )
    if not plain:
        return "write them into one list with a column split (train, val, test)"
    copy = path.with_name(f"{path.stem}-all.csv")
    words = [str(copy)]
    for split, place, own in tables:
        words += [
            split,
            str(place),
            "tab" if own.header.mark == "\t" else own.header.mark,
            str(own.columns.filename),
            str(own.columns.label),
        ]
    return f"{shlex.join(['python', '-c', _JOIN, *words])} joins them, then {override('dataset.csv', str(copy))}"


def _below(base: Path, name: str, path: Path) -> str:
    """A list's path as the user may write it."""
    return str(path) if Path(name).is_absolute() else Path(os.path.relpath(path, base)).as_posix()


def _place(base: Path, name: str | Path) -> str:
    return os.path.abspath(base / name)  # noqa: PTH100 (links are names of their own)
