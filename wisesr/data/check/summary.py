"""What a check found, on one screen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wisesr.data.check.decode import Decoded
from wisesr.data.check.problems import KINDS, UNREADABLE, Finding, overlaps
from wisesr.data.legible import legible
from wisesr.data.listing import Listing
from wisesr.data.manifest import SPLITS, TEST, TRAIN
from wisesr.data.published_facts import Published, counts, whole_not_partial
from wisesr.terminal import tell
from wisesr.wording import natural_key

_CLASSES = 10
"""Rows of a table of classes; the report has all."""


def print_summary(
    console: Console,
    listing: Listing,
    decoded: Sequence[Decoded],
    findings: Sequence[Finding],
    facts: Published | None,
    *,
    partial: bool,
    remarks: Sequence[str] = (),
) -> None:
    """Print counts, formats and problems of a copy on one screen.

    Args:
        console: to print on.
        listing: of the copy.
        decoded: its images.
        findings: about them.
        facts: what is published of the dataset.
        partial: whether the user takes a copy that is not whole.
        remarks: what is to be said of all of it, a line each.
    """
    completeness = _completeness(listing, findings, facts, partial)
    tell(console, legible(f"{listing.base}: {completeness}"))
    tell(console, _formats_and_sizes(decoded))
    for overlap in overlaps(listing.rows, decoded):
        share = f"{100 * overlap.images / overlap.of:.1f} %"
        line = f"{overlap.images:,} of {overlap.of:,} {overlap.split} images ({share}) are also in the {overlap.other} split"
        line += ", as decoded"
        tell(console, line, "bold")
    for remark in remarks:
        tell(console, legible(remark))
    if facts is None:
        console.print(_classes(listing))
    elif any(finding.problem == "count" for finding in findings):
        console.print(_beside(listing, facts))
    if any(finding.problem != "count" for finding in findings):
        console.print(_kinds(findings))


def _completeness(listing: Listing, findings: Sequence[Finding], facts: Published | None, partial: bool) -> str:
    """`a partial copy: 3,720 of 17,034 images; usable with dataset.partial=true`."""
    here, classes = len(listing.rows), len({row.label for row in listing.rows})
    if facts is None:
        return f"{here:,} images of {classes} classes"
    total = facts.train + facts.test
    kinds = {finding.problem for finding in findings}
    bad = sum(finding.problem in UNREADABLE for finding in findings)
    if not kinds & {"count", "missing", *UNREADABLE}:
        advice = f"; {whole_not_partial(facts)}" if partial else ""
        return f"whole, {here:,} images of {classes} classes as published{advice}"
    if "count" not in kinds:
        listed = f", and {len(listing.missing):,} that are listed are missing" if listing.missing else ""
        what = f"not whole: of {here:,} images {here - bad:,} can be read{listed}"
        skip = "dataset.on_bad_image=skip dataset.partial=true" if bad else "dataset.partial=true"
        return what + ("" if partial and not bad else f"; replace the others, or leave them out with {skip}")
    if here < total:
        what = f"a partial copy: {here:,} of {total:,} images"
    else:
        what = f"not as published: {here:,} images" + (f", not {total:,}" if here > total else " as there, divided otherwise")
    if classes != facts.classes:
        what += f", {classes} classes, not {facts.classes}"
    if bad:
        what += f", {bad:,} of them unreadable"
    ways = f"; usable with dataset.partial=true, or complete it: wisesr data prepare {facts.name} --help"
    return what + ("" if partial else ways)


def _formats_and_sizes(decoded: Sequence[Decoded]) -> str:
    """`Decoded: 1,600 JPEG, 22 PNG; 120x90 to 800x600 px, the median 320x240`."""
    sizes = sorted((image.size for image in decoded if image.format), key=lambda size: (size[0] * size[1], size))
    if not sizes:
        return "No image could be decoded."
    formats = Counter(image.format for image in decoded if image.format)
    named = ", ".join(f"{count:,} {name}" for name, count in formats.most_common())
    smallest, median, largest = (f"{width}x{height}" for width, height in (sizes[0], sizes[len(sizes) // 2], sizes[-1]))
    extent = f"all {smallest} px" if len(set(sizes)) == 1 else f"{smallest} to {largest} px, the median {median}"
    return f"Decoded: {named}; {extent}"


def _classes(listing: Listing) -> Table:
    """Images of each class in each split; of many classes those with the fewest."""
    here = Counter((row.split, row.label) for row in listing.rows)
    splits = [split for split in SPLITS if any(split == other for other, _ in here)]
    totals = Counter(row.label for row in listing.rows)
    labels = sorted(totals, key=natural_key)
    if len(labels) > _CLASSES:
        labels = sorted(labels, key=lambda label: totals[label])[:_CLASSES]
    table = _table("class" if len(labels) == len(totals) else f"class ({_CLASSES} of {len(totals)}, the smallest)", *splits)
    for label in labels:
        table.add_row(Text(legible(label)), *(f"{here[split, label]:,}" for split in splits))
    table.add_row("all", *(f"{sum(here[split, label] for label in totals):,}" for split in splits))
    return table


def _beside(listing: Listing, facts: Published) -> Table:
    """Counts here and published, of the classes where they differ, those that lack most first where there are many."""
    both = {(count.label, count.split): count for count in counts(facts, listing.rows, listing.missing)}
    wrong = {count.label: 0 for count in both.values() if count.label and count.here != count.published}
    for label in wrong:
        wrong[label] = sum(abs(both[at].published - both[at].here) for at in ((label, TRAIN), (label, TEST)) if at in both)
    labels = sorted(wrong) if len(wrong) <= _CLASSES else sorted(wrong, key=lambda label: (-wrong[label], label))[:_CLASSES]
    more = f" ({len(labels)} of {len(wrong)} that differ)" if len(labels) < len(wrong) else ""
    table = _table(f"class{more}", TRAIN, "published", TEST, "published")
    for label in [*labels, ""]:
        pairs = [both.get((label, split)) for split in (TRAIN, TEST)]
        cells = [f"{number:,}" for pair in pairs for number in ((pair.here, pair.published) if pair else (0, 0))]
        table.add_row(Text(legible(label) or "all"), *cells)
    return table


def _kinds(findings: Sequence[Finding]) -> Table:
    """A line a kind: how many, one of them, what to do. Counts have a table of their own."""
    table = _table("found", "files")
    table.add_column("for example")  # the one that gives way on a narrow terminal
    table.add_column("what to do", no_wrap=True)
    for name, kind in KINDS.items():
        of_kind = [finding for finding in findings if finding.problem == name]
        if of_kind and name != "count":
            first = of_kind[0]
            text = f"{first.path}: {first.detail}" if first.detail else first.path
            example = re.sub(r"\S+/(\S+/\S+)", r"…/\1", legible(text))
            table.add_row(kind.description, f"{len(of_kind):,}", Text(example, overflow="ellipsis", no_wrap=True), kind.advice)
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table
