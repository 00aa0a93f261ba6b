"""What the library `datasets` makes of a folder, of parquet files, of a name on the hub: its datasets by split. No torch."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from wisesr.data.images import endings
from wisesr.data.manifest import TRAIN
from wisesr.data.parts import split_of
from wisesr.data.tree import Tree, scan
from wisesr.errors import UserError
from wisesr.wording import count_of, some_of

_SHOWN = 5
_PARQUET = ".parquet"


def library() -> Any:
    """The library; raises UserError if it is not installed."""
    try:
        return import_module("datasets")
    except ImportError as error:
        raise UserError(
            f"dataset=huggingface needs the library datasets ({error}): pip install 'wisesr[huggingface]'"
        ) from error


def load(source: str, root: Path, config_name: str | None, revision: str | None) -> Mapping[str, Any]:
    """The datasets of a source by the names of their splits. Arguments as of `wisesr.data.huggingface_source.huggingface`.

    Raises:
        UserError: the library is not installed, or cannot load it.
    """
    place, made = root / source, library()
    files = sorted(glob.glob(str(place), recursive=True)) if re.search(r"[*?\[]", source) else []  # noqa: PTH207
    local = bool(files) or place.exists()
    if local and revision is not None:
        raise UserError(f"dataset.revision is of the hub, and {place} lies on this disk: leave it out")
    if local and config_name is not None and not (place / "README.md").is_file():
        raise UserError(
            f"dataset.config_name is of the hub, or of a copy with its README.md, and {place} is neither: leave it out"
        )
    if not local and (source.endswith(_PARQUET) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", source)):
        raise UserError(f"dataset.source: there is no {place}, and on the hub names are owner/name")
    try:
        if not local:
            found = made.load_dataset(source, config_name, revision=revision)
        else:
            found = _load_files(made, [Path(file) for file in files]) if files else _load_place(made, place, config_name)
    except UserError:
        raise
    except Exception as error:  # of a network, of the hub, of arrow
        raise UserError(_problem(source, place, local, error)) from error
    return found if isinstance(found, Mapping) else {str(found.split or TRAIN): found}


def _load_place(made: Any, place: Path, config_name: str | None) -> Any:
    """What a file or a folder holds."""
    if place.is_file():
        return _load_files(made, [place])
    if (place / "dataset_dict.json").is_file() or (place / "state.json").is_file():
        return made.load_from_disk(str(place))
    tree = scan(place)
    paths = list(tree.files())
    tables = [place / path for path in paths if path.endswith(_PARQUET)]
    if (place / "README.md").is_file() and tables:
        return made.load_dataset(str(place), config_name)
    if tables:
        return _load_files(made, tables)
    found = made.load_dataset("imagefolder", data_dir=str(place))
    _refuse_lost(made, place, tree, found)
    return found


def _load_files(made: Any, files: Sequence[Path]) -> Any:
    """Parquet files, their splits by what they or their folders are called; all of one split where none says."""
    for file in files:
        if file.suffix != _PARQUET:
            raise UserError(f"{file} is no {_PARQUET} file: dataset.source takes a folder, or such files")
    splits = {file: _split_in(file) for file in files}
    unclear = [str(file) for file, split in splits.items() if split is None]
    if unclear and len(unclear) < len(files):
        raise UserError(
            f"which split is {some_of(unclear, 1)}? Names must say train, validation or test, as those of others do"
        )
    grouped: dict[str, list[str]] = {}
    for file, split in splits.items():
        grouped.setdefault(split or TRAIN, []).append(str(file))
    return made.load_dataset("parquet", data_files=grouped)


def _split_in(file: Path) -> str | None:
    """The split that a file's name speaks of, `train-00000-of-00002.parquet`, or else its folder's."""
    for name in (file.stem, file.parent.name):
        found = [split for word in re.findall(r"[^\W\d_]+", name) if (split := split_of(word))]
        if found:
            return found[0]
    return None


def _refuse_lost(made: Any, place: Path, tree: Tree, found: Mapping[str, Any]) -> None:
    """Stop where the library leaves out images of a folder, as it does with splits that it does not know: Validation, say."""
    there = {path for path in tree.files() if Path(path).suffix.lower() in endings()}
    for dataset in found.values():
        for row in dataset.select_columns(["image"]).cast_column("image", made.Image(decode=False)):
            there.discard(below(place, row["image"]["path"]))
    if there:
        folders = sorted({path.rpartition("/")[0].partition("/")[0] or path for path in there})
        raise UserError(
            f"`datasets` leaves out {count_of(len(there), 'image')} of {place}, in {some_of(folders, _SHOWN)}: rename "
            f"split folders to train, validation, test, or take dataset=folder dataset.root={place}"
        )


def below(folder: Path, path: str) -> str:
    """A file's path below a folder, with forward slashes; as it is where it lies elsewhere."""
    for start in (folder, folder.resolve()):
        if path.startswith(f"{start}{os.sep}"):
            return path[len(str(start)) + 1 :].replace(os.sep, "/")
    return path


def _problem(source: str, place: Path, local: bool, error: Exception) -> str:
    kind, text = type(error).__name__, " ".join(str(error).split())
    if local:
        return f"{place} cannot be loaded: {text or kind}"
    start = f"dataset.source={source}: there is no {place}, and "
    if isinstance(error, ConnectionError) or "Offline" in kind:
        return f"{start}the hub cannot be reached: without a network, dataset.source names a folder or parquet files"
    if kind == "DatasetNotFoundError":
        return f"{start}the hub has no such dataset, or it asks for your name first (hf auth login): {text}"
    if "config" in text.lower():
        return f"dataset.source={source}: {text} (dataset.config_name=...)"
    return f"dataset.source={source} cannot be loaded from the hub: {text or kind}"
