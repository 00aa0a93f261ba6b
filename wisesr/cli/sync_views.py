"""What `wisesr sync` writes of a study beside its runs: the workspace and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from wisesr.cli.sync_report import study_story
from wisesr.sync.story import Story
from wisesr.sync.study_sync import by_workspace, study_dir, write_report, write_workspace
from wisesr.sync.uploads import SyncCell, read_sync_cell
from wisesr.wording import count_of


def write_views(
    console: Console, cells: Sequence[SyncCell], where: dict[str, str | None], account: str, *, written: list[str]
) -> bool:
    """Write workspace and report of each study and place.

    Args:
        console: for a line each.
        cells: as they were before runs were sent.
        where: project and entity that the command line names.
        account: entity of runs that name none.
        written: of `workspace` and `report`, what is to be written.

    Returns:
        False where a workspace could not be written.
    """
    now = [read_sync_cell(cell.directory, cell.name, project=where["project"], entity=where["entity"]) for cell in cells]
    all_written = True
    for (entity, project, study), group in by_workspace(now, account).items() if written else ():
        place = {"entity": entity, "project": project, "study": study}
        story, why = _story(study_dir(group), pictures="report" in written)
        if "workspace" in written:
            write = partial(write_workspace, group, **place, colours=story.colours if story else {})
            all_written &= _write(console, write, f"workspace of {study}", len(group))
        if "report" in written and story is None:
            console.print(f"There is no report of {study}: {why}", soft_wrap=True, markup=False)
        elif "report" in written and story is not None:
            _write(console, partial(write_report, group, story, **place), f"report of {study}", len(group))
    return all_written


def _story(directory: Path, *, pictures: bool) -> tuple[Story | None, str]:
    """What there is to say of a study, or why that is nothing."""
    try:
        return study_story(directory, pictures=pictures), ""
    except Exception as error:  # the runs are there all the same, and the workspace does without
        return None, str(error)


def _write(console: Console, write: Callable[[], str], what: str, runs: int) -> bool:
    """Write something on the server, and say where it is, or why not."""
    try:
        url = write()
    except Exception as error:  # wandb raises many kinds, and the runs are there all the same
        console.print(f"FAILED to write the {what}: {error}", soft_wrap=True, markup=False)
        return False
    console.print(f"{what[0].upper()}{what[1:]}, {count_of(runs, 'run')}: {url}", soft_wrap=True, markup=False)
    return True
