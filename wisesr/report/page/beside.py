"""Files that the report writes beside the page, as the page links them: tables as LaTeX, figures as pictures, the cells.

The page cannot know whether they are still there: one that is moved alone has links that lead nowhere, and says beside them
what they belong to. The LaTeX of tables stands in the page as well, to be copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

_PICTURES = ("svg", "png", "pdf")
_TABLES = (
    ("", "the table"),
    ("-differences", "the differences"),
    ("-published", "the published figures"),
    ("-tries", "the tried rates"),
)
_CLAIMS = "tables/claims.tex"


class FileLink(NamedTuple):
    """A file beside the page."""

    label: str
    path: str
    """From the page: `figures/intel-224-backbones.svg`."""


class LatexText(NamedTuple):
    """LaTeX that a button copies."""

    id: str
    what: str
    """`the table`, `the differences`."""
    text: str


class Beside:
    """The files of a report.

    Args:
        files: paths from the page, with a slash between folders; of LaTeX with the text, of others with an empty one.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def figure(self, key: str) -> tuple[FileLink, ...]:
        """Pictures of a figure; most figures of a large study have none."""
        return self._links((kind.upper(), f"figures/{key}.{kind}") for kind in _PICTURES)

    def table(self, key: str) -> tuple[FileLink, ...]:
        """Files that a table is in."""
        own = [(f"{key}{ending}.tex", f"tables/{key}{ending}.tex") for ending, _ in _TABLES]
        return self._links((*own, ("tables.md", "tables.md"), ("cells.csv", "cells.csv")))

    def cells(self) -> tuple[FileLink, ...]:
        """The cells as a table."""
        return self._links((("cells.csv", "cells.csv"),))

    def latex(self, key: str, number: int) -> tuple[LatexText, ...]:
        """What can be copied of the table with this key, which is the page's `number`-th."""
        found = ((what, self._files.get(f"tables/{key}{ending}.tex", "")) for ending, what in _TABLES)
        return tuple(LatexText(f"latex-{number}-{place}", what, text) for place, (what, text) in enumerate(found) if text)

    def claims(self) -> tuple[FileLink, ...]:
        """The claims as a table."""
        return self._links((("claims.tex", _CLAIMS),))

    def claims_latex(self) -> tuple[LatexText, ...]:
        """What can be copied of the claims."""
        text = self._files.get(_CLAIMS, "")
        return (LatexText("latex-claims", "the claims", text),) if text else ()

    def _links(self, candidates: Iterable[tuple[str, str]]) -> tuple[FileLink, ...]:
        return tuple(FileLink(label, path) for label, path in candidates if path in self._files)
