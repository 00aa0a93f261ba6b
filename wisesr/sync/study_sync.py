"""All of a study: its runs sent a few at a time, its workspaces written where they were written before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from types import MappingProxyType

from wisesr.results.atomic_files import write_json
from wisesr.results.run_address import NOTES
from wisesr.sync.story import Story
from wisesr.sync.uploader import CellError, Uploader, UploadError
from wisesr.sync.uploads import Sent, SyncCell, UploadState, read_notes, sent_of

_AT_ONCE = 4
_GIVE_UP = 3
"""Failures that lie with the server, none sent before, after which the rest is not tried."""

Result = tuple[SyncCell, Sent | None, str]
"""A cell, what was sent, or why not."""


def send_all(cells: Sequence[SyncCell], *, timeout: float, again: bool, environment: Mapping[str, str]) -> Iterator[Result]:
    """Send offline runs, in the order in which they are done.

    Args:
        cells: with an offline run each.
        timeout: seconds for one run.
        again: whether runs that were sent before are sent again.
        environment: with the key.
    """
    uploader, sent, failures = Uploader(timeout=timeout, again=again, environment=environment), 0, 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked: dict[Future[Sent], SyncCell] = {pool.submit(uploader.send, cell): cell for cell in cells}
        try:
            for done in as_completed(asked):
                try:
                    result: Result = (asked[done], done.result(), "")
                    sent += 1
                except (UploadError, OSError) as error:
                    result = (asked[done], None, str(error))
                    failures += not isinstance(error, CellError | OSError)
                if not sent and failures >= _GIVE_UP:
                    uploader.stop()
                yield result
        finally:
            uploader.stop()
            pool.shutdown(cancel_futures=True)


def by_workspace(cells: Sequence[SyncCell], account: str) -> dict[tuple[str, str, str], list[SyncCell]]:
    """Cells whose run is on the server, by entity (`account` for runs that name none), project and study."""
    groups: dict[tuple[str, str, str], list[SyncCell]] = defaultdict(list)
    for cell in cells:
        if not cell.state.is_there:
            continue
        sent = sent_of(read_notes(cell.directory)) if cell.state is UploadState.SENT else None
        entity = (sent.entity if sent else "") or cell.destination.entity or account
        groups[(entity, cell.destination.project, cell.study)].append(cell)
    return dict(groups)


def write_workspace(
    cells: Sequence[SyncCell], *, entity: str, project: str, study: str, colours: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Write the workspace of these cells, in the place of the one that was written before.

    Returns:
        Its address, noted in the study's directory.
    """
    from wisesr.sync.workspace import make_workspace, save

    configs = {str(cell.identifier): cell.config for cell in cells}
    notes, key = read_notes(study_dir(cells)), f"{entity}/{project}/{study}"
    made = make_workspace(configs, entity=entity, project=project, study=study, colours=colours)
    url = save(made, notes.get(key))
    _note(cells, {key: url})
    return url


def write_report(cells: Sequence[SyncCell], story: Story, *, entity: str, project: str, study: str) -> str:
    """Write the W&B report of these cells, in the place of the one that was written before; its pictures likewise.

    Returns:
        Its address, noted in the study's directory.
    """
    from wisesr.sync.report import make_report, save
    from wisesr.sync.report_run import send_pictures

    configs = {str(cell.identifier): cell.config for cell in cells}
    notes, key = read_notes(study_dir(cells)), f"{entity}/{project}/{study}/report"
    where = {"entity": entity, "project": project, "study": study}
    run = None
    if story.pictures:
        before = notes.get(f"{key}-run")
        run = send_pictures(story.pictures, before=before, about="Pictures of the report that `wisesr sync` writes.", **where)
        _note(cells, {f"{key}-run": run})
    url = save(make_report(configs, story, picture_run=run, **where), notes.get(key))
    _note(cells, {key: url})
    return url


def study_dir(cells: Sequence[SyncCell]) -> Path:
    """`outputs/<study>` of cells of one study: `outputs/<study>/<dataset>/<heads>/<cell>`."""
    return cells[0].directory.absolute().parents[2]


def _note(cells: Sequence[SyncCell], more: Mapping[str, str]) -> None:
    directory = study_dir(cells)
    write_json(directory / NOTES, {**read_notes(directory), **more})
