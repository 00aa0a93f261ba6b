"""Comments of YAML files as Markdown: what looks like a key, a path or a command as code, everything else as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SETTING = r"[\w./-]*\w=[\w.,\[\]{}'\"/<>*=-]+"
_CODE = re.compile(
    r"`[^`]+`"
    r"|https?://[^\s,)]*[^\s,).:]"
    r"|'[\w.]+=[^']*'"
    rf"|(?:python train\.py (?:-m )?)?{_SETTING}(?: {_SETTING})*"
    r"|[\w./-]*(?:\w_|_\w|\.ya?ml\b|\.py\b|\.md\b)[\w./-]*"
)
_ITEM = re.compile(r"^(Reproduces|Known of the result|Answers|Does not answer|Cost|Command): ")
_PLAIN = str.maketrans({sign: f"&#{ord(sign)};" for sign in "*_[]<>|#{}"})


def words(text: str) -> str:
    """A comment as Markdown within a table or a paragraph; lines that are set in begin anew."""
    lines = re.sub(r"\n(?! )", " ", text)
    return "<br>".join(_marked(line.strip()) for line in lines.split("\n"))


def _marked(text: str) -> str:
    parts, at = [], 0
    for found in _CODE.finditer(text):
        parts += [text[at : found.start()].translate(_PLAIN), _one(found[0])]
        at = found.end()
    return "".join(parts) + text[at:].translate(_PLAIN)


def _one(found: str) -> str:
    if found.startswith("`"):
        return found
    if found.startswith("http"):
        return f"<{found}>"
    code = found if found.endswith(("=.", "=...")) else found.rstrip(".,:;")
    return f"`{code}`{found[len(code) :]}"


def header_text(lines: Sequence[str], *, items: bool = False) -> str:
    """The header of a file: lines that are set in as a block of code; with `items`, as the rest of the line before.

    Of what is set in below a command, a line that begins with a capital stays a line: it is another command, or a word on one.
    """
    if items:
        found = re.split(r"\n(?! )", "\n".join(lines))
        joined = [re.sub(r"\n +(?![A-Z ])" if item.startswith("Command: ") else r"\n +", " ", item) for item in found]
        return "".join(_ITEM.sub(r"**\1:** ", words(item)) + "\n\n" for item in joined)
    return "".join(map(_block, _blocks(lines)))


def _block(lines: Sequence[str]) -> str:
    if lines[0].startswith("  "):
        return "```text\n" + "\n".join(line[2:] for line in lines) + "\n```\n\n"
    return words(" ".join(lines)) + "\n\n"


def _blocks(lines: Iterable[str]) -> list[list[str]]:
    blocks: list[list[str]] = []
    for line in lines:
        if blocks and blocks[-1][0].startswith("  ") == line.startswith("  "):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def line_of(header: Sequence[str]) -> str:
    """The first sentence of a header, on one line, without the address behind it."""
    text = " ".join(line for line in header if not line.startswith("  "))
    return re.split(r"(?<=[^ ])[.:] (?=[A-Z]|https?:)", text)[0].rstrip(".:")


def row(*cells: str) -> str:
    """A row of a table."""
    return "| " + " | ".join(cells) + " |\n"
