"""From a download to a dataset's folder: look, decide, make room, copy, read it as training will, give it its name. No torch.

No file is written before all of the source has been looked at, and nothing has the dataset's name before it is whole.
"""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.filesize import decimal

from wisesr.data.legible import legible
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.data.overrides import override
from wisesr.data.prepare.copy_plan import Plan, links
from wisesr.data.prepare.downloads import DATASETS
from wisesr.data.prepare.formats import open_source
from wisesr.data.prepare.origin import NOTE
from wisesr.data.prepare.preconditions import Job, check_copied, check_room, check_source, read_existing
from wisesr.data.prepare.progress_bar import progress
from wisesr.data.prepare.source import Source
from wisesr.data.prepare.staging import staging
from wisesr.data.published_facts import Published, shortfall
from wisesr.errors import UserError, unknown
from wisesr.results.provenance import file_hash, installed_version


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
        _prepare(Job(DATASETS[name], Path(shown).expanduser().resolve(), shown, take_part, console), source)
    except UserError as error:
        raise UserError(legible(str(error))) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        raise UserError(legible(f"{shown} cannot be prepared: {error}")) from error


def _prepare(job: Job, given: str) -> None:
    if os.path.ismount(job.target):  # nothing can be renamed to it
        raise UserError(f"--to must name the folder to make, and a disk is mounted at {job.shown}")
    if (existing := read_existing(job)) is not None:
        job.say(f"{job.shown} holds {job.dataset.facts.name} already, {_counts(existing)}: there is nothing to do")
        return
    path, name = _locate(job, given)
    with staging(job.target) as folder:
        with open_source(path, folder.parent, job.console) as source:
            plan = _plan(job, source)
            _copy(job, plan, source, folder)
        is_part = bool(shortfall(job.dataset.facts, plan.rows, plan.missing))
        manifest = job.dataset.read(root=str(folder), partial=is_part)
        check_copied(plan, manifest)
        digest = file_hash(path) if source.size else None
        origin = {"name": name, "kind": source.kind, "bytes": source.size or None, "sha256": digest}
        (folder / NOTE).write_text(_note(job, plan, origin, manifest), encoding="utf-8")
    _say_end(job, manifest, is_part=is_part)


def _locate(job: Job, given: str) -> tuple[Path, str]:
    """Where the source lies, and what the note calls it."""
    if given == "kaggle":
        handle = job.dataset.facts.kaggle
        job.say(f"Downloading {handle} through kagglehub, into its own cache")
        return _download(job.dataset.facts), f"kaggle:{handle}"
    path = Path(given).expanduser()
    if not path.is_dir() and not path.is_file():
        raise UserError(f"--from takes a zip, a tar or a folder on this machine, or kaggle: there is no {given}")
    return path, path.resolve().name


def _download(facts: Published) -> Path:
    """The folder in kagglehub's cache that holds the dataset, downloaded and unpacked by it if it is not there yet."""
    try:
        import kagglehub
    except ImportError as error:
        raise UserError(
            f"--from kaggle needs a package: pip install 'wisesr[kaggle]' ({error}). Or download "
            f"https://www.kaggle.com/datasets/{facts.kaggle} by hand, and name the file"
        ) from None
    try:
        return Path(kagglehub.dataset_download(facts.kaggle))
    except Exception as error:  # of any kind: of the network, of the login, of the disk
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"--from kaggle: kagglehub could not download {facts.kaggle}: {reason[:300]}. A login is set up as it says at "
            "https://github.com/Kaggle/kagglehub; or download the dataset by hand, and name the file"
        ) from error


def _plan(job: Job, source: Source) -> Plan:
    """What goes where, told to the user and checked."""
    plan = job.dataset.plan(source).with_left_out(source, job.dataset.unlisted)
    where = f", in its folder {plan.root}" if plan.root else ""
    job.say(f"{source.label}{where}: {len(plan.rows):,} images of {job.dataset.facts.name}, {decimal(plan.size)}")
    if plan.left_out:
        job.say("left out: " + ", ".join(f"{kind} ({count:,})" for kind, count in plan.left_out.items()))
    if untaken := links(source):
        job.say(untaken.strip())
    check_source(job, plan, source)
    check_room(job, plan)
    return plan


def _copy(job: Job, plan: Plan, source: Source, folder: Path) -> None:
    for path, content in plan.texts.items():
        (folder / path).write_bytes(content)
    for parent in {(folder / path).parent for path in plan.copies}:
        parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with progress(job.console, "Copying", sum(entry.size for entry in plan.copies.values())) as tell:
        for path, entry in plan.copies.items():
            with (folder / path).open("xb") as file:
                for chunk in source.read(entry):
                    done += file.write(chunk)
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
        "versions": {"wisesr": installed_version("wisesr"), "python": platform.python_version()},
        "images": Counter(manifest.splits),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    return json.dumps(note, indent=1) + "\n"


def _counts(manifest: Manifest) -> str:
    """`14,034 images to train and 3,000 to test`."""
    counts = Counter(manifest.splits)
    return f"{counts[TRAIN]:,} images to train and {counts[TEST]:,} to test"


def _say_end(job: Job, manifest: Manifest, *, is_part: bool) -> None:
    name = job.dataset.facts.name
    options = "" if job.shown == f"data/{name}" else f" {override('dataset.root', job.shown)}"
    options += " dataset.partial=true" if is_part else ""
    job.say(f"{job.shown}: {_counts(manifest)}")
    if is_part:
        job.say(f"This is a part of {name}: training takes it with dataset.partial=true, and calls it {name}-partial")
    job.say(f"look for damage:  wisesr data check {name}{options}")
    job.say(f"train:            python train.py dataset={name}{options}")
