"""The text of `--help`: descriptions as they are written, and no word broken where a terminal is narrower than they are."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator

from wisesr.wording import folded


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps a description's lines that fit; of a paragraph or an entry of a list with one that does not, all are laid out anew.

    Examples are commands, to be copied: what follows a line that ends with a colon and no entry is only folded.
    """

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        wide = width + 2  # argparse leaves two columns free, for which its own lists have use
        return "\n".join(indent + line for block in _blocks(text.splitlines()) for line in _fitted(block, wide))


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Paragraphs, entries of lists with the lines that go on deeper, blank lines."""
    block: list[str] = []
    for line in lines:
        if block and not _goes_on(block, line):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _goes_on(block: list[str], line: str) -> bool:
    first, now = _indent(block[0]), _indent(line)
    if not line.strip() or not block[-1].strip():
        return False
    return now == first if first == 0 and not _text_at(block[0]) else now > first


def _fitted(block: list[str], width: int) -> list[str]:
    if max(map(len, block)) <= width:
        return block
    first, text = _indent(block[0]), _text_at(block[0])
    is_prose = (first == 0 and not text) or bool(text)
    if not is_prose:
        return [folded(line, width, _indent(line) + 4) for line in block]
    words = " ".join(part.strip() for part in [block[0][text:], *block[1:]])
    hanging = " " * (text or first)
    return textwrap.wrap(
        words,
        max(width, text + 20),
        initial_indent=block[0][:text],
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _text_at(line: str) -> int:
    """Where the text of an entry begins, as of `  --data FOLDER    images`; 0 where the line is none."""
    found = re.match(r" *\S+(?: \S+)*? {2,}(?=\S)", line)
    return len(found[0]) if found else 0
