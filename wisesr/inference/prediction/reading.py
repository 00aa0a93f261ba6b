"""A picture file that somebody names, as a model's input, or in few words why it is none."""

from __future__ import annotations

import os
import stat
from typing import TypeAlias

from torch import Tensor

from wisesr.data.image_file import reading_problem
from wisesr.data.image_formats import ending_hint, ending_of
from wisesr.errors import UserError
from wisesr.inference.run import Run

Read: TypeAlias = "Tensor | str"
"""(3, size, size), normalised; or why there is none, without the path and without a full stop."""
NO_NUMBER = "the model's answer is not a number"
_ONE_PIXEL = "1x1 px: a single pixel is no picture"
"""Blown up to a plane of one colour it would get an answer, as sure as any other."""


def read_picture(run: Run, path: str) -> Read:
    """A file as the model's input, or why it cannot be that: one bad file ends nothing."""
    try:
        if problem := _no_file(path):
            return problem
        image = run.open(path)
        return _ONE_PIXEL if image.size == (1, 1) else run.transform(image)
    except UserError as error:
        reason = reading_problem(error.__cause__ or error)
        hint = ending_hint(ending_of(path))
        return f"{reason}; {hint}" if hint else reason
    except MemoryError:
        return "too large for the memory of this machine"
    except (OSError, ValueError, RuntimeError) as error:
        return reading_problem(error)


def _no_file(path: str) -> str:
    """Why a path is no file with anything in it, without opening it, since a pipe may never answer; empty where it is one.

    Raises:
        OSError: it cannot be looked at.
        ValueError: no file can be called so.
    """
    try:
        state = os.stat(path)  # noqa: PTH116 (a Path costs more than this)
    except FileNotFoundError:
        if not os.path.islink(path):  # noqa: PTH114
            raise
        return f"a link to {os.readlink(path)}, which is not there"  # noqa: PTH115
    if stat.S_ISREG(state.st_mode):
        return "" if state.st_size else "an empty file"
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe, and no file"), (stat.S_ISSOCK, "a socket, and no file"))
    return next((name for is_one, name in kinds if is_one(state.st_mode)), "a device, and no file")
