"""What `wisesr explain` writes: a sheet for each picture, and the page."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr import __version__
from wisesr.cli.names import file_names
from wisesr.cli.runs import run_arguments
from wisesr.wording import count_of

if TYPE_CHECKING:
    from wisesr.inference.run import Run
    from wisesr.report.evidence.rows import Explained

LIMIT = 8
"""Pictures of folders, where --limit says nothing."""


def write_explained(
    folder: Path, shown: Sequence[Explained], runs: Sequence[Run], chosen: argparse.Namespace, notes: Sequence[str]
) -> None:
    """All files, into an empty folder.

    Args:
        folder: that exists.
        shown: pictures, in their order.
        runs: that explained them: one, or two.
        chosen: options of the command.
        notes: sentences on what is not shown.
    """
    from wisesr.inference.explain import name_of
    from wisesr.report.evidence.page import render_explained
    from wisesr.report.evidence.strip import strip_png
    from wisesr.results.atomic_files import write_text

    looks = {"smooth": chosen.smooth, "each_head": chosen.each_head}
    for name, one in zip(file_names([Path(one.name).stem for one in shown], ["index"]), shown, strict=True):
        (folder / f"{name}.png").write_bytes(strip_png(one, **looks))
    facts = [("against" if at else "run", f"{name_of(run)} ({run.directory})") for at, run in enumerate(runs)]
    facts += [("the picture", "; ".join(dict.fromkeys(map(_view_of, runs)))), ("command", command_of(chosen))]
    facts.append(("created", time.strftime(f"%Y-%m-%d %H:%M UTC by wisesr {__version__}", time.gmtime())))
    heads = " and ".join(dict.fromkeys(run.labels.head for run in runs))
    title = f"What {heads} saw in {count_of(len(shown), 'picture')}"
    write_text(folder / "index.html", render_explained(shown, title=title, facts=facts, notes=notes, **looks), durable=False)


def _view_of(run: Run) -> str:
    """How pictures became what a model saw."""
    resizing = run.augmentation.resizing
    way = "" if resizing is None else f" by {resizing.words}"
    return f"as the model saw it: resized to {run.image_size}x{run.image_size} px{way}"


def command_of(chosen: argparse.Namespace) -> str:
    """The command that makes the page again."""
    parts = ["wisesr", "explain", chosen.name, *chosen.paths]
    parts += ["--against", chosen.against] if chosen.against else []
    parts += ["--output", str(chosen.output)] if chosen.output else []
    parts += run_arguments(chosen)
    parts += [part for name in chosen.classes for part in ("--class", name)]
    parts += ["--top", str(chosen.top)] if chosen.top else []
    parts += ["--limit", str(chosen.limit)] if chosen.limit != LIMIT else []
    return shlex.join(parts + ["--smooth"] * chosen.smooth + ["--each-head"] * chosen.each_head)
