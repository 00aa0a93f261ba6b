"""Folders of images as the library `datasets` reads them, and where its reading is not what the folders say. No torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wisesr.data.folder_tree import Tree
from wisesr.data.huggingface_tables import place_of
from wisesr.data.image_formats import is_image
from wisesr.data.manifest import TEST, TRAIN
from wisesr.data.parts import split_of
from wisesr.data.split_words import is_split_word, meant
from wisesr.errors import UserError
from wisesr.wording import count_of, some_of

_SHOWN = 5
_OTHERWISE = ("eval", "evaluation")
"""Folders that the library takes for the test split, and wisesr for val."""


def load_images(made: Any, place: Path, tree: Tree) -> Mapping[str, Any]:
    """The datasets of a folder of images by the names of their splits.

    Raises:
        UserError: images are left out, or pooled, or of another split than their folders say.
    """
    files = [place / path for path in tree.files()]
    found: Mapping[str, Any] = made.load_dataset("imagefolder", data_dir=str(place), cache_dir=place_of(made, files))
    there = [path for path in tree.files() if is_image(path)]
    taken = {split: _paths(made, place, dataset) for split, dataset in found.items()}
    listed = [file for file in files if file.stem.lower() == "metadata"]
    _refuse_lost(place, set(there).difference(*taken.values()), bool(listed))
    for split, paths in taken.items():
        _refuse_other_splits(place, split, paths)
        if not listed:
            _refuse_pooled(place, paths)
    return found


def below(folder: Path, path: str) -> str:
    """A file's path below a folder, with forward slashes; as it is where it lies elsewhere."""
    for start in (folder, folder.resolve()):
        if path.startswith(f"{start}{os.sep}"):
            return path[len(str(start)) + 1 :].replace(os.sep, "/")
    return path


def _paths(made: Any, place: Path, dataset: Any) -> list[str]:
    rows = dataset.select_columns(["image"]).cast_column("image", made.Image(decode=False))
    return [below(place, row["image"]["path"]) for row in rows]


def _refuse_lost(place: Path, lost: set[str], listed: bool) -> None:
    """Stop where the library leaves out images, as it does with splits that it does not know: Validation, say."""
    if not lost:
        return
    folders = sorted({path.rpartition("/")[0].partition("/")[0] or path for path in lost})
    rename = "list them in metadata.csv" if listed else "rename split folders to train, validation, test"
    raise UserError(
        f"`datasets` leaves out {count_of(len(lost), 'image')} of {place}, in {some_of(folders, _SHOWN)}: {rename}, "
        f"{_or_folder(place)}"
    )


def _refuse_other_splits(place: Path, split: str, paths: list[str]) -> None:
    """Stop where a folder's name is that of a split, and the library took its images for another one: TEST, say."""
    wrong: dict[str, None] = {}
    for folder in dict.fromkeys(path.rpartition("/")[0] for path in paths):
        for word in folder.split("/"):
            known = word in _OTHERWISE and split_of(split) == TEST
            if word and is_split_word(word) and not known and meant(word) != (split_of(split) or TRAIN):
                wrong[word] = None
    if wrong:
        raise UserError(
            f"`datasets` takes the images below {some_of(sorted(wrong), _SHOWN)} in {place} for its {split} split: rename "
            f"split folders to train, validation, test, {_or_folder(place)}"
        )


def _refuse_pooled(place: Path, paths: list[str]) -> None:
    """Stop where a class has its images in several places, `images/cat` and `masks/cat`: nobody said that they are one."""
    above: dict[str, dict[str, None]] = {}
    for folder in sorted({path.rpartition("/")[0] for path in paths}):
        parent, _, label = folder.rpartition("/")
        above.setdefault(label, {})[parent] = None
    if "" in above:
        stray = sorted(path for path in paths if "/" not in path)
        if len(above) > 1:
            raise UserError(f"{some_of(stray, 1)} lies in {place} itself, beside the folders of classes: move it away")
        return
    pooled = next(((label, list(parents)) for label, parents in above.items() if len(parents) > 1), None)
    if pooled:
        label, parents = pooled
        places = some_of([f"{parent}/{label}" if parent else label for parent in parents], _SHOWN)
        raise UserError(f"`datasets` takes {places} of {place} for one class: move what is not meant away, {_or_folder(place)}")


def _or_folder(place: Path) -> str:
    return f"or take dataset=folder dataset.root={place}"
