"""Finished cells as they are named on the command line, and where their models compute."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.cli.studies import OUTPUTS
from wisesr.errors import UserError

if TYPE_CHECKING:
    from wisesr.inference.run import Run

RUN = """\
RUN is a finished cell: its directory, STUDY:backbone-head-seed, or a part of its
path below outputs/ that no other cell's has; or a directory that holds just
one. Nothing in its files is run.
"""
"""For the descriptions of commands."""


def add_run_options(parser: argparse.ArgumentParser, *, device: bool = True) -> None:
    """Options of every command that loads a run, after the run itself; `device` where it may compute on a GPU."""
    parser.add_argument("--runs", metavar="DIR", default=OUTPUTS, help=f"where to look for names of runs ({OUTPUTS})")
    if device:
        parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU where there is one")
    else:
        parser.set_defaults(device="cpu")
    parser.add_argument(
        "--trust", action="store_true", help="import parts that are not wisesr's, as the run's configuration names them"
    )


def run_arguments(chosen: argparse.Namespace) -> list[str]:
    """What was chosen of `add_run_options`, for the command that does the same again."""
    parts = ["--runs", chosen.runs] if chosen.runs != OUTPUTS else []
    parts += ["--device", chosen.device] if chosen.device != "auto" else []
    return parts + ["--trust"] * chosen.trust


def device_of(name: str) -> str:
    """`cpu` or `cuda`, of what --device says.

    Raises:
        UserError: there is no GPU that torch can use.
    """
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device=cuda: torch sees no GPU here; --device=cpu does without")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def load_run(name: str, chosen: argparse.Namespace, image_size: int | None = None) -> Run:
    """The run that a command names, with the options of `add_run_options`.

    Raises:
        UserError: as of `wisesr.inference.load.load`.
    """
    from wisesr.inference.load import load

    return load(name, outputs=Path(chosen.runs), image_size=image_size, device=device_of(chosen.device), trust=chosen.trust)
