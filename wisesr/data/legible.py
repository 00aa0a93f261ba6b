"""Names of files and text from archives, as any terminal and any file takes them."""

from __future__ import annotations


def legible(text: str) -> str:
    """Text in which what does not print, bytes that are no UTF-8 for instance, is written as its escape."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def shorten(name: str) -> str:
    """An entry's name for a message: quoted, and cut where it is too long to read."""
    return ascii(name) if len(name) < 200 else ascii(name[:150]) + "..."
