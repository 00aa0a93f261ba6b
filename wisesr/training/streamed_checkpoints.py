"""Checkpoints that are written while they are made, and are never whole in memory beside the tensors that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO


class StreamedCheckpoints(TorchCheckpointIO):
    """Writes to the path that it is given, which whoever saves makes the real one afterwards (`replacing`).

    Lightning's own makes the file in memory, three times the model with Adam, writes it to the system's temporary folder and
    moves it from there. The bytes are the same.
    """

    def save_checkpoint(self, checkpoint: Mapping[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Save what Lightning has gathered.

        Raises:
            OSError: it cannot be written.
        """
        assert storage_options is None
        with Path(path).open("wb") as file:  # of a path, torch would keep the name within
            torch.save(checkpoint, file)
