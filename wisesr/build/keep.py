"""What a cell keeps on this machine, and what it finds there: its images as they are decoded. torch is imported on use."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr.data.kept import cache_dir
from wisesr.errors import UserError

if TYPE_CHECKING:
    from wisesr.data.augmentation import Augmentation
    from wisesr.data.datamodule import ImageData
    from wisesr.data.manifest import Manifest

log = logging.getLogger("wisesr")


def place_of(dataset: Mapping[str, Any]) -> Path:
    """The folder in which decoded images and feature maps are kept.

    Raises:
        OSError: nobody says which it is, or it begins with the home of nobody.
    """
    if dataset["cache_dir"] is None:
        return cache_dir()
    try:
        return Path(dataset["cache_dir"]).expanduser()
    except RuntimeError as error:
        raise OSError(f"dataset.cache_dir={dataset['cache_dir']}: {error}") from error


def _check_place(dataset: Mapping[str, Any]) -> None:
    """Raise UserError where `dataset.cache_dir` names what can be no folder. One that cannot be written may still be read."""
    named = dataset["cache_dir"]
    if named is None:
        return
    if not named.strip():
        raise UserError("dataset.cache_dir must be a folder, or null, not an empty text")
    try:
        place = place_of(dataset).absolute()
    except OSError as error:
        raise UserError(str(error)) from error
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    if not there.is_dir():
        raise UserError(f"dataset.cache_dir={named}: {there} is a file, and no folder")


def why_not_decoded(config: Mapping[str, Any], data: ImageData) -> str | None:
    """Why a cell's images are decoded in each epoch, half a sentence for a reader; None where they are kept."""
    from wisesr.data.decoded import why_not_kept

    if config["dataset"]["cache"] == "off":
        return "dataset.cache=off"
    if data.augment.view(training=True) is None:
        if config["dataset"]["cache"] == "auto" or data.augment.view(training=False) is None:
            return f"{config['augment']['_target_'].rpartition('.')[2]} draws from the whole picture"
    return why_not_kept(data.manifest)


def keeps_images(config: Mapping[str, Any], data: ImageData) -> bool:
    """Whether a cell keeps its images as they are decoded.

    Raises:
        UserError: dataset.cache=on, and they are none that can be kept; `dataset.cache_dir` is no folder.
    """
    _check_place(config["dataset"])
    reason = why_not_decoded(config, data)
    if reason is not None and config["dataset"]["cache"] == "on":
        raise UserError(f"dataset.cache=on: {reason}; leave it at auto")
    return reason is None


def keep_images(config: Mapping[str, Any], data: ImageData) -> None:
    """Give a cell the decoded images that are kept, and keep those that are not yet.

    Raises:
        UserError: as of `keeps_images`; an image cannot be read.
    """
    if not keeps_images(config, data):
        return
    try:
        _keep(config["dataset"], data)
    except OSError as error:
        log.warning("images are decoded in each epoch, as they cannot be kept: %s", error)


def _keep(dataset: Mapping[str, Any], data: ImageData) -> None:
    from wisesr.data.decoded import keep_pictures

    place, about = place_of(dataset), {"dataset": dataset["name"]}
    asked = dataset["cache"] != "auto"
    for view, flags, positions in data.fixed_views():
        kept = keep_pictures(data.manifest, positions, view, place, asked=asked, about=about)
        data.kept |= dict.fromkeys(flags, kept)


def check_views(views: int | None, augment: Augmentation, manifest: Manifest) -> None:
    """Raise UserError where `dataset.views` cannot be had of an augmentation and of these images."""
    if views is None:
        return
    if augment.is_fixed:
        raise UserError(f"dataset.views={views} are of an augmentation that draws, and this one does not: leave it null")
    if not manifest.hashed:
        raise UserError(f"dataset.views={views} are drawn by the images' contents: it needs dataset.fingerprint=contents")
