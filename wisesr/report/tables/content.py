"""What a table says, in cells and sentences, before it is Markdown, LaTeX or lines of a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.study import Difference, Entry, ReportTable

DASH = "-"
"""Where there is nothing."""
STAR = "*"
IMAGES = "says nothing about the heads"


class Text(NamedTuple):
    """A cell of a grid."""

    text: str
    bold: bool = False


class Grid(NamedTuple):
    """Rows and columns; the first ones are names, the others figures."""

    header: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    names: int
    """Columns that are names."""


def matrix(table: ReportTable) -> Grid:
    """Backbones (and settings) by heads: `93.21 ± 0.41 (5)`, mean, standard deviation and seeds; the best bold."""
    absent = _absent(table)
    groups = table.groups()
    rows = list(dict.fromkeys([*groups, *((backbone, settings) for backbone, settings, _ in absent)]))
    found = {entry.head for entry in table.entries} | {head for _, _, head in absent}
    heads = sorted(found, key=lambda head: (head != table.baseline, head))
    settings = any(settings for _, settings in rows)
    lines = []
    for backbone, setting in rows:
        entries = {entry.head: entry for entry in groups.get((backbone, setting), ())}
        places = [
            _place(entries[head]) if head in entries else Text(absent.get((backbone, setting, head), DASH)) for head in heads
        ]
        lines.append((Text(backbone), *[Text(setting or DASH)] * settings, *places))
    return Grid(("backbone", *["settings"] * settings, *heads), tuple(lines), 1 + settings)


def _absent(table: ReportTable) -> dict[tuple[str, str, str], str]:
    """What stands at a place of the matrix that has no finished cell: `2 failed, 1 waiting`."""
    states: dict[tuple[str, str, str], Counter[str]] = {}
    for one in table.left_out:
        if one.place is not None and one.state != "done":
            key = (one.place.backbone, one.place.settings, one.place.head)
            states.setdefault(key, Counter())[one.state] += 1
    return {key: ", ".join(f"{count} {state}" for state, count in sorted(own.items())) for key, own in states.items()}


def _place(entry: Entry) -> Text:
    spread = "" if entry.std is None else f" ± {entry.std:.2f}"
    star = STAR if entry.difference is not None and entry.difference.significant else ""
    return Text(f"{entry.mean:.2f}{spread} ({len(entry.cells)}){star}", entry.best)


def differences(table: ReportTable) -> Grid | None:
    """A row a head: its difference to the baseline and the published figure; None where there are none."""
    shown = [entry for entry in table.entries if entry.difference is not None or entry.published is not None]
    if not shown:
        return None
    several = len(table.groups()) > 1
    published = any(entry.published is not None for entry in shown)
    header = ["head", "seeds", "difference", "95 % interval, each by itself", "p", "p after Holm"]
    rows = tuple(
        (
            Text(entry.label if several else entry.head),
            *map(Text, _figures(entry.difference)),
            *map(Text, _published(entry, table.protocol) if published else ()),
            Text(_remark(entry.difference)),
        )
        for entry in shown
    )
    return Grid((*header, *["published", "distance"] * published, "remark"), rows, 1)


def published(table: ReportTable) -> Grid | None:
    """A row a head that has a published figure: ours beside it; None where there are none."""
    shown = [entry for entry in table.entries if entry.published is not None]
    several = len(table.groups()) > 1
    rows = tuple(
        (
            Text(entry.label if several else entry.head),
            *map(Text, (f"{entry.mean:.2f}", *_published(entry, table.protocol))),
        )
        for entry in shown
    )
    return Grid(("head", "top-1", "published", "distance"), rows, 1) if rows else None


def _figures(difference: Difference | None) -> list[str]:
    """Seeds, difference, interval, p, p after Holm."""
    if difference is None:
        return [DASH] * 5
    seeds = f"{len(difference.seeds)}" if difference.kind == "seeds" else f"seed {difference.seeds[0]} only"
    star = STAR if difference.significant else ""
    interval = DASH
    if difference.low is not None and difference.high is not None:
        interval = f"{signed(difference.low)} to {signed(difference.high)}"
    return [seeds, signed(difference.mean) + star, interval, p_value(difference.p), p_value(difference.p_holm)]


def _published(entry: Entry, protocol: str) -> list[str]:
    """The published figure, and how far ours is from it; the paper's epochs were chosen on the test images."""
    if entry.published is None:
        return [DASH, DASH]
    other = "" if protocol == "paper" else " (another protocol)"
    return [f"{entry.published:g}", signed(entry.mean - entry.published) + other]


def _remark(difference: Difference | None) -> str:
    if difference is None:
        return ""
    parts = [f"two trained models over the test images: {IMAGES}"] if difference.kind == "images" else []
    return "; ".join([*parts, difference.note] if difference.note else parts)


def signed(value: float) -> str:
    """`+1.42`; what rounds to 0 has no sign."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text


def p_value(value: float | None) -> str:
    """`0.012`; a dash where nothing was tested."""
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def rates(table: ReportTable) -> Grid | None:
    """Learning rates that were tried: mean validation top-1 of each; None where no head was tried at several."""
    rows = []
    for entry in table.entries:
        for rate, top1, seeds in entry.tried:
            chosen = sum(cell.place.rate == rate for cell in entry.cells)
            figures = (f"{top1:.2f}", str(seeds), f"{chosen} of {len(entry.cells)}")
            rows.append((Text(entry.label), Text(rate), *map(Text, figures)))
    return Grid(("head", "rate", "validation top-1", "seeds", "chosen for"), tuple(rows), 2) if rows else None


_BEST = "Bold: the highest mean over the seeds that all heads of a row have; it is not tested against the others."
_SEEDS = (
    "Differences to {baseline} over seeds, in points: the same seed means the same batches and augmentation, so they are "
    "taken seed by seed; two-sided paired t-test, on this test set and these splits. Holm is over the {family} tested "
    "against {baseline} on one backbone and settings. * p after Holm below 0.05."
)
_IMAGES = (
    "Where two heads share fewer than three seeds, the interval is that between two trained models over the test images, taken "
    f"as independent of one another (Agresti & Min 2005): it {IMAGES}, as other seeds give other models."
)


def how(table: ReportTable) -> list[str]:
    """How the figures came about, in sentences."""
    if not table.entries:
        return ["No cell is finished that could be shown."]
    return [f"Epochs: {'; '.join(table.selections)}.", *legend(table), *tested(table)]


def legend(table: ReportTable) -> list[str]:
    """What stands at a place of the matrix."""
    sentences = ["Test top-1 in percent: mean ± standard deviation over seeds (number of seeds)."]
    return sentences + [_BEST] * any(entry.best for entry in table.entries)


def tested(table: ReportTable) -> list[str]:
    """What the differences are, and what they say."""
    kinds = {entry.difference.kind for entry in table.entries if entry.difference is not None}
    sentences = [_SEEDS.format(baseline=table.baseline, family=_family(table))] if "seeds" in kinds else []
    return sentences + [_IMAGES] * ("images" in kinds)


def _family(table: ReportTable) -> str:
    """`3 heads`, `2 to 4 heads`."""
    sizes = {
        sum(entry.difference is not None and entry.difference.kind == "seeds" for entry in group)
        for group in table.groups().values()
    } - {0}
    low, high = min(sizes), max(sizes)
    return f"{low} to {high} heads" if low < high else f"{low} head{'s' * (low > 1)}"


def left_out(table: ReportTable) -> list[tuple[str, tuple[str, ...]]]:
    """What the table does not show: state and reason, and the names of the cells."""
    found: dict[str, list[str]] = {}
    for one in table.left_out:
        found.setdefault(f"{one.state}: {' '.join(one.reason.split())}", []).append(one.name)
    return [(reason, tuple(names)) for reason, names in found.items()]


def split(grid: Grid, count: int) -> list[Grid]:
    """A grid in parts with at most so many columns of figures, each with the names."""
    places = range(grid.names, len(grid.header), count)
    return [columns(grid, [*range(grid.names), *range(at, min(at + count, len(grid.header)))]) for at in places] or [grid]


def columns(grid: Grid, kept: Sequence[int]) -> Grid:
    """Some columns of a grid, all names among them."""
    rows = tuple(tuple(row[index] for index in kept) for row in grid.rows)
    return Grid(tuple(grid.header[index] for index in kept), rows, grid.names)


def widths(grid: Grid) -> list[int]:
    """Of each column, in characters."""
    return [max([len(name), *(len(row[index].text) for row in grid.rows)]) for index, name in enumerate(grid.header)]
