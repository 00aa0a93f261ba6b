"""Columns of many short texts in few bytes. No torch.

A list of 200,000 paths is 200,000 objects: 25 MB, and each is copied into every worker process that only looks at it, as
Python counts references inside of them. One array is shared by all processes that were forked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

_END = "\0"


class _Texts(Sequence[str]):
    """What the columns have in common: slices, and equality with any sequence of texts."""

    def _text(self, index: int) -> str:
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self._text(at) for at in range(*index.indices(len(self)))]
        at = int(index)
        if not -len(self) <= at < len(self):
            raise IndexError(f"index {at} of {len(self)} texts")
        return self._text(at % len(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(list(self))


class Names(_Texts):
    """Texts one behind the other, each with a zero byte at its end: for paths, all different.

    File names that are not in UTF-8 come back as Python gave them (surrogate escapes).
    """

    def __init__(self, texts: Iterable[str] = (), *, content: NDArray[np.uint8] | None = None) -> None:
        if content is None:
            joined = "".join(text + _END for text in texts)
            content = np.frombuffer(joined.encode("utf-8", "surrogateescape"), np.uint8)
        self.content = content
        """(bytes,), uint8."""
        ends = np.flatnonzero(content == 0)
        self._bounds = np.concatenate([[0], ends + 1])

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def _text(self, index: int) -> str:
        low, high = self._bounds[index], self._bounds[index + 1] - 1
        return self.content[low:high].tobytes().decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        return iter(self.content.tobytes().decode("utf-8", "surrogateescape").split(_END)[:-1])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(texts,): bytes of each."""
        return np.diff(self._bounds) - 1


class Codes(_Texts):
    """Texts of few kinds: a number each, and what the numbers mean. For splits and groups."""

    def __init__(
        self, texts: Iterable[str] = (), *, kinds: Sequence[str] | None = None, codes: NDArray[np.integer[Any]] | None = None
    ) -> None:
        if codes is None:
            number = {kind: code for code, kind in enumerate(kinds or ())}
            codes = np.array([number.setdefault(text, len(number)) for text in texts], np.int32)
            kinds = list(number)
        self.kinds: tuple[str, ...] = tuple(kinds or ())
        self.codes: NDArray[np.integer[Any]] = np.asarray(codes, np.uint8 if len(self.kinds) < 256 else np.int32)

    def __len__(self) -> int:
        return len(self.codes)

    def _text(self, index: int) -> str:
        return self.kinds[int(self.codes[index])]

    def __iter__(self) -> Iterator[str]:
        return iter([self.kinds[code] for code in self.codes.tolist()])

    def where(self, kind: str) -> NDArray[np.int64]:
        """Positions of a kind, in order."""
        return np.flatnonzero(self.codes == self.kinds.index(kind)) if kind in self.kinds else np.array([], np.int64)
