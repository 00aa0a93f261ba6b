"""The page's scripts and styles, put together from their files: one concept a file, one script and one style in the page."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
_SCRIPTS = ("page.js", "inflate.js", "charts.js", "tables.js", "choice.js", "cell.js")
"""In the order in which they need each other."""
_STYLES = ("page.css", "tables.css", "figures.css", "cell.css", "overview.css", "narrow.css", "print.css")
"""What is printed last: it overrules the others."""


def early_script() -> str:
    """What runs before anything is drawn."""
    return _text("early.js")


def page_script() -> str:
    """What runs at the end of the page; none of its names is the window's."""
    return "\n".join(['"use strict";', "(() => {", *map(_text, _SCRIPTS), "})();", ""])


def stylesheet() -> str:
    """All styles but the heads' colours."""
    return "\n".join(map(_text, _STYLES))


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
