"""`wisesr report --publish`: what is published of a study, and the command that makes its report again."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from wisesr import __version__
from wisesr.errors import UserError
from wisesr.report.files import Tracked
from wisesr.report.publish import CELLS, PAGE_FOLDER, check_publication, publish
from wisesr.report.whole_study import Study
from wisesr.report.write import PAGE, write_report

_FILES = {"published": "published.csv", "claims": "claims.yaml"}
"""Options that name a file, and what it is called in a publication."""


def check_publish(chosen: argparse.Namespace, roots: Sequence[Path]) -> None:
    """Refuse options that a publication has no use for, and a folder that is none for it.

    Args:
        chosen: of the command line.
        roots: directories of the cells.

    Raises:
        UserError: there are such.
    """
    if chosen.output:
        raise UserError("--publish names the folder of the report too: leave --output out")
    if chosen.evidence:
        raise UserError("--publish takes no --evidence: neither test images nor maps over them are published")
    check_publication(chosen.publish, roots)


def write_publication(
    study: Study,
    chosen: argparse.Namespace,
    options: Sequence[str],
    read: Callable[[Sequence[Path], argparse.Namespace], Study],
    tracked: Tracked,
) -> Path:
    """Publish a study.

    Args:
        study: with a finished cell.
        chosen: of the command line.
        options: of the command that say how its tables are made, without names of files.
        read: reads a study below directories, with the options of a command line.
        tracked: as of `write_report`.

    Returns:
        The page.

    Raises:
        UserError: as of `publish`.
    """
    files = {name: Path(given) for option, name in _FILES.items() if (given := getattr(chosen, option))}
    named = [part for option, name in _FILES.items() if name in files for part in (f"--{option}", name)]
    again = shlex.join(["wisesr", "report", CELLS, "--output", "report", *options, *named])

    def report(folder: Path, page: Path) -> None:
        of_copies = {option: folder / name for option, name in _FILES.items() if name in files}
        copies = read([folder / CELLS], argparse.Namespace(**{**vars(chosen), **of_copies}))
        cells = tuple(cell._replace(shown_directory=f"{CELLS}/{cell.name}") for cell in copies.cells)
        copies = copies._replace(roots=(Path(CELLS),), cells=cells)
        width = chosen.figure_width
        write_report(copies, page, command=again, version=__version__, pictures=None, tracked=tracked, figure_width=width)

    private = [str(path) for path in (Path.home(), Path.cwd()) if path != path.parent]
    publish(study, chosen.publish, report, version=__version__, again=again, files=files, private=private)
    return Path(chosen.publish) / PAGE_FOLDER / PAGE
