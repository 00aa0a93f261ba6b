"""Parquet files on this disk, as the library `datasets` reads them: splits by their names, classes by name. No torch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from wisesr.data.kept import key_of
from wisesr.data.manifest import TRAIN
from wisesr.data.parts import split_of
from wisesr.errors import UserError
from wisesr.wording import some_of

PARQUET = ".parquet"
_SHOWN = 4

Classes = Mapping[str, Sequence[str]]
"""By column, the names that its numbers stand for."""


def load_tables(made: Any, files: Sequence[Path]) -> dict[str, Any]:
    """Files by their splits, as they or their folders are called; all of one split where none says.

    Each split is loaded apart: for all that it loads in one go, the library takes the names of classes from one file.

    Raises:
        UserError: a file of another kind, or without rows; splits that cannot be told; files of a split that number their
            classes differently.
    """
    for file in files:
        if file.suffix != PARQUET:
            raise UserError(f"{file} is no {PARQUET} file: dataset.source takes a folder, or such files")
    words = {file: _split_word(file) for file in files}
    unclear = [str(file) for file, word in words.items() if word is None]
    if unclear and len(unclear) < len(files):
        raise UserError(
            f"which split is {some_of(unclear, 1)}? Names must say train, validation or test, as those of others do"
        )
    grouped: dict[str, dict[str, list[Path]]] = {}
    for file, word in words.items():
        grouped.setdefault(split_of(word) or TRAIN if word else TRAIN, {}).setdefault(word or "", []).append(file)
    for split, named in grouped.items():
        if len(named) > 1:
            some = " and ".join(str(same[0]) for same in named.values())
            raise UserError(f"{some} are both the {split} split by their names: rename one, or name others in dataset.source")
    return {split: _load_split(made, split, next(iter(named.values()))) for split, named in grouped.items()}


def _load_split(made: Any, split: str, files: Sequence[Path]) -> Any:
    refuse_other_classes(files)
    if not any(_rows(file) for file in files):
        raise UserError(f"{files[0]} has no rows, and the {split} split no images: leave it out of dataset.source, or fill it")
    paths = {split: [str(file) for file in files]}
    return made.load_dataset("parquet", data_files=paths, cache_dir=place_of(made, files))[split]


def refuse_other_classes(files: Sequence[Path], known: Classes | None = None) -> None:
    """Stop where files that are loaded together name their classes in another order, or others.

    Args:
        files: at least one.
        known: the names that are taken for all of them; None for those of the first file.
    """
    first = classes_in(files[0]) if known is None else known
    whose = str(files[0]) if known is None else "what the library takes for all files"
    for file in files:
        own = classes_in(file)
        for column in sorted(own.keys() | first.keys()):
            one, other = first.get(column), own.get(column)
            if one == other or (known is not None and other is None):
                continue
            raise UserError(
                f"{column} numbers its classes as {_listed(one)} in {whose} and as {_listed(other)} in {file}: write both "
                f"with one list of names (cast_column({column!r}, ClassLabel(names=[...])) of the names), or as texts"
            )


def classes_in(file: Path) -> Classes:
    """What a file's own schema says; empty where `datasets` did not write it, or where it cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        stored = import_module("pyarrow.parquet").read_schema(file).metadata or {}
        features = json.loads(stored[b"huggingface"])["info"]["features"]
        return {name: kind["names"] for name, kind in features.items() if _is_classes(kind)}
    return {}


def place_of(made: Any, files: Sequence[Path]) -> str:
    """Where the library keeps its copy of files: a place of its own for each state of them.

    The library knows a file by its path and time alone, and takes an old copy where the time was set back.
    """
    states = [(str(file), *_state(file)) for file in files]
    return str(Path(made.config.HF_DATASETS_CACHE) / f"wisesr-{key_of(states)}")


def _state(file: Path) -> tuple[int, int, int]:
    try:
        state = file.stat()
    except OSError:
        return 0, 0, 0
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _is_classes(kind: object) -> bool:
    return isinstance(kind, dict) and kind.get("_type") == "ClassLabel" and "names" in kind


def _rows(file: Path) -> int:
    return int(import_module("pyarrow.parquet").read_metadata(file).num_rows)


def _listed(names: Sequence[str] | None) -> str:
    return "no list of names" if names is None else f"[{some_of(list(names), _SHOWN)}]"


def _split_word(file: Path) -> str | None:
    """The word of a file's name that is a split's, `train-00000-of-00002.parquet`, or else of its folder's."""
    for name in (file.stem, file.parent.name):
        found: list[str] = [word.lower() for word in re.findall(r"[^\W\d_]+", name) if split_of(word)]
        if found:
            return found[0]
    return None
