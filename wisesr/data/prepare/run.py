"""From a download to a dataset's folder: look, decide, make room, copy, read it as training will, give it its name. No torch.

Nothing is written before all of the source has been looked at, and nothing has the dataset's name before it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.filesize import decimal

from wisesr.data.prepare.checks import Job, check_copied, check_room, check_whole, is_there
from wisesr.data.prepare.kaggle import download
from wisesr.data.prepare.layouts import DATASETS
from wisesr.data.prepare.plan import Plan, check_targets, links
from wisesr.data.prepare.progress import Meter, printable, say
from wisesr.data.prepare.record import Record, count_images, text_of
from wisesr.data.prepare.safety import reading
from wisesr.data.prepare.sources import CHUNK, Entry, Source, Tell, open_source
from wisesr.data.prepare.staging import MARK, Staging
from wisesr.data.prepare.targets import check_writable, find_target
from wisesr.data.published import shortfall
from wisesr.errors import UserError, unknown


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
        job = Job(DATASETS[name], find_target(shown), shown, take_part, console)
        staging = Staging(job.target, name)
        staging.check_free()
        if not is_there(job):
            check_writable(job.target, shown)
            _prepare(job, source, staging)
    except UserError as error:
        raise UserError(printable(str(error))) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        words = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
        raise UserError(f"{shown} cannot be prepared: {words}") from error


def _prepare(job: Job, given: str, staging: Staging) -> None:
    path, origin = _locate(job, given, staging)
    source = open_source(path, skip={staging.path, job.target})
    stamp = _stamp(path)
    with _unwritten(), Meter(job.console, f"Looking at {source.label}", source.size) as meter:
        entries = source.look(job.dataset.lists, meter)
        plan = job.dataset.plan(entries, source.label)
        check_targets(plan, source.label)
    _tell_plan(job, plan, source, links(entries))
    check_whole(job, plan, source, entries)
    with staging.alone():
        if is_there(job):  # another process was quicker
            return
        if staging.exists():
            staging.clean({*plan.copies, *plan.texts})
        check_room(job, plan, staging)
        record = Record(job.dataset.facts.name, source, origin, plan)
        staging.begin()
        _copy(job, plan, source, staging)
        if _stamp(path) != stamp:
            raise UserError(f"{source.label} has changed while it was read: give the same command again")
        is_part = bool(shortfall(job.dataset.facts, plan.rows, plan.missing))
        manifest = job.dataset.read(root=str(staging.path), partial=is_part)
        check_copied(plan, manifest, staging)
        counts = count_images(manifest)
        staging.place(MARK, iter([record.text(counts)]))
        with Meter(job.console, "Waiting for the disk", files=len(plan.copies)) as meter:
            staging.finish(lambda files: meter(0, files))
    _tell_end(job, counts, is_part=is_part)


@contextmanager
def _unwritten() -> Iterator[None]:
    """Say of an error that it came in time; the same one may also come while files are copied."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{str(error).rstrip('.')}. Nothing was written") from error


def _locate(job: Job, given: str, staging: Staging) -> tuple[Path, str]:
    """Where the source lies, and what the record calls it."""
    facts = job.dataset.facts
    if given == "kaggle":
        say(job.console, f"Downloading {facts.kaggle} through kagglehub, into its own cache")
        return download(facts), f"kaggle:{facts.kaggle}"
    if not given.strip():
        raise UserError("--from names nothing. Wanted: a zip, a tar, a folder; or kaggle")
    if "://" in given:
        raise UserError(f"--from takes no address of the web: download {given} first, and name the file")
    path = Path(given).expanduser()
    if path.resolve().is_relative_to(staging.path):
        raise UserError(f"--from: {given} lies in {staging.path}, which this command cleans up: move it away")
    return path, path.resolve().name


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes with an archive's content; None for a folder."""
    status = path.stat()
    return None if path.is_dir() else (status.st_ino, status.st_size, status.st_mtime_ns)


def _copy(job: Job, plan: Plan, source: Source, staging: Staging) -> None:
    for path, content in plan.texts.items():
        staging.place(path, iter([content]))
    paths = {entry.name: path for path, entry in plan.copies.items()}
    done = 0
    with Meter(job.console, "Copying", plan.size, len(paths)) as meter:
        for files, (entry, stream) in enumerate(source.read(plan.copies.values())):
            staging.place(paths[entry.name], _chunks(source.label, entry, stream, partial(_add, meter, done, files)))
            done += entry.size


def _add(meter: Tell, done: int, files: int, size: int) -> None:
    meter(done + size, files)


def _chunks(label: str, entry: Entry, stream: IO[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    """An entry's content, if it is as long as it was said to be."""
    size = 0
    while True:
        with reading(label, entry.name):
            chunk = stream.read(CHUNK)
        size += len(chunk)
        if size > entry.size or (not chunk and size < entry.size):
            raise UserError(
                f"{label}: {entry.name!a} has other than the {entry.size:,} bytes that it declares. It is damaged, has changed "
                "while it was read, or is a trap"
            )
        if not chunk:
            return
        tell(size)
        yield chunk


def _tell_plan(job: Job, plan: Plan, source: Source, untaken: str) -> None:
    where = f", in its folder {plan.root}" if plan.root else ""
    say(job.console, f"{source.label}{where}: {len(plan.rows):,} images of {job.dataset.facts.name}, {decimal(plan.size)}")
    if plan.left_out:
        kinds = sorted(plan.left_out.items(), key=lambda its: (-its[1], its[0]))
        say(job.console, "left out: " + ", ".join(f"{what} ({count:,})" for what, count in kinds))
    if untaken:
        say(job.console, untaken.strip())


def _tell_end(job: Job, counts: Mapping[str, int], *, is_part: bool) -> None:
    name = job.dataset.facts.name
    options = "" if job.shown == f"data/{name}" else f" dataset.root={job.shown}"
    options += " dataset.partial=true" if is_part else ""
    say(job.console, f"{job.shown}: {text_of(counts)}")
    if is_part:
        say(job.console, f"This is a part of {name}: training takes it with dataset.partial=true, and calls it {name}-partial")
    say(job.console, f"look for damage:  wisesr data check {name}{options}")
    say(job.console, f"train:            python train.py dataset={name}{options}")
