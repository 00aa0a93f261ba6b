"""Names of files and text from archives, as any terminal and any file takes them."""

from __future__ import annotations

from wisesr.wording import legible

__all__ = ["legible", "shorten"]


def shorten(name: str) -> str:
    """An entry's name for a message: quoted, and cut where it is too long to read."""
    return ascii(name) if len(name) < 200 else ascii(name[:150]) + "..."
