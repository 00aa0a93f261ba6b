"""From a download to a dataset's folder: look, decide, make room, copy, read it as training will, give it its name. No torch.

No file is written before all of the source has been looked at, and nothing has the dataset's name before it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.filesize import decimal

from wisesr.data.legible import legible
from wisesr.data.manifest import Manifest
from wisesr.data.prepare.archives import open_archive
from wisesr.data.prepare.console import progress, say
from wisesr.data.prepare.copy_plan import Plan, check_targets, is_hidden, links
from wisesr.data.prepare.downloads import DATASETS
from wisesr.data.prepare.entries import CHUNK, Source
from wisesr.data.prepare.folders import open_folder
from wisesr.data.prepare.kaggle import download
from wisesr.data.prepare.preconditions import Job, check_copied, check_room, check_source, read_existing
from wisesr.data.prepare.staging import Staging
from wisesr.data.published_facts import shortfall
from wisesr.errors import UserError, unknown

_NOTE = ".wisesr.json"
"""In a dataset's folder: where its files come from, so that a number can be traced to them."""


def prepare(name: str, source: str, *, to: str | None, take_part: bool, console: Console) -> None:
    """Make a dataset's folder.

    Args:
        name: of the dataset.
        source: path of a zip, a tar or a folder; or `kaggle`.
        to: the folder to make; None for `data/<name>`.
        take_part: whether a source that lacks images will do.
        console: for progress and the outcome.

    Raises:
        UserError: there is no such dataset or source, the source may not be unpacked or lacks something, there is no room,
            something else is in the way.
    """
    if name not in DATASETS:
        raise UserError(unknown("dataset that can be prepared", name, DATASETS) + ". Images of your own need no preparing")
    shown = f"data/{name}" if to is None else to
    try:
        target = Path(shown).expanduser().resolve()
        if not shown.strip() or not target.name or os.path.ismount(target):  # nothing can be renamed to it
            raise UserError(f"--to must name the folder to make, and {shown!r} is none or where a disk is mounted")
        _prepare(Job(DATASETS[name], target, shown, take_part, console), source)
    except UserError as error:
        raise UserError(legible(str(error))) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        raise UserError(legible(f"{shown} cannot be prepared: {error}")) from error


def _prepare(job: Job, given: str) -> None:
    staging = Staging(job.target)
    _check_given(given, staging)
    staging.remove_stale()
    if (existing := read_existing(job)) is not None:
        say(job.console, f"{job.shown} holds {job.dataset.facts.name} already, {_counts(existing)}: there is nothing to do")
        return
    with _nothing_left(job), staging.alone():
        path, name = _locate(job, given)
        with _opened(job, path, staging) as source:
            plan = _plan(job, source)
            digest = _sha256(path, job.console) if path.is_file() else None
            _copy(job, plan, source, staging.files)
        is_part = bool(shortfall(job.dataset.facts, plan.rows, plan.missing))
        manifest = job.dataset.read(root=str(staging.files), partial=is_part)
        check_copied(plan, manifest)
        origin = {"name": name, "kind": source.kind, "bytes": source.size or None, "sha256": digest}
        (staging.files / _NOTE).write_text(_note(job, plan, origin, manifest))
        staging.finish()
    _say_end(job, manifest, is_part=is_part)


@contextmanager
def _nothing_left(job: Job) -> Iterator[None]:
    """Say of an error that whatever was written is removed."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{str(error).rstrip('.')}. Nothing was left behind") from error
    except OSError as error:
        raise UserError(f"{job.shown} cannot be prepared: {error}. Nothing was left behind") from error


def _check_given(given: str, staging: Staging) -> None:
    if not given.strip():
        raise UserError("--from names nothing. Wanted: a zip, a tar, a folder; or kaggle")
    if "://" in given:
        raise UserError(f"--from takes no address of the web: download {given} first, and name the file")
    if Path(given).expanduser().resolve().is_relative_to(staging.path):
        raise UserError(f"--from: {given} lies in {staging.path}, which this command cleans up: move it away")


def _locate(job: Job, given: str) -> tuple[Path, str]:
    """Where the source lies, and what the note calls it."""
    if given == "kaggle":
        handle = job.dataset.facts.kaggle
        say(job.console, f"Downloading {handle} through kagglehub, into its own cache")
        return download(job.dataset.facts), f"kaggle:{handle}"
    path = Path(given).expanduser()
    if not path.is_dir() and not path.is_file():
        raise UserError(f"--from: there is no file or folder {path}")
    return path, path.resolve().name


@contextmanager
def _opened(job: Job, path: Path, staging: Staging) -> Iterator[Source]:
    """The source, looked through."""
    with ExitStack() as stack:
        if path.is_dir():
            source = open_folder(path, job.dataset.lists, {staging.path, job.target})
        else:
            with progress(job.console, "Looking through it", path.stat().st_size) as tell:
                source = stack.enter_context(open_archive(path, job.dataset.lists, tell))
        yield source


def _plan(job: Job, source: Source) -> Plan:
    """What goes where, told to the user and checked."""
    plan = job.dataset.plan([entry for entry in source.entries if not is_hidden(entry.name)], source.label)
    plan = plan.with_left_out(source.entries, job.dataset.unlisted)
    check_targets(plan, source.label)
    where = f", in its folder {plan.root}" if plan.root else ""
    say(job.console, f"{source.label}{where}: {len(plan.rows):,} images of {job.dataset.facts.name}, {decimal(plan.size)}")
    if plan.left_out:
        kinds = sorted(plan.left_out.items(), key=lambda item: (-item[1], item[0]))
        say(job.console, "left out: " + ", ".join(f"{kind} ({count:,})" for kind, count in kinds))
    if untaken := links(source.entries):
        say(job.console, untaken.strip())
    check_source(job, plan, source)
    check_room(job, plan)
    return plan


def _sha256(path: Path, console: Console) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file, progress(console, "Taking its SHA-256", path.stat().st_size) as tell:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            tell(file.tell())
    return digest.hexdigest()


def _copy(job: Job, plan: Plan, source: Source, folder: Path) -> None:
    for path, content in plan.texts.items():
        (folder / path).write_bytes(content)
    for parent in {(folder / path).parent for path in plan.copies}:
        parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with progress(job.console, "Copying", sum(entry.size for entry in plan.copies.values())) as tell:
        for path, entry in sorted(plan.copies.items(), key=lambda item: item[1].offset):
            with (folder / path).open("xb") as file:
                for chunk in source.read(entry):
                    file.write(chunk)
                    done += len(chunk)
                    tell(done)


def _note(job: Job, plan: Plan, origin: Mapping[str, Any], manifest: Manifest) -> str:
    note = {
        "schema": 1,
        "dataset": job.dataset.facts.name,
        "source": origin,
        "root": plan.root,
        "files": len(plan.copies),
        "bytes": plan.size,
        "left_out": plan.left_out,
        "versions": {"wisesr": _version(), "python": platform.python_version()},
        "images": Counter(manifest.splits),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    return json.dumps(note, indent=1) + "\n"


def _version() -> str | None:
    try:
        return version("wisesr")
    except PackageNotFoundError:  # a checkout that is not installed
        return None


def _counts(manifest: Manifest) -> str:
    """`14,034 images to train and 3,000 to test`."""
    (first, count), *others = Counter(manifest.splits).items()
    return " and ".join([f"{count:,} images to {first}", *(f"{count:,} to {split}" for split, count in others)])


def _say_end(job: Job, manifest: Manifest, *, is_part: bool) -> None:
    name = job.dataset.facts.name
    options = "" if job.shown == f"data/{name}" else f" dataset.root={job.shown}"
    options += " dataset.partial=true" if is_part else ""
    say(job.console, f"{job.shown}: {_counts(manifest)}")
    if is_part:
        say(job.console, f"This is a part of {name}: training takes it with dataset.partial=true, and calls it {name}-partial")
    say(job.console, f"look for damage:  wisesr data check {name}{options}")
    say(job.console, f"train:            python train.py dataset={name}{options}")
