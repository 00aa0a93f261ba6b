"""What the library `datasets` makes of a folder, of parquet files, of a name on the hub: its datasets by split. No torch."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from wisesr.data.huggingface_folders import load_images
from wisesr.data.huggingface_tables import PARQUET, classes_in, load_tables, place_of, refuse_other_classes
from wisesr.data.manifest import TRAIN
from wisesr.data.tree import scan
from wisesr.errors import UserError


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
    if not local and (source.endswith(PARQUET) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", source)):
        raise UserError(f"dataset.source: there is no {place}, and on the hub names are owner/name")
    try:
        if not local:
            found = made.load_dataset(source, config_name, revision=revision)
        else:
            found = load_tables(made, [Path(file) for file in files]) if files else _load_place(made, place, config_name)
    except UserError:
        raise
    except Exception as error:  # of a network, of the hub, of arrow
        raise UserError(_problem(source, place, local, error)) from error
    return found if isinstance(found, Mapping) else {str(found.split or TRAIN): found}


def _load_place(made: Any, place: Path, config_name: str | None) -> Any:
    """What a file or a folder holds."""
    if place.is_file():
        return load_tables(made, [place])
    if (place / "dataset_dict.json").is_file() or (place / "state.json").is_file():
        return made.load_from_disk(str(place))
    tree = scan(place)
    files = [place / path for path in tree.files()]
    tables = [file for file in files if file.suffix == PARQUET and file.stem != "metadata"]
    if (place / "README.md").is_file() and tables:
        found = made.load_dataset(str(place), config_name, cache_dir=place_of(made, files))
        _refuse_other_names(found, tables)
        return found
    return load_tables(made, tables) if tables else load_images(made, place, tree)


def _refuse_other_names(found: Mapping[str, Any], tables: Sequence[Path]) -> None:
    """Stop where a copy of a hub's dataset has a file whose classes are not those that the library takes for it."""
    taken = next(iter(found.values())).features
    known = {name: kind.names for name, kind in taken.items() if getattr(kind, "names", None)}
    refuse_other_classes([file for file in tables if classes_in(file).keys() <= known.keys()] or tables, known)


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
