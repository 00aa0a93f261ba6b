r"""A float with a tabular of booktabs: how wide its columns are, and what stands around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wisesr.report.tables.latex.escape import breakable, escape, printed, prose

ROOM = 345.0
r"""pt. `\linewidth` of article without other packages, on A4 and on letter paper, at 10 pt: less than any page of a journal."""
GAP = 12.0
r"""pt between two columns: twice `\tabcolsep`."""
NARROW = 84.0
"""pt of a column of names that are divided; wider ones are."""
_DIGIT, _SMALL, _LARGE, _WIDE = 4.7, 2.9, 7.0, 7.9
"""pt of letters at `small` of article at 10 pt, in Computer Modern (cmr9), rounded up."""
_KINDS = {**dict.fromkeys("ijl.,:;'|!()[]", _SMALL), **dict.fromkeys("mwMW±%+<>=→~&@\N{MINUS SIGN}", _WIDE)}


def width(text: str) -> float:
    """How wide a text is at `small`, pt."""
    return sum(_KINDS.get(one, _LARGE if one.isupper() or not one.isascii() else _DIGIT) for one in printed(text))


class Made(NamedTuple):
    """What made the table, for its first lines."""

    command: str
    version: str


NOBODY = Made("", "")
"""Where that is not to be said."""


class Words(NamedTuple):
    """What is said around a table."""

    short: str
    """For the list of tables: what the table is."""
    caption: str
    """LaTeX: what one must know to read it, in two lines."""
    notes: Sequence[str] = ()
    """Sentences that are printed below it."""
    strong: Sequence[str] = ()
    """Sentences that warn of its figures, printed before the others."""
    aside: Sequence[str] = ()
    """Sentences for the authors, in comments."""


def name_column(texts: Iterable[str]) -> tuple[str, float]:
    """The column of names and its width, pt: as wide as they are, or divided."""
    widest = max(map(width, texts), default=0.0)
    if widest <= NARROW * 1.25:
        return "l", widest
    return rf"p{{{NARROW:.0f}pt}}", NARROW


def narrow(text: str, kind: str) -> str:
    """A name as a cell of the column of `name_column`."""
    return escape(text) if kind == "l" else ragged(breakable(text))


def ragged(text: str) -> str:
    """LaTeX in a column of fixed width; no name is hyphenated."""
    return rf"\raggedright\hyphenpenalty=10000 {text}"


def row(cells: Iterable[str]) -> str:
    r"""A row.

    A first letter that `\\` or `\midrule` before it would take for its option is held apart, and in a last cell that is ragged
    `\\` would end a line.
    """
    *before, last = cells
    line = " & ".join([*before, last])
    end = r"\tabularnewline" if last.startswith(r"\raggedright") else r"\\"
    return ("{}" if line[:1] in ("[", "*") else "") + f"{line} {end}"


def tabular(kinds: str, header: Sequence[str], rows: Sequence[str]) -> list[str]:
    """Lines of a tabular; `header` and `rows` as of `row`, without space at its sides."""
    begin = rf"\begin{{tabular}}{{@{{}}{kinds}@{{}}}}"
    return [begin, r"\toprule", *header, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"]


def table(key: str, made: Made, words: Words, tabulars: Sequence[Sequence[str]], file: str = "") -> str:
    """A file: comments on its use, the float, sentences for the authors.

    Args:
        key: of the file, `indoor-224-differences`.
        made: what made it.
        words: around it.
        tabulars: lines of each, below one another.
        file: that it stands in, where that is not named by the key.
    """
    lines = [*_use(key, file or key, made), r"\begin{table}", r"\centering", r"\small"]
    lines.append(rf"\caption[{{{prose(words.short)}}}]{{{words.caption}}}")
    lines.append(rf"\label{{tab:{label(key)}}}")
    lines += [r"\smallskip"] * bool(tabulars)
    for one in tabulars:
        lines += [*one, r"\par\medskip"]
    sentences = [rf"\textbf{{Warning: {prose(sentence)}}}\par" for sentence in words.strong]
    sentences += [rf"{prose(sentence)}\par" for sentence in words.notes]
    if sentences:
        lines += [r"\begin{minipage}{\linewidth}\footnotesize\raggedright", *sentences, r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table}", *(f"% {' '.join(sentence.split())}" for sentence in words.aside), ""])


def _use(key: str, file: str, made: Made) -> list[str]:
    used = [
        rf"\input{{tables/{file}}}; it needs \usepackage{{booktabs}}. Refer to it with \ref{{tab:{label(key)}}}.",
        "In a paper of two columns, write table* for table (twice) and it spans both.",
        *[f"Made by wisesr {made.version}: {' '.join(made.command.split())}"] * bool(made.command),
        "The next report replaces this file: copy it before you change it.",
    ]
    return [f"% {line}" for line in used]


def label(key: str) -> str:
    """A key in letters that every engine takes in a label."""
    return "".join(one if one.isascii() and one.isalnum() else "-" if one.isascii() else f"{ord(one):x}" for one in key)
