"""How the features of a table's cells were come by, in sentences: once for all, where a backbone is frozen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wisesr.report.study import ReportCell
from wisesr.results.reading import depends_on_batch, maps_of
from wisesr.wording import count_of

_HALF = "float16"


def maps_notes(cells: Sequence[ReportCell]) -> list[str]:
    """A sentence for each type in which maps were kept; none of cells that computed their backbone in every epoch."""
    kept: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for cell in cells:
        reads = cell.finished_record.provenance.reads
        if maps := maps_of(reads):
            kept[str(maps.get("dtype", "maps"))].append(reads)
    return [" ".join(_sentences(dtype, own, len(cells))) for dtype, own in sorted(kept.items())]


def _sentences(dtype: str, reads: Sequence[Mapping[str, Any]], cells: int) -> Iterator[str]:
    whose = "all cells" if len(reads) == cells else f"{count_of(len(reads), 'cell')} of {cells:,}"
    computed = f"The frozen backbone was computed once for {whose}, and its maps were kept as {dtype}"
    differs = max(map(depends_on_batch, reads))
    if dtype == _HALF:
        yield f"{computed}{_rounding(reads)}: another computation than without them."
    elif differs:
        yield f"{computed}."
    else:
        yield f"{computed}: a cell computes the same without them, to the bit."
    if differs:
        yield (
            f"Here maps depend on what else is in a batch, by up to {differs:.2g}: without kept maps last bits may be others, "
            "and what follows from them."
        )


def _rounding(reads: Sequence[Mapping[str, Any]]) -> str:
    """`, rounded by up to 0.0078 where values go up to 31.2 (root mean square: 0.02 % of theirs)`."""
    found = [rounding for own in reads if isinstance(rounding := maps_of(own).get("rounding"), Mapping)]
    known = [rounding for rounding in found if all(isinstance(rounding.get(name), (int, float)) for name in _ROUNDING)]
    if not known:
        return ""
    error, value, share = (max(float(own[name]) for own in known) for name in _ROUNDING)
    return f", rounded by up to {error:.2g} where values go up to {value:.3g} (root mean square: {100 * share:.2g} % of theirs)"


_ROUNDING = ("largest_error", "largest_value", "relative_rms")
