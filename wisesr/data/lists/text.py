"""The bytes of a list of images as text, whatever program saved it. No torch.

UTF-8, UTF-16 and UTF-32 can be told with certainty and are read. The one-byte encodings of older programs cannot be told
apart (0xFC is ü on Windows, a cedilla on an old Mac), and a wrong guess would make wrong class names in silence: they are an
error that shows what the letters would be in each, and the command that converts the file. There is no setting for them: a
list is converted once, and the converted file then says what it is to every other program too.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from wisesr.data.lists.commands import filtered
from wisesr.data.lists.legacy_encodings import readings
from wisesr.errors import UserError

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "utf-8",
}
_SAVE = "save it as CSV in UTF-8 (Excel: Save As, CSV UTF-8; LibreOffice: Save As, Text CSV)"
_NO_TEXT = {
    b"PK\x03\x04": f"is a workbook or a zip archive, not a CSV file: {_SAVE}",
    b"\xd0\xcf\x11\xe0": f"is an Excel workbook, not a CSV file: {_SAVE}",
    b"\x1f\x8b": "is compressed by gzip: unpack it with gunzip",
    b"BZh": "is compressed by bzip2: unpack it with bunzip2",
    b"\xfd7zXZ": "is compressed by xz: unpack it with unxz",
    b"PAR1": "is a Parquet file, not a CSV file: dataset=huggingface reads those",
    b"SQLite format 3": "is a database, not a CSV file: export the table as CSV in UTF-8",
    b"%PDF": "is a PDF, not a CSV file",
    b"{\\rtf": "is a formatted text (RTF), not a CSV file: save it as plain text in UTF-8",
    b"<!DOCTYPE": "is a web page, not a CSV file: a download that went wrong",
    b"<html": "is a web page, not a CSV file: a download that went wrong",
    b"version https://git-lfs": "is a pointer of Git LFS, not the file itself: git lfs pull",
    b"\x89PNG": "is an image, not a CSV file: dataset.csv names the list",
    b"\xff\xd8\xff": "is an image, not a CSV file: dataset.csv names the list",
}
"""First bytes -> what the file is, and the way out."""
_HEAD = 4096
"""Bytes in which text without a mark is recognised."""


def list_text(content: bytes, path: Path | str) -> str:
    """The text of a list.

    Args:
        content: of the whole file.
        path: the file; a text where it is none on this disk, such as a member of an archive.

    Raises:
        UserError: it is no text, is damaged, or is in an encoding that cannot be told for certain.
    """
    for start, what in _NO_TEXT.items():
        if content.startswith(start):
            raise UserError(f"{path} {what}")
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    encoding = _MARKS[mark] if mark else _by_zeros(content[:_HEAD])
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}{_undecoded(content, len(mark) + error.start, encoding, path)}") from None
    if text.lstrip()[:1] in ("{", "["):
        raise UserError(f"{path} is JSON, not a CSV file: write it as one, with the columns filename and class")
    if "\0" in text:
        way = filtered("tr -d '\\000'", path, "clean") if encoding == "utf-8" else ""
        raise UserError(
            f"{path}, line {_line(text[: text.index(chr(0))])}: a NUL character, which no text has: the file is damaged. "
            f"Save it anew as CSV in UTF-8{f', or leave them out: {way}' if way else ''}"
        )
    return text.replace("\ufeff", "")  # the marks of lists that were joined stand within the text


def _by_zeros(head: bytes) -> str:
    """The encoding of text without a mark: letters of ASCII, of which lists mostly consist, have zeros at fixed places.

    As RFC 4627, section 3, tells JSON's: https://www.rfc-editor.org/rfc/rfc4627#section-3.
    """
    quarter = max(len(head) // 4, 1)
    zeros = [head[place::4].count(0) / quarter for place in range(4)]
    if min(zeros[2:]) > 0.9 and zeros[0] < 0.1:
        return "utf-32-le"
    if min(zeros[:2]) > 0.9 and zeros[3] < 0.1:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if max(even, odd) > 0.3 and min(even, odd) < max(even, odd) / 4:
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def _line(before: str | bytes) -> int:
    """The number of the line that what stands before it leads to; lines end by LF, CR or both."""
    content = before.encode("utf-8", "replace") if isinstance(before, str) else before
    return len((content + b"x").splitlines())


def _undecoded(content: bytes, start: int, encoding: str, path: Path | str) -> str:
    """What is to be said of a file that is not in the encoding that it seems to be in, from the byte `start` on."""
    if encoding != "utf-8":
        line = _line(content[:start].decode(encoding, "replace"))
        name = encoding[:6].upper()
        return f", line {line}: the file is in {name} and breaks off there, or is damaged. Save it anew as CSV in UTF-8"
    line, text = _line(content[:start]), content.decode("utf-8", "replace")
    shown = ascii(content.splitlines()[line - 1][:80])[1:]
    whole, bad = sum(letter > "\x7f" for letter in text) - text.count("\ufffd"), text.count("\ufffd")
    words = readings(content, start) if whole < 10 * bad else []
    save = f"{_SAVE[0].upper()}{_SAVE[1:]}"
    if not words and whole > bad:
        return f", line {line}, {shown}: no UTF-8, though the rest is: two programs wrote the file, or it is cut off there"
    if not words:
        return f" is not in UTF-8: see line {line}, {shown}. {save}"
    (first, word), *more = words[:3]
    others = "".join(f", or {other!r} in {reading.name}" for reading, other in more)
    found = (
        f"looks like {first.name}, in which line {line} has {word!r}"
        if not more
        else f"line {line} has {word!r} in {first.name}"
    )
    convert = filtered(f"iconv -f {first.iconv} -t UTF-8", path, "utf8")
    options = f" (or -f {' or '.join(reading.iconv for reading, _ in more)})" if more else ""
    return f" is not in UTF-8: {found}{others}. {save}{f', or convert it: {convert}{options}' if convert else ''}"
