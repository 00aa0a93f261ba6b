"""The names of the Python API, as blocks that mkdocstrings fills from signatures and docstrings without importing them."""

from __future__ import annotations

import wisesr

HERE = "<!-- every name of wisesr.__all__ -->"
"""Where in docs/api.md the reference begins."""
EXTENSION_POINTS = (
    "wisesr.models.heads.base.Head",
    "wisesr.types.FeatureShape",
    "wisesr.data.manifest.Manifest",
    "wisesr.data.augmentation.Augmentation",
    "wisesr.training.loggers.base.RunLogger",
    "wisesr.types.Steps",
)


def with_reference(text: str) -> str:
    """The page with its reference."""
    public = [f"wisesr.{name}" for name in wisesr.__all__ if not name.startswith("__")]
    return text.replace(HERE, _blocks("## In wisesr", public) + _blocks("## What parts of your own build on", EXTENSION_POINTS))


def _blocks(heading: str, names: list[str] | tuple[str, ...]) -> str:
    return f"{heading}\n\n" + "".join(f"::: {name}\n\n" for name in names)
