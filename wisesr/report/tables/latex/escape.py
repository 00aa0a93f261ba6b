r"""Text as LaTeX that every engine compiles: pdflatex, xelatex and lualatex, with article and booktabs and nothing else.

What is written is ASCII. Accents and common signs are LaTeX's own commands. What pdflatex has no letter for (Chinese, Cyrillic,
emoji) is printed by xelatex and lualatex, whose font may have it, and stands as its code in pdflatex: `[U+732B]`.
"""

from __future__ import annotations

import re
import unicodedata

_SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "`": r"\`{}",
    '"': "''",  # the fonts of article have no straight one
    "±": r"$\pm$",
    "\N{MINUS SIGN}": "$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "·": r"$\cdot$",
    "÷": r"$\div$",
    "°": r"$^\circ$",
    "²": "$^2$",
    "³": "$^3$",
    "→": r"$\to$",
    "←": r"$\leftarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "µ": r"$\mu$",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\N{HORIZONTAL ELLIPSIS}": r"\dots{}",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "§": r"\S{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING MACRON}": "=",
    "\N{COMBINING BREVE}": "u",
    "\N{COMBINING DOT ABOVE}": ".",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING RING ABOVE}": "r",
    "\N{COMBINING DOUBLE ACUTE ACCENT}": "H",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING CEDILLA}": "c",
}
_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lamda", "mu", "nu"),
    *("xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
)
_SIGNS |= {unicodedata.lookup(f"GREEK SMALL LETTER {name}"): rf"$\{name.replace('lamda', 'lambda')}$" for name in _GREEK}
_SIGNS |= {unicodedata.lookup(f"GREEK CAPITAL LETTER {name}"): rf"$\{name.title()}$" for name in ("delta", "sigma", "omega")}
_BREAK = "\ue000"
"""Where a line may end; of the private use area, so that no text has it."""
_LONGEST = 12
"""Letters in a row that a line may not divide, in text that must fit."""


def escape(text: str) -> str:
    """Text on one line as LaTeX.

    A hyphen before a number, after no letter, is a minus; two hyphens would be a dash, and stay two; no line ends before %.
    """
    return _encoded(_plain(text))


def breakable(text: str) -> str:
    """Likewise, of names in a narrow place: a line may end behind `_`, `-`, `.`, `/`, `=` and within long rows of letters."""
    marked = re.sub(r"(?<=\w)([_./=-])(?=[^\W\d_])", rf"\1{_BREAK}", _plain(text))
    return _encoded(re.sub(rf"[^\s{_BREAK}]{{{_LONGEST}}}(?=[^\s{_BREAK}])", rf"\g<0>{_BREAK}", marked))


def prose(text: str) -> str:
    """Sentences, in which words that are longer than words are may be divided."""
    words = " ".join(breakable(word) if len(word) > 2 * _LONGEST else escape(word) for word in text.split())
    return words.replace(r" \%", r"\,\%")


def printed(text: str) -> str:
    """What pdflatex prints, in characters: for how wide it is."""
    return "".join(_code(character) if _own(character) is None else character for character in " ".join(text.split()))


def _plain(text: str) -> str:
    """On one line, with a sign before negative numbers."""
    return re.sub(r"(?<![\w.)])-(?=\d)", "\N{MINUS SIGN}", " ".join(text.replace(_BREAK, "").split()))


def _encoded(plain: str) -> str:
    parts = re.findall(r"[\x00-\x7f]|[^\x00-\x7f]+", plain)
    written = "".join(_signs(part) for part in parts).replace(r" \%", r"\,\%")
    return re.sub(r"(?<!\\)-(?=-)", "-{}", written) if "--" in plain else written


def _signs(part: str) -> str:
    """A run of characters: those of LaTeX's own as commands, others in a choice between them and their codes."""
    made, foreign = [], ""
    for character in [*part, ""]:
        own = r"\allowbreak{}" if character == _BREAK else _own(character) if character else ""
        if own is None:
            foreign += character
            continue
        made += [_choice(foreign)] if foreign else []
        made.append(own)
        foreign = ""
    return "".join(made)


def _own(character: str) -> str | None:
    """The character in ASCII; None where LaTeX has none of its own for it."""
    if character in _SIGNS:
        return _SIGNS[character]
    if " " <= character <= "\x7e":
        return character
    base, *accents = list(unicodedata.normalize("NFD", character))
    if len(accents) == 1 and accents[0] in _ACCENTS and base.isascii() and base.isalpha():
        return rf"\{_ACCENTS[accents[0]]}{{{base}}}"
    return None


def _choice(foreign: str) -> str:
    r"""`\Umathcode` is xelatex' and lualatex' alone; characters that no font prints stand as their codes everywhere."""
    codes = r"\allowbreak{}".join(map(_code, foreign))
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Co") for character in foreign):
        return f"{{{codes}}}"
    return rf"{{\ifdefined\Umathcode {foreign}\else {codes}\fi}}"


def _code(character: str) -> str:
    return f"[U+{ord(character):04X}]"
