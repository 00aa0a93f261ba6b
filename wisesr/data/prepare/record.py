"""The note in a dataset's folder that says where its files come from, so that a number can be traced to them. No torch."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from wisesr.data.manifest import Manifest
from wisesr.data.prepare.plan import Plan
from wisesr.data.prepare.sources import Source


class Record(NamedTuple):
    """What is known of a preparation before it begins."""

    dataset: str
    source: Source
    origin: str
    """What the user named: a file's name, `kaggle:<owner>/<name>`."""
    plan: Plan

    def text(self, counts: Mapping[str, int]) -> bytes:
        """The note in the finished folder: `counts` are its images by split."""
        source = {
            "name": self.origin,
            "kind": self.source.kind,
            "bytes": self.source.size or None,
            "sha256": self.source.sha256,
        }
        note = {
            "schema": 1,
            "dataset": self.dataset,
            "source": source,
            "root": self.plan.root,
            "files": len(self.plan.copies),
            "bytes": self.plan.size,
            "left_out": dict(self.plan.left_out),
            "versions": {"wisesr": _version(), "python": platform.python_version()},
            "images": dict(counts),
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        return (json.dumps(note, indent=1) + "\n").encode()


def _version() -> str | None:
    try:
        return version("wisesr")
    except PackageNotFoundError:
        return None


def count_images(manifest: Manifest) -> dict[str, int]:
    """Split -> images."""
    return dict(Counter(manifest.splits))


def text_of(counts: Mapping[str, int]) -> str:
    """`14,034 images to train and 3,000 to test`."""
    first, *others = [f"{count:,} {'images ' if not at else ''}to {split}" for at, (split, count) in enumerate(counts.items())]
    return " and ".join([first, *others])
