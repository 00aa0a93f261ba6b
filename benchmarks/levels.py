"""How often a report is wrong, and what it finds: simulated studies by the thousand, as tables for docs/statistics.md.

    python benchmarks/levels.py              all tables
    python benchmarks/levels.py --only row   one of them: row, claims, equivalence, power, families
    python benchmarks/levels.py --studies 200

The latent model is that of tests/support/simulated.py. No table takes more than about five minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.drawn_grids import drawn, grid
from tests.support.simulated import Design, Simulated, finished_cell, simulated
from wisesr.report.claims.declared import Claim
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.claims.measures import MEASURES
from wisesr.report.difference import Difference
from wisesr.report.stars import corrected
from wisesr.report.study import ReportCell
from wisesr.statistics.families import LEVEL, holm

ONE = Design(heads=("wise",))
GAIN = Claim("gain", "", "wise", "gap", MEASURES["top1"], "higher", "", "all", None)
Row = Sequence[str]
_CHUNK = 100
"""Studies in memory at a time."""


def chunks(like: ReportCell, design: Design, studies: int) -> Iterator[Simulated]:
    """So many studies."""
    for start in range(0, studies, _CHUNK):
        yield simulated(like, design, min(_CHUNK, studies - start), seed=1000 + start)


def found(like: ReportCell, design: Design, studies: int) -> list[Difference]:
    """The difference between `wise` and the baseline in each study of one table."""
    return [
        entry.difference
        for chunk in chunks(like, design, studies)
        for table in chunk.tables
        for entry in table.entries
        if entry.head == "wise" and entry.difference is not None
    ]


def answers(like: ReportCell, design: Design, studies: int, claims: Sequence[Claim], margin: float = 1.0) -> list[list[Answer]]:
    """Of each study."""
    return [list(block.answers) for chunk in chunks(like, design, studies) for block in chunk.answered(*claims, margin=margin)]


def percent(values: Iterable[bool]) -> str:
    return f"{100 * np.mean(list(values)):.1f} %"


def row(like: ReportCell, studies: int) -> Iterator[Row]:
    """Two heads on one backbone and dataset, equal over all images: one comparison."""
    yield (
        *("noise", "seeds", "test images", "paired t rejects", "star", "paired t covers", "interval covers"),
        *("paired t's width", "interval's width"),
    )
    kinds = {
        "over seeds": replace(ONE, of_head=0.0),
        "over seeds, and on images": ONE,
        "mostly on images": replace(ONE, of_head=1.2, of_seed=0.3),
        "over seeds, and the best of four rates": replace(ONE, rates=4),
    }
    for name, design in kinds.items():
        for seeds in (3, 5, 10, 20) if design.rates == 1 else (5,):
            ones = found(like, replace(design, seeds=seeds), studies // max(design.rates, seeds // 5))
            paired = [one.paired for one in ones if one.paired is not None]
            ends = [(one.low, one.high) for one in ones if one.low is not None and one.high is not None]
            yield (
                *(name, f"{seeds}", f"{design.images}"),
                *(percent(one.p < LEVEL for one in paired), percent(one.significant for one in ones)),
                *(percent(one.ends[0] <= 0 <= one.ends[1] for one in paired), percent(low <= 0 <= high for low, high in ends)),
                *(f"{np.mean([np.diff(one.ends) for one in paired]):.2f}", f"{np.mean(np.diff(ends)):.2f}"),
            )


def claims(like: ReportCell, studies: int) -> Iterator[Row]:
    """One claim over rows: its verdict where the mean gain is 0, and whether the interval covers the mean over a population."""
    yield "rows", "true gains differ", "seeds", "for other", "verdict is wrong", "interval covers", "its width", "studies"
    five = replace(ONE, of_row=0.3, images=300)
    kinds = [
        ("one", "-", five),
        ("2 backbones, 2 datasets", "-", replace(five, backbones=2, datasets=2)),
        ("3 datasets", "not", replace(five, datasets=3)),
        ("3 datasets", "by 2 points", replace(five, datasets=3, between_rows=2.0)),
        ("6 datasets", "by 2 points", replace(five, datasets=6, between_rows=2.0)),
        ("5 datasets, 1 seed", "by 2 points", replace(five, datasets=5, seeds=1, between_rows=2.0)),
        ("5 backbones, 1 dataset", "by backbone, 2 points", replace(five, backbones=5, between_backbones=2.0)),
        (
            "4 backbones at 2 sizes",
            "by backbone, 2 points",
            replace(five, backbones=4, sizes=(224, 512), between_backbones=2.0),
        ),
        ("3 backbones, 3 datasets", "by both, 2 points", _both(five, 3, 3)),
        ("5 backbones, 4 datasets", "by both, 2 points", _both(five, 5, 4)),
        ("slope, 3 sizes, 3 backbones", "not", replace(five, backbones=3, sizes=(128, 256, 512))),
        ("slope, 5 and 10 classes, 3 backbones", "not", replace(five, backbones=3, classes=(5, 10))),
    ]
    for name, differ, design in kinds:
        slope = "size" if "sizes, 3" in name else "classes" if "classes" in name else ""
        cells = 2 * design.backbones * design.datasets * len(design.sizes) * len(design.classes)
        many = max(100, min(studies, 6 * studies // cells))
        seeds = (3, 5, 10) if cells == 2 else (min(3, design.seeds),)
        for number in seeds:
            asked = [own[0] for own in answers(like, replace(design, seeds=number), many, [GAIN._replace(slope=slope)])]
            known = [(one.pooled, one.found) for one in asked if one.pooled and one.found]
            others = known[0][0].across or ("seeds and images alone",)
            wrong = percent(one.verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED) for one in asked)
            covers = percent(figure.low <= 0 <= figure.high for _, figure in known)
            width = f"{np.mean([figure.high - figure.low for _, figure in known]):.2f}"
            yield name, differ, f"{number}", " and ".join(others), wrong, covers, width, f"{many:,}"


def _both(design: Design, backbones: int, datasets: int) -> Design:
    return replace(
        design, backbones=backbones, datasets=datasets, seeds=3, images=150, between_backbones=2.0, between_datasets=2.0
    )


def equivalence(like: ReportCell, studies: int) -> Iterator[Row]:
    """Three claims of one study whose true differences are just the margin of 1 point, or nothing."""
    yield "true differences", "seeds", "test images", "any claim called equivalent", "each claim called equivalent"
    heads = ("wise", "depthwise", "flatten")
    asked = [GAIN._replace(name=head, head=head) for head in heads]
    for gain in (1.0, 0.0):
        for seeds, images in ((5, 1340), (5, 6000), (10, 6000)):
            design = replace(ONE, heads=heads, seeds=seeds, images=images, of_head=0.2, of_seed=0.2)
            design = replace(design, gains=dict.fromkeys(heads, gain))
            own = answers(like, design, studies // 2, asked)
            equal = [[one.verdict is Verdict.EQUIVALENT for one in each] for each in own]
            yield f"{gain:g} points", f"{seeds}", f"{images:,}", percent(map(any, equal)), percent(np.ravel(equal))


def power(like: ReportCell, studies: int) -> Iterator[Row]:
    """How often a true difference gets its star in one table, the other heads being equal; seeds are .6 points apart."""
    yield "heads", "seeds", "test images", "true difference", "found", "the page says detectable (median)"
    for others in (0, 4):
        for seeds in (3, 5, 10):
            design = replace(ONE, seeds=seeds, images=1340, heads=("wise", *(f"other{number}" for number in range(others))))
            many = studies // (2 if others else 1) // (seeds // 3)
            pilot = found(like, design, many)
            detectable = float(np.sqrt(np.mean([one.detectable**2 for one in pilot if one.detectable])))
            said = float(np.median([one.detectable for one in pilot if one.detectable]))
            for gain in (detectable, 4.0):
                own = found(like, replace(design, gains={"wise": gain}), many)
                name = f"{gain:.2f} points" + " (detectable, root mean square)" * (gain is detectable)
                found_share = percent(one.significant for one in own)
                yield f"{1 + others}", f"{seeds}", f"{design.images:,}", name, found_share, f"{said:.2f} points"


def families(like: ReportCell, studies: int) -> Iterator[Row]:
    """44 rows of five heads: Holm over rows, as it was, and over the study; seeds .6 points apart, images not in play."""
    yield (
        "seeds",
        "wise is better",
        "in rows",
        "a star of an equal head, Holm over rows",
        "Holm over the study",
        "its stars found",
    )
    template = grid(like)
    random = np.random.default_rng(0)
    for seeds in (3, 5, 10):
        for gain, rows in ((0.0, 0), (4.0, 1), (4.0, 44)):
            by_row = by_study = 0
            hits: list[float] = []
            many = max(20, studies // 8)
            for _ in range(many):
                tables, first = drawn(template, random, seeds, gain, rows)
                over_rows = [min(holm(own)) < LEVEL for own in first]
                stars = [
                    (entry.head == "wise" and int(entry.backbone[3:]) < rows, entry.difference.significant)
                    for table in corrected(tables)
                    for entry in table.entries
                    if entry.difference is not None
                ]
                by_row += any(over_rows)
                by_study += any(star for true, star in stars if not true)
                hits += [float(star) for true, star in stars if true]
            share = f"{100 * np.mean(hits):.1f} %" if hits else "-"
            yield (
                *(f"{seeds}", f"{gain:g} points" if rows else "nowhere", f"{rows} of 44"),
                *(f"{100 * by_row / many:.1f} %", f"{100 * by_study / many:.1f} %", share),
            )


TABLES: dict[str, Callable[[ReportCell, int], Iterator[Row]]] = {
    table.__name__: table for table in (row, claims, equivalence, power, families)
}


def main() -> None:
    """Prints Markdown to the output, and the time of each line to the errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=TABLES, action="append", help="a table; may be given several times")
    parser.add_argument("--studies", type=int, default=2000, help="of each line, fewer of large ones (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        like = finished_cell(Path(folder))
    for name in options.only or TABLES:
        print(f"\n{TABLES[name].__doc__}\n")
        start = time.perf_counter()
        for number, line in enumerate(TABLES[name](like, options.studies)):
            print(f"| {' | '.join(line)} |", flush=True)
            if number == 0:
                print(f"|{' --- |' * len(line)}", flush=True)
            else:
                print(f"{name}, line {number}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
