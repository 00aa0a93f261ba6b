"""Code blocks of the pages, as somebody would copy them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(
    r"^(?P<skip><!-- not run: (?P<why>[^\n]+?) -->\n+)?```(?P<kind>\w*)[^\n]*\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A fenced block."""

    page: str
    line: int
    """Of its first line of code, counted from 1."""
    kind: str
    code: str
    why_not_run: str | None
    """What a comment above it says; the only way to leave one out."""


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    name = str(page.relative_to(ROOT))
    return [
        Block(name, text[: found.start("code")].count("\n") + 1, found["kind"], found["code"], found["why"])
        for found in _BLOCK.finditer(text)
    ]


def commands(page: Path, program: str) -> Iterator[tuple[int, list[str]]]:
    """Lines of a page's blocks that call a program, with their number, as words without the program's and without comments.

    Lines of output and placeholders (`...`) are none.
    """
    for block in blocks(page):
        if block.kind in ("", "sh", "bash", "console", "shell") and block.why_not_run is None:
            code = block.code.replace("\\\n", "  ")
            for number, text in enumerate(code.splitlines()):
                line = text.removeprefix("$ ")
                if line.startswith(f"{program} ") and "..." not in line:
                    yield block.line + number, shlex.split(line.removeprefix(program), comments=True)
