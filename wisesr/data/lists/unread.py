"""Columns of a list that nobody reads, among them one that should be. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wisesr.data.lists.columns import SPLIT_WORDS, Columns, Header, plain
from wisesr.data.lists.commands import columns_override
from wisesr.errors import UserError

_SPLIT_LIKE = ("fold", "kfold", "usage", "train", "test", "istrain", "istraining", "istrainingimage", "istest", "isval")
"""Names of columns that divide images, in ways that are not known."""


class Unread:
    """The columns that are not read, watched for one that is the split: by its name, or as all it holds is words for splits."""

    def __init__(self, header: Header, used: Columns) -> None:
        self._header = header
        self._places = [place for place, name in enumerate(header.names) if name and place not in used]
        self._words = dict.fromkeys(self._places, False)
        """Columns with nothing else so far -> whether they hold a word at all."""

    def names(self) -> list[str]:
        """Of all of them."""
        return [self._header.names[place] for place in self._places]

    def watch(self, records: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        """Hand records on, and keep in mind which columns may be the split."""
        for record in records:
            if self._words:
                self._note(record[1])
            yield record

    def _note(self, cells: Sequence[str]) -> None:
        for place in list(self._words):
            word = cells[place].strip().casefold() if place < len(cells) else ""
            if word in SPLIT_WORDS:
                self._words[place] = True
            elif word:
                del self._words[place]

    def refuse_split(self) -> None:
        """Raise UserError for the column that looks like the split: left unread, its test images would be trained on."""
        for place in self._places:
            name = self._header.names[place]
            if plain(name) in _SPLIT_LIKE or self._words.get(place):
                read, leave = columns_override({"split": name}), columns_override({"split": None})
                raise UserError(
                    f"{self._header.path}: the column {name!r} looks like the split, and is not read. To read it, with train, "
                    f"val or test in each line: {read}; to leave it out: {leave}"
                )
