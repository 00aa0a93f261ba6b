"""What must be so before a preparation writes its first byte. No torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, NoReturn

from rich.console import Console
from rich.filesize import decimal

from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.data.prepare.layouts import Dataset
from wisesr.data.prepare.plan import Plan, links
from wisesr.data.prepare.progress import say
from wisesr.data.prepare.record import count_images, text_of
from wisesr.data.prepare.sources import Entry, Source
from wisesr.data.prepare.staging import Staging
from wisesr.data.published import shortfall
from wisesr.errors import UserError

_SPARE = 1.05
"""Of the disk that the files will take: folders and the file system's own notes."""


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


def is_there(job: Job) -> bool:
    """Whether the dataset is there already, whole. Nothing that is there is ever written to.

    Raises:
        UserError: something else is there.
    """
    target, name = job.target, job.dataset.facts.name
    if not os.path.lexists(target) or (target.is_dir() and not any(target.iterdir())):
        return False
    ways = "move it away and give the same command again, or name another folder with --to"
    try:
        its = job.dataset.listed(root=str(target))
        lacking = shortfall(job.dataset.facts, its.rows, [row.path for row in its.missing])
        manifest = job.dataset.read(root=str(target), partial=bool(lacking))
    except UserError as error:
        raise UserError(
            f"{job.shown} is there already, and nothing is overwritten: {ways}. It cannot be read as {name}: {error}"
        ) from None
    if lacking:
        raise UserError(
            f"{job.shown} is there already, and nothing is overwritten. It is not {name} as published: {lacking} "
            f"Train on it with dataset.partial=true; or {ways}"
        )
    say(job.console, f"{job.shown} holds {name} already, {text_of(count_images(manifest))}: there is nothing to do")
    return True


def check_whole(job: Job, plan: Plan, source: Source, entries: Sequence[Entry]) -> None:
    """Whether the source has all images; where a part will do, whether what it has can be trained on.

    Raises:
        UserError: no.
    """
    lacking = shortfall(job.dataset.facts, plan.rows, plan.missing)
    if lacking and not job.take_part:
        raise UserError(
            f"{source.label} is not {job.dataset.facts.name} as published: {lacking}{links(entries)} Nothing was written. "
            "Get all of it, or keep what is there with --partial"
        )
    _check_trainable(plan, source.label)


def _check_trainable(plan: Plan, label: str) -> None:
    """Let the dataset's manifest object to the images now, and not when all are copied."""
    for split in (TRAIN, TEST):
        if not any(row.split == split for row in plan.rows):
            raise UserError(f"{label} has no image of the {split} split. Nothing was written")
    number = {name: index for index, name in enumerate(sorted({row.label for row in plan.rows}))}
    try:
        Manifest(
            ids=[row.path for row in plan.rows],
            labels=[number[row.label] for row in plan.rows],
            class_names=list(number),
            splits=[row.split for row in plan.rows],
            load=_never,
            sizes=[plan.copies[row.path].size for row in plan.rows],
        )
    except UserError as error:
        raise UserError(f"{label}: {error}. Nothing was written") from None


def _never(index: int) -> NoReturn:
    raise AssertionError(f"image {index} is not there yet")


def check_copied(plan: Plan, manifest: Manifest, staging: Staging) -> None:
    """Whether training will read from the copied files what was planned, image by image.

    Raises:
        UserError: no.
    """
    labels = [manifest.class_names[label] for label in manifest.labels]
    read = set(zip(manifest.ids, labels, manifest.splits, strict=True))
    if other := sorted(read ^ {(row.path, row.label, row.split) for row in plan.rows}):
        raise UserError(
            f"{staging.path} differs from what was copied to it in {len(other):,} images, {other[0][0]!a} among "
            "them. Something else writes there: find out what, and give the same command again"
        )


def check_room(job: Job, plan: Plan, staging: Staging) -> None:
    """Whether the disk has room for what is still to be written.

    Raises:
        UserError: no.
    """
    disk = os.statvfs(job.target.parent)
    new = {path: entry.size for path, entry in plan.copies.items() if not staging.has(path, entry.size)}
    todo = [*new.values()]
    todo += [len(content) for content in plan.texts.values()]
    need = int(_SPARE * sum(-(-size // disk.f_frsize) * disk.f_frsize for size in todo))  # files take whole blocks
    if need > (free := disk.f_bavail * disk.f_frsize):
        raise UserError(
            f"{job.shown} takes {decimal(need)} more, and the disk of {job.target.parent} has {decimal(free)} left: "
            "make room, or name a folder on another disk with --to"
        )
    folders = {str(parent) for path in new for parent in PurePosixPath(path).parents}
    if disk.f_files and (count := len(todo) + len(folders)) > disk.f_favail:  # some file systems have no limit, and say 0
        raise UserError(
            f"{job.shown} takes {count:,} more files and folders, and the disk of {job.target.parent} has room for "
            f"{disk.f_favail:,} (inodes): remove some, or name a folder on another disk with --to"
        )
