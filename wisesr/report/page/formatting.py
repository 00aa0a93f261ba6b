"""What the page's templates make texts with: numbers, sentences, packed values."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from markupsafe import Markup, escape

from wisesr.report.page.blocks import cases
from wisesr.report.page.cell_details import cell_details
from wisesr.report.schedule_end import schedule_sentences
from wisesr.report.speed import Speed
from wisesr.report.study import Entry, ReportCell, ReportTable
from wisesr.report.tables import sentences
from wisesr.report.tables.cost_words import cost_sentences, overhead
from wisesr.report.tables.numbers import EN_DASH, mean_and_std, p_value, signed, typographic
from wisesr.report.tables.rate_table import rate_table
from wisesr.report.tables.speed_words import change, change_interval, how_measured
from wisesr.report.tables.table_content import TableContent
from wisesr.report.tables.tries_table import shown_tries, tries_method, tries_rows

_LAST = (
    'The epoch was chosen by its top-1 on the test images, the highest of all: "last epochs" is the mean test top-1 of the '
    "last epochs, without a choice."
)
_BETWEEN = re.compile(r"(?<=[.!?]) +(?=[A-Z])")
"""The gap between two sentences."""


def typographic_signed(value: float, digits: int = 2) -> str:
    """`+1.42`, with a minus sign where `numbers.signed` has the hyphen of files."""
    return typographic(signed(value, digits))


def p_value_or_dash(value: float | None) -> str:
    """`0.012`; an en dash, where `numbers.p_value` has the hyphen of files, where nothing was tested."""
    return EN_DASH if value is None else p_value(value)


def decimal(value: float | None, digits: int) -> str:
    """`12.3`; a dash where there is none."""
    return EN_DASH if value is None else f"{value:,.{digits}f}"


def short(value: float | None) -> str:
    """`8.17 G`."""
    if value is None:
        return EN_DASH
    for size, unit in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def html_name(text: str) -> str:
    """For ids and classes: letters, digits, dashes, underscores; case stays."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)


def breakable(name: str) -> Markup:
    """A name that may be broken after its underscores, dots and slashes where there is no room for it."""
    return Markup(re.sub(r"([_./])(?=\w)", r"\1<wbr>", str(escape(name))))


def seed_values(entry: Entry) -> str:
    """A line a seed, for who points at a place of the matrix."""
    lines = [f"seed {seed}: {value:.2f}" for seed, value in zip(entry.seeds, entry.values, strict=True)]
    return "\n".join([entry.label, *lines])


def last_top1(cell: ReportCell) -> float | None:
    """Validation top-1 after the last epoch, percent, which under protocol=paper is of the test images. Of finished cells."""
    top1 = cell.finished_record.last.val_top1
    return None if top1 is None else 100.0 * top1


def last_epochs(entry: Entry, digits: int = 2) -> str:
    """`82.10 ± 0.33`: under protocol=paper the test top-1 over the last epochs; empty elsewhere, and where it is not known."""
    return mean_and_std(entry.last.mean, entry.last.std, digits) if entry.last else ""


def matrix_legend(content: TableContent) -> list[str]:
    """What stands at a place of the matrix, the first sentence enough for who knows such tables."""
    parts = sentences.legend(content.table)
    if content.comparisons:
        parts.append(f"Below: the difference to {content.table.baseline} in {content.table.metric.unit}.")
    if content.table.protocol == "paper" and content.table.entries:
        parts.append(_LAST)
    return parts


def difference_texts(table: ReportTable) -> tuple[list[str], list[str]]:
    """What is said of a table's differences: what nobody should miss, and what explains the columns."""
    texts = sentences.difference_sentences(table, "★")
    return [text for text in texts if sentences.IMAGES in text], [text for text in texts if sentences.IMAGES not in text]


def paired_intervals(content: TableContent) -> bool:
    """Whether any difference has an interval for other seeds on the same images beside that for other images too."""
    differences = [comparison.entry.difference for comparison in content.comparisons]
    return any(each is not None and each.paired is not None and each.crossed is not None for each in differences)


def schedule_notes(speeds: Iterable[Speed]) -> tuple[str, ...]:
    """What is to be said of the schedules under which these speeds came about."""
    return schedule_sentences([cell for speed in speeds for entry in (speed.other, speed.entry) for cell in entry.cells])


def first_sentence(text: str) -> tuple[str, str]:
    """A text's first sentence, and the others: `("Top-1 on the test split, n - 1.", "Beside each backbone, ...")`."""
    first, _, rest = _BETWEEN.sub("\n", text, count=1).partition("\n")
    return first, rest


def capitalize_first(text: str) -> str:
    """With a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


def unbroken(text: str) -> str:
    """With numbers that stay with their units at the end of a line."""
    return re.sub(r"(?<=[0-9]) (?=%|px|points)", "\N{NO-BREAK SPACE}", text)


def pack(value: Any) -> str:
    """A JSON value as zlib's bytes in base 64, which the page unpacks with DecompressionStream("deflate") on demand.

    So a thousand logs and charts stay a few megabytes, and no text of theirs is markup.

    Raises:
        ValueError: NaN or infinity, which JSON does not have.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode("ascii")


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        breakable,
        capitalize_first,
        cases,
        cell_details,
        change,
        change_interval,
        cost_sentences,
        decimal,
        difference_texts,
        last_epochs,
        how_measured,
        matrix_legend,
        mean_and_std,
        first_sentence,
        overhead,
        html_name,
        p_value_or_dash,
        rate_table,
        pack,
        paired_intervals,
        schedule_notes,
        seed_values,
        sentences.count_states,
        short,
        shown_tries,
        tries_method,
        tries_rows,
        typographic_signed,
        unbroken,
    )
}
"""For the templates, by their names."""
