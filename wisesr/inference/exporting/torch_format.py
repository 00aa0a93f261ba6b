"""A program of torch.export: `torch.export.load` reads it without wisesr and timm."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from wisesr.inference.exporting.formats import About, Format, quietly

ABOUT = "wisesr.json"
"""The file within it that says what it is: `torch.export.load(path, extra_files={"wisesr.json": ""})`."""


class TorchFormat(Format):
    """`.pt2`, logits its only answer."""

    name = "torch"
    suffix = ".pt2"
    tolerance = 1e-5
    outputs = ("logits",)

    def require(self) -> None:
        """Torch is there."""

    def write(self, program: ExportedProgram, about: About, path: Path) -> None:
        """Make the file."""
        extra = {ABOUT: json.dumps(about, indent=1, allow_nan=False)}
        with quietly(), path.open("wb") as file:  # as torch wants a path to end in .pt2
            torch.export.save(program, file, extra_files=extra)

    def open(self, path: Path) -> Callable[[Tensor], Tensor]:
        """By torch."""
        with quietly(), path.open("rb") as file:
            module = torch.export.load(file).module()

        def logits(images: Tensor) -> Tensor:
            with torch.inference_mode():
                answer: Tensor = module(images)
            return answer

        return logits

    @property
    def runtime(self) -> str:
        """Torch."""
        return f"torch {torch.__version__}"
