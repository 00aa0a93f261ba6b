"""The images of a cell from its configuration, and the files behind them. No torch: finished cells are skipped at once."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from wisesr.build.targets import locate, make_part
from wisesr.config.schema import DATASET_KEYS
from wisesr.data.listing import Listing, to_manifest
from wisesr.data.manifest import TEST, Manifest
from wisesr.data.split import complete
from wisesr.errors import UserError


def build_manifest(config: Mapping[str, Any]) -> Manifest:
    """The images of a cell with the splits of its protocol. No torch.

    Raises:
        UserError: the dataset is not there, or not in order.
    """
    try:
        manifest = make_part("dataset", config["dataset"], Manifest, skip=DATASET_KEYS)()
    except OSError as error:
        raise UserError(f"dataset: {error}") from error
    return _complete(config, manifest, config["protocol"])


def build_undecoded_manifest(config: Mapping[str, Any]) -> Manifest:
    """The images of a cell, none of them decoded, though the cell may do that first. Errors as of `build_manifest`."""
    dataset = config["dataset"]
    if dataset.get("on_bad_image") != "skip":
        return build_manifest(config)
    dataset = dataset | {"on_bad_image": "error"}
    try:
        return build_manifest({**config, "dataset": dataset})
    except UserError as error:
        if not dataset.get("partial"):
            raise
        try:  # whole by its counts? Whether images are to be left out, which makes it a part, only decoding tells
            return build_manifest({**config, "dataset": dataset | {"partial": False}})
        except UserError:
            raise error from None


def _complete(config: Mapping[str, Any], manifest: Manifest, protocol: str) -> Manifest:
    dataset = config["dataset"]
    return complete(
        manifest,
        protocol=protocol,
        test_fraction=dataset["test_fraction"],
        val_fraction=dataset["val_fraction"],
        seed=dataset["split_seed"],
    )


def build_listing(config: Mapping[str, Any]) -> Listing:
    """The files of a cell's dataset, whatever is wrong with them; where it brings no test split, the one that is drawn.

    Images that are held out of the training split are not told apart from it. What a manifest of them refuses, except that
    some are listed twice, which is told by their rows, is in `refused`. No torch.

    Raises:
        UserError: its images are no files: its module has no function `listed`; it is not there, or holds no image.
    """
    dataset = config["dataset"]
    target = f"{dataset['_target_'].rpartition('.')[0]}.listed"
    try:
        accepted = inspect.signature(locate("dataset", target)).parameters
    except UserError:
        raise UserError(f"the images of {dataset['name']} are no files: there is nothing to check") from None
    try:
        node = {"_target_": target} | {key: dataset[key] for key in accepted if key in dataset}
        listing: Listing = make_part("dataset", node, Listing)()
        if not listing.rows:
            raise UserError(f"{listing.base} holds no image of {dataset['name']}")
    except OSError as error:
        raise UserError(f"dataset: {error}") from error
    once = listing._replace(rows=list({row.path: row for row in listing.rows}.values()), empty=())
    try:
        manifest = _complete(config, to_manifest(once, "error"), "paper")  # which draws no val split
    except (UserError, OSError) as error:
        return listing._replace(refused=str(error))
    if any(row.split == TEST for row in listing.rows):
        return listing
    drawn = dict(zip(manifest.ids, manifest.splits, strict=True))
    return listing._replace(rows=[row._replace(split=drawn[row.path]) for row in listing.rows])
