"""Which of the encodings of older programs a text may be in, judged by whether its words look like words. No torch."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class Reading(NamedTuple):
    """An encoding."""

    name: str
    """In messages."""
    codec: str
    """In Python."""
    iconv: str
    """In GNU's and macOS' iconv."""


_KNOWN = (
    Reading("Windows-1252", "cp1252", "WINDOWS-1252"),
    Reading("MacRoman", "mac_roman", "MACINTOSH"),
    Reading("DOS code page 850", "cp850", "CP850"),
    Reading("Windows-1250 (Central Europe)", "cp1250", "WINDOWS-1250"),
    Reading("Windows-1251 (Cyrillic)", "cp1251", "WINDOWS-1251"),
    Reading("Windows-1253 (Greek)", "cp1253", "WINDOWS-1253"),
    Reading("KOI8-R (Cyrillic)", "koi8_r", "KOI8-R"),
    Reading("Shift-JIS (Japanese)", "cp932", "CP932"),
    Reading("EUC-KR (Korean)", "euc_kr", "CP949"),
    Reading("GB 2312 (Chinese)", "gb2312", "GB18030"),
    Reading("Big5 (Chinese)", "big5", "BIG5"),
    Reading("GBK (Chinese)", "gbk", "GB18030"),
)
"""The likelier first, of those in which a text reads equally well. In Python the narrowest of each kind, in iconv the widest:
bytes that are common letters in one are rare ones, or none, in the others."""
_WORD = re.compile(r"(?:[A-Za-z]|[^\x00-\x7f])*[^\x00-\x7f](?:[A-Za-z]|[^\x00-\x7f])*")
_MARKS = str.maketrans(dict.fromkeys("\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014…«»€°", " "))
"""Quotation marks, dashes and signs: no letters, and still in many texts."""
_EXAMINED = 500
"""Words."""


def readings(content: bytes, start: int) -> list[tuple[Reading, str]]:
    """Encodings in which a text reads as words do, the likeliest first, each with what it makes of the word at `start`.

    Args:
        content: the whole text.
        start: where its first byte beyond ASCII is.
    """
    found: dict[str, tuple[float, Reading]] = {}
    for reading in _KNOWN:
        try:
            text, place = content.decode(reading.codec), len(content[:start].decode(reading.codec))
        except UnicodeDecodeError:
            continue
        words = [word[0] for word, _ in zip(_WORD.finditer(text.translate(_MARKS)), range(_EXAMINED), strict=False)]
        shown = next(word[0] for word in _WORD.finditer(text) if word.end() > place)
        share = sum(map(_is_word, words)) / len(words) if words else 0
        if share > 0.5 and shown not in found:
            found[shown] = (share, reading)
    ranked = sorted(found.items(), key=lambda item: -item[1][0])
    return [(reading, word) for word, (_, reading) in ranked]


def _is_word(word: str) -> bool:
    """Whether letters stand together as they do in a language: of one script, big ones only in front or throughout."""
    if not word.isalpha():
        return False
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in word}
    if scripts == {"LATIN"}:
        return _is_latin(word)
    if scripts in ({"CYRILLIC"}, {"GREEK"}):
        return word.islower() or word.isupper() or word[1:].islower()
    return scripts in ({"CJK"}, {"HANGUL"}) or ("HALFWIDTH" not in scripts and scripts <= {"CJK", "HIRAGANA", "KATAKANA"})


def _is_latin(word: str) -> bool:
    special = [place for place, letter in enumerate(word) if letter > "\x7f"]
    if any(word[place] > "\u017f" or word[place] in "ªº" for place in special):
        return False
    if len(special) > max(0.75 * len(word), 1):  # whole words of them: Cyrillic or Chinese read wrongly
        return False
    return word.isupper() or not any(word[place].isupper() for place in special if place)
