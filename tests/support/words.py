"""Whether a narrow terminal breaks words: what it shows must consist of words that stand in the same text when it is wide."""

from __future__ import annotations

import re
from collections import Counter

_DRAWN = re.compile("[─━╸╺⠀-⣿…]+")
"""Lines, bars and spinners."""


def broken_words(narrow: str, wide: str) -> list[str]:
    """Words of the narrow text that the wide one has not, or has less often."""
    return sorted((Counter(_words(narrow)) - Counter(_words(wide))).elements())


def _words(text: str) -> list[str]:
    return _DRAWN.sub(" ", text).split()
