"""What one run of the benchmark measures with, and the sizes that it takes on a card or, to test the script, on a CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

Row = tuple[str, ...]
"""Cells of one line of a table."""

CLASSES = 70


@dataclass(frozen=True)
class Case:
    """A backbone at a resolution."""

    name: str
    """As tables call it."""
    overrides: tuple[str, ...]
    """As `train.py` takes them."""
    batch: int


@dataclass(frozen=True)
class Options:
    """Of the command line, and what follows from it."""

    device: str
    tiny: bool
    images: Path | None
    loaders: tuple[str, ...]

    @property
    def trainer(self) -> str:
        """The product's option for the device."""
        return "gpu" if self.device == "cuda" else "cpu"

    @property
    def cases(self) -> tuple[Case, Case]:
        """The two backbones of the table; toys in a tiny run."""
        toy = ("backbone=timm", "backbone.model=test_efficientnet")
        if self.tiny:
            return (Case("toy at 32", (*toy, "resolution.size=32"), 8), Case("toy at 96", (*toy, "resolution.size=96"), 4))
        return (
            Case("ResNet50 at 224", ("backbone=resnet50", "resolution.size=224"), 128),
            Case("DenseNet201 at 512", ("backbone=densenet201", "resolution.size=512"), 32),
        )

    @property
    def seconds(self) -> float:
        """How long one way is timed, about."""
        return 0.2 if self.tiny else 1.5

    @property
    def most_steps(self) -> int:
        """Steps that are timed at most."""
        return 5 if self.tiny else 60

    @property
    def workers(self) -> tuple[int, ...]:
        """Counts of processes that decode."""
        return (1, 2) if self.tiny else (1, 4, 16)

    @property
    def sizes(self) -> tuple[int, int]:
        """Pixels of what the loader gives."""
        return (64, 96) if self.tiny else (224, 512)

    @property
    def small_cell(self) -> tuple[str, ...]:
        """A cell that trains in seconds, from image files, without its dataset and trainer."""
        if self.tiny:
            return ("backbone=timm", "backbone.model=test_efficientnet", "resolution.size=64", "recipe.batch_size=16")
        return ("backbone=resnet18", "resolution.size=224", "recipe.batch_size=32")
