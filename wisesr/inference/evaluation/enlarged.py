"""What of a run is otherwise at another resolution than it was trained at."""

from __future__ import annotations

from typing import Any

from wisesr.inference.run import Run
from wisesr.inference.stored import read_stored
from wisesr.models.heads.pre_average import PreAverage


def resizings(run: Run) -> list[str]:
    """What was resized and what was not, a phrase each; empty at the resolution of the training."""
    if run.image_size == run.config["resolution"]["size"]:
        return []
    (_, old_height, old_width), (_, height, width) = run.record.cost.feature_map, run.model.backbone.feature_shape
    stored = read_stored(run.directory).state
    phrases = [f"feature map {height}x{width} (trained: {old_height}x{old_width})"]
    for name, value in run.model.state_dict().items():
        if name in stored and stored[name].shape != value.shape:
            phrases.append(f"resized: {name}, {_extent(stored[name])} to {_extent(value)}{_how(name)}")
    if len(phrases) == 1:
        phrases.append("no weight needed resizing")
    averaging = getattr(run.model.head, "averaging", None)
    if isinstance(averaging, PreAverage) and averaging.pool > 1:
        phrases.append(f"pre-averaging over {averaging.pool}x{averaging.pool}, as trained")
    return phrases


def _extent(value: Any) -> str:
    return "x".join(map(str, value.shape))


def _how(name: str) -> str:
    if name == "head.aggregation.kernel":
        return " (a channel's sum is kept)"
    return " (positions)" if name.startswith("backbone.") else ""
