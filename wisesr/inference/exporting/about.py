"""What an exported file says of itself."""

from __future__ import annotations

from typing import Any

from wisesr import __version__
from wisesr.inference.exporting.formats import Format
from wisesr.inference.run import Run


def about(run: Run, format: Format, *, inside: bool) -> dict[str, Any]:
    """Plain data by name. In ONNX what is no text is written as JSON, also numbers.

    `mean` and `std` are a number a channel, of RGB images in [0, 1], in the order red, green, blue; under `order` "BGR" the
    channels are swapped after that. `preprocessing` says whether the file normalises or its user must. `resizing` is always
    the user's: None where the training's is not known.
    """
    inputs, resizing, labels = run.augmentation.inputs, run.augmentation.resizing, run.labels
    return {
        "class_names": list(run.class_names),
        "image_size": run.image_size,
        "preprocessing": "inside" if inside else "metadata",
        "resizing": resizing and resizing._asdict(),
        "upright": run.rules.upright,
        "mean": inputs["mean"],
        "std": inputs["std"],
        "order": inputs.get("order", "RGB"),
        "backbone": labels.backbone,
        "backbone_model": run.config["backbone"].get("model"),
        "head": labels.head,
        "study": labels.study,
        "dataset": labels.dataset,
        "seed": labels.seed,
        "run_fingerprint": run.record.fingerprint,
        "data_fingerprint": run.record.provenance.data.fingerprint,
        "wisesr_version": __version__,
        **format.about(),
    }
