"""What a cell keeps on this machine, and what it finds there: its images as they are decoded. torch is imported on use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wisesr.data.kept import cache_dir
from wisesr.data.manifest import TRAIN
from wisesr.errors import UserError

if TYPE_CHECKING:
    from wisesr.data.datamodule import ImageData


def place_of(dataset: Mapping[str, Any]) -> Path:
    """The folder in which decoded images and feature maps are kept.

    Raises:
        OSError: nobody says which it is.
    """
    return Path(dataset["cache_dir"]).expanduser() if dataset["cache_dir"] is not None else cache_dir()


def why_not_decoded(config: Mapping[str, Any], data: ImageData) -> str | None:
    """Why a cell's images are decoded in each epoch, half a sentence for a reader; None where they are kept."""
    from wisesr.data.decoded import why_not_kept

    if config["dataset"]["cache"] == "off":
        return "dataset.cache=off"
    if data.augment.view(training=True) is None:
        if config["dataset"]["cache"] == "auto" or data.augment.view(training=False) is None:
            return f"{config['augment']['_target_'].rpartition('.')[2]} draws from the whole picture"
    return why_not_kept(data.manifest)


def keep_images(config: Mapping[str, Any], data: ImageData) -> None:
    """Give a cell the decoded images that are kept, and keep those that are not yet.

    Raises:
        UserError: dataset.cache=on, and they cannot be kept; an image cannot be read.
    """
    from wisesr.data.decoded import keep_pictures

    dataset = config["dataset"]
    if reason := why_not_decoded(config, data):
        if dataset["cache"] == "on":
            raise UserError(f"dataset.cache=on: {reason}; leave it at auto")
        return
    try:
        place = place_of(dataset)
    except OSError:
        return  # there is no place for anything, and nothing is kept
    about = {"dataset": dataset["name"]}
    asked, everything = dataset["cache"] != "auto", np.arange(len(data.manifest))
    positions = {True: np.asarray(data.manifest.indices(TRAIN)), False: everything}
    views = {flag: view for flag in (True, False) if (view := data.augment.view(training=flag)) is not None}
    if len({view.text for view in views.values()}) == 1 < len(views):  # one view of all images
        positions[True] = everything
    for flag, view in views.items():
        kept = keep_pictures(data.manifest, positions[flag], view, place, asked=asked, about=about)
        data.kept |= {} if kept is None else {flag: kept}
