"""What must be so before a dataset's folder is made, and before it takes its name. No torch."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.filesize import decimal

from wisesr.data.legible import legible, shorten
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.data.prepare.copy_plan import Plan, links
from wisesr.data.prepare.downloads import Dataset
from wisesr.data.prepare.source import Source, refusal, without_case
from wisesr.data.published_facts import shortfall
from wisesr.errors import UserError
from wisesr.terminal import tell

_BLOCK = 4096
"""Bytes by which a disk is given to files."""


class Job(NamedTuple):
    """What a preparation is about."""

    dataset: Dataset
    target: Path
    """Resolved: a link to a larger disk stays one."""
    shown: str
    """The target as the user wrote it."""
    take_part: bool
    """Whether a source that lacks images will do."""
    console: Console

    def say(self, text: str) -> None:
        """Print a line as it is: names come from whoever made an archive."""
        tell(self.console, legible(text))


def read_existing(job: Job) -> Manifest | None:
    """The dataset, if it is there already, whole; None where nothing is there. Nothing that is there is ever written to.

    Raises:
        UserError: something else is there.
    """
    target, name = job.target, job.dataset.facts.name
    if not os.path.lexists(target) or (target.is_dir() and not any(target.iterdir())):
        return None
    ways = "move it away and give the same command again, or name another folder with --to"
    there = f"{job.shown} is there already, and nothing is overwritten"
    try:
        listing = job.dataset.listed(root=str(target))
        problem = shortfall(job.dataset.facts, listing.rows, [row.path for row in listing.missing])
        manifest = job.dataset.read(root=str(target), partial=bool(problem))
    except UserError as error:
        raise UserError(f"{there}: {ways}. It cannot be read as {name}: {error}") from None
    if problem:
        raise UserError(f"{there}. It is not {name} as published: {problem} Train on it with dataset.partial=true; or {ways}")
    return manifest


def check_source(job: Job, plan: Plan, source: Source) -> None:
    """Raise UserError unless the source has all images, or some of both splits where a part will do, that may be taken."""
    _check_copies(plan, source)
    problem = shortfall(job.dataset.facts, plan.rows, plan.missing)
    if problem and not job.take_part:
        raise UserError(
            f"{source.label} is not {job.dataset.facts.name} as published: {problem}{links(source)} "
            "Get all of it, or keep what is there with --partial"
        )
    for split in (TRAIN, TEST):
        if not any(row.split == split for row in plan.rows):
            raise UserError(f"{source.label} has no image of the {split} split")


def _check_copies(plan: Plan, source: Source) -> None:
    """Raise UserError for an entry that may not be taken or is wanted twice, and for a path that not every disk can hold."""
    paths: dict[str, str] = {}
    names: set[str] = set()
    for path, entry in plan.copies.items():
        if entry.refused:
            raise refusal(source.label, entry.name, entry.refused)
        if entry.name in names:
            raise refusal(source.label, entry.name, "is listed by two names")
        if not path.isprintable():  # tools cannot read and print it
            raise refusal(source.label, entry.name, f"would become {shorten(path)}, which is no plain name of a file")
        if (other := paths.setdefault(without_case(path), path)) != path:
            raise refusal(
                source.label, entry.name, f"would become {shorten(path)}, and that is {shorten(other)} on a disk blind to case"
            )
        names.add(entry.name)


def check_room(job: Job, plan: Plan) -> None:
    """Raise UserError unless the disk has room for the bytes that the source declares."""
    need = plan.size + _BLOCK * (len(plan.copies) + len(plan.texts))
    if need > (free := shutil.disk_usage(job.target.parent).free):
        raise UserError(
            f"{job.shown} takes {decimal(need)}, and the disk of {job.target.parent} has {decimal(free)} left: "
            "make room, or name a folder on another disk with --to"
        )


def check_copied(plan: Plan, manifest: Manifest) -> None:
    """Raise UserError unless training will read from the copied files what was planned, image by image."""
    labels = [manifest.class_names[label] for label in manifest.labels]
    read = set(zip(manifest.ids, labels, manifest.splits, strict=True))
    if other := sorted(read ^ {(row.path, row.label, row.split) for row in plan.rows}):
        raise UserError(f"the copied files are not those of the source: {other[0][0]!a} differs, of {len(other):,} images")
