"""What loggers show of a trained cell: its kernels, its predictions, the test images that it gets most wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from wisesr.data.manifest import TEST, Manifest
from wisesr.results.kernels import read_kernels
from wisesr.results.predictions import Predictions, read_predictions
from wisesr.training.kernels import draw_kernel, kernel_sheet
from wisesr.training.loggers.base import Findings, HardImage

log = logging.getLogger(__name__)

_HARDEST = 16
_SIDE = 224
"""Pixels of a picture's longer side at most."""

Made = TypeVar("Made")


def gather(directory: Path, manifest: Manifest, model: nn.Module) -> Findings:
    """All findings of a cell that can be had, with the chosen weights in its model; what cannot be had is a warning."""
    kernels = attempt("the kernels cannot be shown to loggers", lambda: kernel_sheet(model))
    return _beside(kernels, directory, manifest)


def gather_again(directory: Path, manifest: Manifest | None) -> Findings:
    """All findings of a finished cell that its files hold.

    Args:
        directory: of the cell.
        manifest: its images; None where they cannot be had, so that none of the hardest is shown.
    """
    kept = read_kernels(directory)
    sheet = None if kept is None else attempt("the kernels cannot be shown to loggers", lambda: draw_kernel(kept.kernel))
    return _beside(sheet, directory, manifest)


def _beside(kernels: Image.Image | None, directory: Path, manifest: Manifest | None) -> Findings:
    predictions = attempt("the predictions cannot be shown to loggers", lambda: read_predictions(directory))
    if predictions is None or manifest is None:
        return Findings(kernels, predictions, ())
    worst = attempt("the hardest images cannot be shown to loggers", lambda: tuple(hardest(predictions, manifest)))
    return Findings(kernels, predictions, worst or ())


def losses(predictions: Predictions) -> NDArray[np.float64]:
    """Cross-entropy of each image, nats; a probability of 0 counts as float32's smallest."""
    mine = predictions.probabilities[np.arange(len(predictions.labels)), predictions.labels].astype(np.float64)
    return -np.log(np.maximum(mine, float(np.finfo(np.float32).tiny)))


def hardest(predictions: Predictions, manifest: Manifest, count: int = _HARDEST) -> Iterator[HardImage]:
    """The `count` test images with the highest loss, highest first; of equals the first of the dataset.

    Images that cannot be opened are left out.
    """
    places = {manifest.ids[position]: position for position in manifest.indices(TEST).tolist()}
    loss = losses(predictions)
    for index in np.argsort(-loss, kind="stable")[:count]:
        name, label = str(predictions.ids[index]), int(predictions.labels[index])
        image = attempt(f"a picture of {name} cannot be shown to loggers", partial(_picture, manifest, places, name))
        if image is not None:
            row = predictions.probabilities[index]
            predicted = predictions.classes[int(row.argmax())]
            yield HardImage(name, image, predictions.classes[label], predicted, float(row[label]), float(loss[index]))


def _picture(manifest: Manifest, places: Mapping[str, int], name: str) -> Image.Image:
    image = manifest.load(places[name]).convert("RGB")
    image.thumbnail((_SIDE, _SIDE))
    return image


def attempt(failure: str, make: Callable[[], Made]) -> Made | None:
    """What `make` makes; where it fails None, with a warning: nothing that is shown is worth a trained cell."""
    try:
        return make()
    except Exception as error:
        log.warning("%s: %s: %s", failure, type(error).__name__, error)
        return None
