"""`wisesr data check`: a copy of a dataset held against what is published of it, and every file decoded."""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.cli.names import file_name
from wisesr.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from wisesr.data.check.decode import Seen
    from wisesr.data.check.findings import Finding
    from wisesr.data.listing import Listing

_CHECK = """\
Decode every image of a dataset, in parallel, and report what would stop or
falsify a training, or surprise you:

  - counts that are not the published ones, listed files that are missing
  - files that are damaged or cannot be opened
  - the same picture in two splits (what is measured on it is memory), in two
    classes, or twice in a class; by decoded pixels, whatever the files' bytes
  - formats other than the name's ending says, unusual pixels, several frames,
    EXIF orientations, tiny and huge images

NAME and KEY=VALUE are those of train.py. A summary is printed; a CSV file gets
a row for every finding (problem,path,split,class,detail). A copy that is not
whole is said to be one, and checked all the same.

exit code: 1 if a training would stop or use another dataset than the published
one: files that cannot be read (unless dataset.on_bad_image=skip), other counts
or missing files (unless dataset.partial=true); else 0. Pictures in two splits
do not change it.

examples:
  wisesr data check intel                       the copy in data/intel
  wisesr data check intel dataset.root=/data/intel dataset.partial=true
  wisesr data check folder dataset.root=photos --report photos.csv
  wisesr data check folder dataset.root=photos dataset.csv=labels.csv
"""

_UNREADABLE, _INCOMPLETE = ("corrupt", "unopened"), ("missing", "count")
"""Findings that stop a training, unless the user has said that such files are skipped, or that a partial copy will do."""


def add_check(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _CHECK
    parser.set_defaults(run=check)
    parser.add_argument("name", metavar="NAME", help="intel, mit_indoor, sub_imagenet, folder: dataset=NAME of train.py")
    parser.add_argument("overrides", metavar="KEY=VALUE", nargs="*", help="overrides of train.py: dataset.root=...")
    parser.add_argument("--report", type=Path, metavar="FILE", help="default: outputs/checks/NAME.csv")


def check(chosen: argparse.Namespace) -> int:
    """Check a copy, print what was found and write it down.

    Returns:
        1 if a training on it would stop, or be another than it is called; else 0.

    Raises:
        UserError: its images are no files; it is not there, or not in order.
    """
    from wisesr.build import build_listing
    from wisesr.cli.compose import compose_checked
    from wisesr.data.check.findings import as_csv, find, legible
    from wisesr.data.check.summary import print_summary
    from wisesr.data.published import PUBLISHED
    from wisesr.grid.display import make_console
    from wisesr.results.files import write_text

    config = compose_checked([f"dataset={chosen.name}", *chosen.overrides])
    dataset, console = config["dataset"], make_console()
    its, facts = build_listing(config), PUBLISHED.get(dataset["_target_"].rpartition(".")[2])
    report = chosen.report or Path(config["output_dir"], "checks", f"{file_name(dataset['name'])}.csv")
    if report.is_dir():
        raise UserError(f"--report must be a file, and {report} is a folder")
    report.parent.mkdir(parents=True, exist_ok=True)
    seen = _decoded(its, console)
    findings = find(its, seen, facts)
    print_summary(console, its, seen, findings, facts, partial=dataset.get("partial") is True)
    write_text(report, as_csv(findings))
    stops = stopping(findings, partial=dataset.get("partial") is True, skip=dataset.get("on_bad_image") == "skip")
    console.print(f"Every finding: {legible(str(report))}", soft_wrap=True, markup=False)
    console.print(f"A training would stop: {', '.join(stops)}." if stops else "Nothing here stops a training.")
    return 1 if stops else 0


def stopping(findings: Iterable[Finding], *, partial: bool, skip: bool) -> list[str]:
    """What a training would stop at, a phrase a kind.

    Args:
        findings: of a check.
        partial: whether the user takes a copy that is not whole.
        skip: whether files that cannot be read are left out.
    """
    from wisesr.data.check.findings import KINDS

    kinds = (() if skip else _UNREADABLE) + (() if partial else _INCOMPLETE)
    found = Counter(finding.problem for finding in findings)
    return [f"{KINDS[name].words} ({found[name]:,})" for name in KINDS if name in kinds and found[name]]


def _decoded(its: Listing, console: Console) -> list[Seen]:
    """Each of the files after decoding; a bar on a terminal."""
    from wisesr.data.check.decode import look_at_all
    from wisesr.grid.display import tracked

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damaged metadata and large images, would break the bar
        return list(tracked(look_at_all(its.base / row.path for row in its.rows), len(its.rows), "decoding", console))
