"""What a W&B report says of a study, as texts and pictures: made by whoever may read records and draw figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ShownPicture(NamedTuple):
    """A figure of the report."""

    key: str
    """Names it in its run: letters, digits, dots, underscores and dashes."""
    title: str
    caption: str
    """Markdown."""
    png: bytes


class Story(NamedTuple):
    """A study in Markdown and PNG."""

    summary: str
    """One line: how many cells, by whom."""
    headline: str
    """What is known, first of all; Markdown."""
    pictures: tuple[ShownPicture, ...]
    """What shows it, the forest plot first."""
    sections: tuple[tuple[str, str], ...]
    """Plain titles, each with Markdown: the claims, then the tables."""
    colours: Mapping[str, str]
    """Of heads by name, `#rrggbb`, as on the page."""
