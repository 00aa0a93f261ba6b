"""What is to be said of a dataset before a number is made of it: in the plan, in the log and in the record. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from wisesr.wording import count_of, some_of

_SHOWN = 5


@dataclass(frozen=True)
class Notes:
    """Counts and names; all empty where there is nothing to say. `None` is what nobody has looked at."""

    ignored: Mapping[str, int] = field(default_factory=dict)
    """Files below the root that are not taken, by kind: `.txt`, `images beside the class folders`."""
    hints: Sequence[str] = ()
    """What would make some of them be read, a sentence each."""
    unread: Sequence[str] = ()
    """Columns of the list that are not used: a patient's number among them is a leak in silence."""
    merged: Sequence[str] = ()
    """Classes whose name is written in several ways that Unicode calls equal."""
    shared: Mapping[str, int] = field(default_factory=dict)
    """`test in train`: images of the one split whose very bytes the other one has too."""
    absent: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Split -> classes of which it has no image."""
    sides: Mapping[str, int] = field(default_factory=dict)
    """Images of each split, for shares."""
    turned: int | None = None
    """Images that EXIF turns upright, or would, where the dataset is read as stored."""
    upright: bool = True
    """Whether they are turned."""
    huge: int | None = None
    """Images of more pixels than Pillow reads without a warning."""
    grey: Sequence[str] = ()
    """What is odd about the range of deep grey values, a sentence each."""
    broken: str = ""
    """Which files cannot be read, and why: such a dataset is refused, unless they are left out of it."""
    chosen: str = ""
    """Which classes `dataset.classes` keeps, and how many images; empty where it is null."""
    compared: bool = False
    """Whether contents were looked at: hashed, compared, their metadata read."""

    def sentences(self) -> list[str]:
        """What a reader must know, the gravest first; nothing where there is nothing to say."""
        return [*self._shared(), *self.remarks(), *self._read()]

    def remarks(self) -> list[str]:
        """What is to be said of the dataset as a whole: no single image can tell it."""
        return [*self._chosen(), *self.grey, *self._absent(), *self._ignored(), *self._unread(), *self._merged()]

    def _shared(self) -> list[str]:
        found = []
        for pair, count in self.shared.items():
            split, _, other = pair.partition(" in ")
            total = self.sides.get(split, 0)
            share = f" ({100 * count / total:.1f} %)" if total else ""
            memory = ": what is measured on them is memory" if other == "train" else ""
            where = f"are also in the {other} split, byte for byte{memory}"
            found.append(f"{count:,} of {total:,} {split} images{share} {where}")
        return found

    def _chosen(self) -> list[str]:
        return [self.chosen] if self.chosen else []

    def _absent(self) -> list[str]:
        return [
            f"the {split} split has no image of {count_of(len(names), 'class', 'classes')}, which its macro F1 leaves out: "
            f"{some_of(names, _SHOWN)}"
            for split, names in self.absent.items()
        ]

    def _ignored(self) -> list[str]:
        found = []
        if self.ignored:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.ignored.items(), key=lambda item: -item[1]))
            total = sum(self.ignored.values())
            found.append(f"{count_of(total, 'file')} ignored: {kinds}" if len(self.ignored) > 1 else f"ignored: {kinds}")
        return [*found, *self.hints]

    def _unread(self) -> list[str]:
        return [f"columns of the list that are not used: {some_of(self.unread, _SHOWN)}"] if self.unread else []

    def _merged(self) -> list[str]:
        if not self.merged:
            return []
        count = count_of(len(self.merged), "class", "classes")
        return [f"{count} made of folders whose names look the same and are written otherwise: {some_of(self.merged, _SHOWN)}"]

    def _read(self) -> list[str]:
        found = []
        if self.turned:
            how = "turned upright as their EXIF says" if self.upright else "not upright by their EXIF, read as they are stored"
            found.append(f"{count_of(self.turned, 'image')} {how}")
        if self.huge:
            found.append(f"{count_of(self.huge, 'huge image')}, slow to decode: scale down")
        return found

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for the record."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
