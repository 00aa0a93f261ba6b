"""A manifest of files on disk, so that the next cell and the next command need no more than a look at the folders. No torch.

It holds as long as no name, size or time of change below the root is another, the settings are the same, and the code that
listed it is. Arrays are loaded as they are; no image is an object of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from wisesr.data.file_images import FileImages
from wisesr.data.images import PixelRules
from wisesr.data.kept import keep, read_kept
from wisesr.data.manifest import Manifest
from wisesr.data.notes import Notes
from wisesr.data.packed import Codes, Names

_KIND = "manifests"


def read_manifest(key: str, stamp: str, base: Path) -> Manifest | None:
    """The manifest that was kept under a name, of a tree with this stamp; None where there is none, or the tree has changed."""
    arrays = read_kept(_KIND, key)
    if arrays is None:
        return None
    try:
        texts = json.loads(arrays.pop("texts").tobytes())
        return _make(arrays, texts, base) if texts["stamp"] == stamp else None
    except (KeyError, TypeError, ValueError):
        return None  # of another version


def keep_manifest(key: str, stamp: str, manifest: Manifest) -> None:
    """Keep a manifest of files, for the tree with this stamp."""
    files, groups = cast(FileImages, manifest.load), cast(Codes, manifest.groups)
    texts = {
        "stamp": stamp,
        "class_names": list(manifest.class_names),
        "split_kinds": cast(Codes, manifest.splits).kinds,
        "group_kinds": groups.kinds,
        "left_out": list(manifest.left_out),
        "rules": files.rules,
        "notes": asdict(manifest.notes),
    }
    arrays = {
        "names": cast(Names, manifest.ids).content,
        "labels": np.asarray(manifest.labels),
        "splits": cast(Codes, manifest.splits).codes,
        "groups": groups.codes,
        "sizes": files.sizes,
        "changed": files.changed,
        "touched": files.touched,
        "digests": cast(NDArray[np.uint8], manifest.digests),
        "texts": np.frombuffer(json.dumps(texts).encode("utf-8"), np.uint8),
    }
    keep(_KIND, key, arrays)


def _make(arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, Any], base: Path) -> Manifest:
    names = Names(content=arrays["names"])
    return Manifest(
        ids=names,
        labels=arrays["labels"],
        class_names=texts["class_names"],
        splits=Codes(kinds=texts["split_kinds"], codes=arrays["splits"]),
        load=FileImages(base, names, PixelRules(*texts["rules"]), arrays["sizes"], arrays["changed"], arrays["touched"]),
        sizes=arrays["sizes"],
        groups=Codes(kinds=texts["group_kinds"], codes=arrays["groups"]),
        left_out=texts["left_out"],
        digests=arrays["digests"],
        notes=Notes(**texts["notes"]),
    )
