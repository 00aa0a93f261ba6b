"""The images of a cell from its configuration, and the files behind them. No torch: finished cells are skipped at once."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from wisesr.build.classes import keys_of_all, with_chosen_classes
from wisesr.build.targets import locate, make_part
from wisesr.data.describe import describe
from wisesr.data.file_images import FileImages
from wisesr.data.folder_tree import Tree
from wisesr.data.folds import Fold
from wisesr.data.images import decoders
from wisesr.data.kept import key_of
from wisesr.data.kept_manifest import keep_manifest, read_manifest
from wisesr.data.listing import Listing, to_manifest
from wisesr.data.manifest import SPLITS, TEST, TRAIN, Manifest, digest_of
from wisesr.data.progress import Progress, shown_by
from wisesr.data.split import complete
from wisesr.data.tree import scan
from wisesr.errors import UserError
from wisesr.results.provenance import installed_version, package_hash

_NO_PART_OF_MANIFEST = (
    *("name", "resolution", "workers", "on_leak", "download"),
    *("cache", "cache_dir", "features", "views"),
)


def build_manifest(config: Mapping[str, Any], *, progress: Progress | None = None, with_unreadable: bool = False) -> Manifest:
    """The images of a cell with the splits of its protocol, and what is to be said of them. No torch.

    What was found out about files is kept on this machine (`wisesr.data.kept`): where nothing below the root has changed, one
    walk over its folders is all that this takes. `progress` shows how far the first reading of the files is; of
    `with_unreadable`, files that cannot be read stop nothing and are told by `Manifest.notes`.

    Raises:
        UserError: the dataset is not there, or not in order; files cannot be read, and `dataset.on_bad_image` is not skip;
            splits share images, and `dataset.on_leak` is error.
    """
    try:
        with shown_by(progress):
            manifest = _kept_or_made(config)
    except OSError as error:
        raise UserError(f"dataset: {error}") from error
    if not with_unreadable:
        _refuse_unreadable(config["dataset"], manifest)
    _refuse_leaks(config["dataset"], manifest)
    return manifest


def _kept_or_made(config: Mapping[str, Any]) -> Manifest:
    root = _root_of_files(config["dataset"])
    if root is None:
        return _make(config)
    key = _key(config, root)
    stamp = scan(root).stamp() + _list_stamp(config["dataset"], root)  # the walk's 40 MB for 200,000 files end here
    manifest = read_manifest(key, stamp, root)
    if manifest is None:
        manifest = _make(config)
        if isinstance(manifest.load, FileImages) and _may_be_kept(manifest, scan(root)):  # torchvision has some in arrays
            keep_manifest(key, stamp, manifest)
    return manifest


def _list_stamp(dataset: Mapping[str, Any], root: Path) -> str:
    """Of a list, which may lie where the walk does not come: hidden, or outside the root."""
    path = root / str(dataset.get("csv") or "")
    return digest_of(path.read_bytes()).hex() if path.is_file() else ""


def _may_be_kept(manifest: Manifest, tree: Tree) -> bool:
    """Whether a look at the tree tells when the manifest holds no more.

    It does not where listed images lie in hidden folders, or where a disk did not answer for a file, which was left out then.
    """
    if manifest.notes.broken:
        return False
    return tree.states.keys() >= set(manifest.ids) and all(_can_be_opened(tree.base / name) for name in manifest.left_out)


def _can_be_opened(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return path.is_symlink() and not path.exists()  # a link to nothing, which the walk sees


def _root_of_files(dataset: Mapping[str, Any]) -> Path | None:
    """The root of a dataset of wisesr's whose images are files below it; None of another, and where there is no such folder."""
    target = dataset["_target_"]
    if not target.startswith("wisesr.") or not isinstance(dataset.get("root"), str):
        return None
    root = Path(dataset["root"])
    return root if root.is_dir() and hasattr(import_module(target.rpartition(".")[0]), "listed") else None


def _make(config: Mapping[str, Any]) -> Manifest:
    dataset = config["dataset"]
    manifest = make_part("dataset", dataset, Manifest, skip=keys_of_all(dataset))()
    contents = dataset.get("fingerprint") != "listing"
    if not contents and not isinstance(manifest.load, FileImages):
        raise UserError(
            f"dataset.fingerprint=listing is for files below a folder, which the images of {dataset['name']} are not"
        )
    used = (TRAIN, TEST) if config["protocol"] == "paper" else SPLITS
    whole = _complete(config, manifest, config["protocol"])
    return describe(with_chosen_classes(dataset, whole, used), contents=contents, splits=used)


def _key(config: Mapping[str, Any], root: Path) -> str:
    """A name for the manifest of these settings, by this code."""
    settings = {key: value for key, value in config["dataset"].items() if key not in _NO_PART_OF_MANIFEST}
    code = (package_hash(), installed_version("torchvision"), *decoders())
    return key_of(json.dumps(settings, sort_keys=True), config["protocol"], os.path.realpath(root), code)


def _refuse_leaks(dataset: Mapping[str, Any], manifest: Manifest) -> None:
    if dataset.get("on_leak") != "error":
        return
    if not manifest.hashed:
        raise UserError("dataset.on_leak=error compares contents: it needs dataset.fingerprint=contents")
    if manifest.notes.shared:
        raise UserError(
            f"{manifest.notes.sentences()[0]}. wisesr data check names them; dataset.on_leak=warn trains all the same"
        )


def _refuse_unreadable(dataset: Mapping[str, Any], manifest: Manifest) -> None:
    """Before anything is trained, rather than where the test split is read: after the last epoch."""
    broken = manifest.notes.broken
    if not broken or dataset.get("on_bad_image") == "skip":
        return
    partial = " dataset.partial=true" if "partial" in dataset else ""
    skip = f", or leave it out with dataset.on_bad_image=skip{partial}" if "on_bad_image" in dataset else ""
    raise UserError(f"{broken}. Replace what cannot be read{skip}")


def _complete(config: Mapping[str, Any], manifest: Manifest, protocol: str) -> Manifest:
    dataset = config["dataset"]
    return complete(
        manifest,
        protocol=protocol,
        test_fraction=dataset["test_fraction"],
        val_fraction=dataset["val_fraction"],
        seed=dataset["split_seed"],
        fold=None if dataset.get("fold") is None else Fold(dataset["fold"], dataset["folds"]),
    )


def build_listing(config: Mapping[str, Any]) -> Listing:
    """The files of a cell's dataset, whatever is wrong with them; where it brings no test split, the one that is drawn.

    Images that are held out of the training split are not told apart from it. What a training of this configuration would
    refuse, except that some images are listed twice, which is told by their rows, is in `refused`. No torch.

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
        if not listing.rows and not listing.missing:
            raise UserError(f"{listing.base} holds no image of {dataset['name']}")
    except OSError as error:
        raise UserError(f"dataset: {error}") from error
    if not listing.rows:
        return listing
    return _with_drawn_test(config, listing)


def _with_drawn_test(config: Mapping[str, Any], listing: Listing) -> Listing:
    """The listing with the test split that is drawn where it has none, and what a training refuses of it."""
    once = listing._replace(rows=list({row.path: row for row in listing.rows}.values()), empty=(), dangling={})
    try:
        manifest = to_manifest(once, "error")
        drawn = _complete(config, manifest, "paper")  # which draws no val split
        _complete(config, manifest, config["protocol"])
    except (UserError, OSError) as error:
        return listing._replace(refused=str(error))
    if any(row.split == TEST for row in listing.rows):
        return listing
    split_of = dict(zip(drawn.ids, drawn.splits, strict=True))
    return listing._replace(rows=[row._replace(split=split_of[row.path]) for row in listing.rows])
