"""What cells of a grid compute once and keep on this machine, as the planner finds it: decoded images, maps. No torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from wisesr.data.rows.room import free_bytes, limit, spare_of
from wisesr.wording import count_of, duration, size


class Kept(NamedTuple):
    """The rows of one store that cells share."""

    kind: Literal["decoded", "maps"]
    text: str
    """Whose: `digits at 112 px`, `efficientnet_lite0 at 112 px`."""
    place: str
    """The folder of all that is kept."""
    images: int
    """Rows that the cells want together: a random view of an image counts as one, too."""
    missing: int
    """Of them, those that are not there yet."""
    row_bytes: int
    """About."""
    row_flops: int
    """To compute one; 0 where nothing is computed."""
    asked: bool
    """Whether a user asked for it, and did not leave it to us."""
    cells: Sequence[int]
    """That want them, in their order."""
    fits: bool = True
    """Whether there is room; where there is none, each epoch decodes and computes."""
    seconds: float | None = None
    """Of making what is missing, on this machine's CPU; None where that was not timed."""

    @property
    def bytes(self) -> int:
        """That are still to be written, about."""
        return self.missing * self.row_bytes if self.fits else 0

    @property
    def flops(self) -> int:
        """Of computing what is missing, once for all cells."""
        return self.missing * self.row_flops if self.fits else 0


def existing(path: Path) -> Path:
    """The path, or of the folders above it the nearest one that exists."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def with_room(stores: Mapping[str, Kept]) -> dict[str, Kept]:
    """The same, each told whether it fits beside those that are written before it: in the order of the first cell of each."""
    taken: dict[int, int] = defaultdict(int)
    most, found = limit(), dict[str, Kept]()
    for name, store in sorted(stores.items(), key=lambda each: each[1].cells[0]):
        place = Path(store.place)
        device = existing(place).stat().st_dev
        spare = spare_of(free_bytes(place) - taken[device], asked=store.asked, most=most)
        found[name] = store._replace(fits=store.bytes <= min(spare, spare if most is None else most))
        taken[device] += found[name].bytes
    return found


def making(stores: Sequence[Kept]) -> list[tuple[Sequence[int], float]]:
    """What is made once, as `total_hours` takes it; what is there already and what nobody knows takes no time."""
    return [(store.cells, store.seconds) for store in stores if store.seconds and store.bytes]


def kept_sentences(stores: Sequence[Kept]) -> list[str]:
    """What is computed once, where it is kept, what is there already and what the disk has left; a sentence a store."""
    return [_sentence(store) for store in stores]


def start_sentence(stores: Sequence[Kept]) -> str | None:
    """For whoever starts a grid, in one line: what its first cells make for all; None where nothing is to be made."""
    making = [store for store in stores if store.bytes]
    if not making:
        return None
    told = " and ".join(dict.fromkeys(_subject(store) for store in making))
    places = ", ".join(dict.fromkeys(store.place for store in making))
    return f"once for all cells: {told}; kept in {places}, {size(sum(store.bytes for store in making))}"


def _subject(store: Kept) -> str:
    return f"the {'maps' if store.kind == 'maps' else 'decoded images'} of {store.text}"


def _sentence(store: Kept) -> str:
    what = _subject(store)
    rows = count_of(store.images, "map" if store.kind == "maps" else "image")
    if not store.fits:
        else_ = "the backbone is computed" if store.kind == "maps" else "images are decoded"
        wanted, most = store.missing * store.row_bytes, limit()
        if most is not None and wanted > most:
            where, remedy = f"WISESR_CACHE_LIMIT={size(most)}", "a higher limit keeps them"
        else:
            where, remedy = (
                f"{store.place} with {size(free_bytes(Path(store.place)))} free",
                "dataset.cache_dir names another folder",
            )
        return f"{what[0].upper()}{what[1:]} would take {size(wanted)}, too much for {where}: {else_} in each epoch ({remedy})"
    if not store.missing:
        return f"{what[0].upper()}{what[1:]} are there already: {rows}, {size(store.images * store.row_bytes)} in {store.place}"
    how = "computed" if store.kind == "maps" else "made"
    parts = [rows, *[f"{store.flops / 1e9:,.3g} GFLOPs"] * bool(store.flops), f"about {size(store.bytes)}"]
    parts += [] if store.seconds is None else [duration(store.seconds)]
    there = f" ({store.images - store.missing:,} are there already)" if store.missing < store.images else ""
    return (
        f"{what[0].upper()}{what[1:]} are {how} once for {count_of(len(store.cells), 'cell')}: {', '.join(parts)} in "
        f"{store.place}, with {size(free_bytes(Path(store.place)))} free{there}"
    )
