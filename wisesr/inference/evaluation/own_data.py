"""A split of the dataset that a run was trained with, held against the fingerprint that its record has of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from wisesr.build.data import build_manifest
from wisesr.data.file_images import FileImages
from wisesr.data.manifest import SPLITS, VAL, Manifest
from wisesr.data.progress import Progress
from wisesr.errors import UserError
from wisesr.inference.evaluation.pictures import Pictures, Source, logit_of
from wisesr.inference.run import Run
from wisesr.inference.trust import require_trusted
from wisesr.results.cell_files import CONFIG
from wisesr.results.provenance import same_data

_CHANGED = (
    "the images, labels or splits, or how files are read, have changed since the training: the figures are of the data as it "
    "is now, and what is in this split now may have been trained on"
)
_UNKNOWN = "files were not read when one of both fingerprints was made: nobody can tell whether the data is as in training"
_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
_TOLD = ("huggingface_hub.constants", "datasets.config")
"""Modules that hold the first of these as a constant."""


def own_pictures(
    run: Run, split: str, *, root: Path | None = None, trust: bool = False, progress: Progress | None = None
) -> Pictures:
    """The images of a split, as the run's training had them. Nothing is downloaded, whatever the configuration says.

    Args:
        run: whose dataset it is.
        split: train, val or test.
        root: the folder where the dataset is now; None for where it was.
        trust: whether a dataset that is not wisesr's may be imported.
        progress: shows how far the first reading of the files is.

    Raises:
        UserError: no such split; the dataset is not there, not in order, not trusted, or below `root` another one.
    """
    if split not in SPLITS:
        raise UserError(f"--split must be one of {', '.join(SPLITS)} for the run's own dataset, not {split!r}")
    require_trusted(run.config, ("dataset",), trust=trust, where=str(run.directory / CONFIG))
    config = {**run.config, "dataset": _as_stored(run, root)}
    with _offline():
        manifest = build_manifest(config, progress=progress, with_unreadable=True)
    unchanged = same_data(run.record.provenance.data.fingerprint, manifest.fingerprint())
    if root is not None and unchanged is False:
        raise UserError(
            f"--root: the images below {root} are not those that {run.directory} was trained with (names, contents, labels or "
            f"splits differ): --data {root} evaluates them as another folder"
        )
    return _of_split(run, manifest, split, config["dataset"], unchanged)


def _as_stored(run: Run, root: Path | None) -> dict[str, Any]:
    """The node of the dataset, with its place, and without what would download or refuse."""
    dataset = dict(run.config["dataset"])
    harmless = {"download": False, "on_leak": "warn"}
    dataset |= {key: value for key, value in harmless.items() if key in dataset}
    if root is not None:
        if not isinstance(dataset.get("root"), str):
            raise UserError(f"--root: the images of {dataset['name']} lie in no folder: leave it out")
        if not root.is_dir():
            raise UserError(f"--root must be the folder where the run's dataset is now, and there is no folder {root}")
        dataset["root"] = str(root.absolute())
    elif isinstance(dataset.get("root"), str) and not Path(dataset["root"]).is_dir():
        raise UserError(
            f"the dataset of {run.directory} was in {dataset['root']}, and there is no such folder here: --root DIR says where "
            "it is now; --data FOLDER evaluates other images"
        )
    return dataset


def _of_split(run: Run, manifest: Manifest, split: str, dataset: Mapping[str, Any], unchanged: bool | None) -> Pictures:
    places = manifest.indices(split)
    if not len(places):
        why = " (protocol=paper chooses the epoch on the test split itself)" if split == VAL else ""
        raise UserError(f"{run.directory} has no {split} split{why}: --split takes another")
    name, root = str(dataset["name"]), dataset.get("root")
    logits = logit_of(list(manifest.class_names), run.class_names, f"the dataset {name}", lambda _: "It is another dataset now")
    by_label = np.array([logits[own] for own in manifest.class_names], np.int64)
    notes = list(manifest.notes.sentences())
    if unchanged is not True:
        notes.insert(0, _UNKNOWN if unchanged is None else _CHANGED)
    in_folder = root if isinstance(root, str) and isinstance(manifest.load, FileImages) else None
    return Pictures(
        Source("own", name, in_folder, split, manifest.fingerprint(), unchanged, tuple(notes)),
        [manifest.ids[int(place)] for place in places],
        by_label[np.asarray(manifest.labels)[places]],
        places,
        manifest.load,
    )


@contextmanager
def _offline() -> Iterator[None]:
    """Libraries that could fetch from a hub look at what is on this disk alone.

    They read the environment when they are imported, and timm has imported one of them by now: those are told themselves.
    """
    before = {name: os.environ.get(name) for name in _OFFLINE}
    os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    told = {name: module.__dict__[_OFFLINE[0]] for name in _TOLD if (module := sys.modules.get(name)) is not None}
    for name in told:
        setattr(sys.modules[name], _OFFLINE[0], True)
    try:
        yield
    finally:
        online = next(iter(told.values()), False)
        for name in _TOLD:  # also one that was imported meanwhile
            if name in sys.modules:
                setattr(sys.modules[name], _OFFLINE[0], told.get(name, online))
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
