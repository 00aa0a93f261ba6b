"""Decoded images that are kept: what training and testing see is what it is without them, to the bit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.datasets import utils
from torchvision.transforms import v2

from tests.support.decoded import MEAN, STD, all_kinds, assert_equal, cell, image_data, seen, with_cache
from tests.support.images import noise
from tests.support.torchvision_files import WRITERS
from wisesr.build.data import build_manifest
from wisesr.data import decoded
from wisesr.data.augmentation import Plain, Standard
from wisesr.data.batches import Images
from wisesr.data.decoded import keep_pictures, kind_of, why_not_kept
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.data.rows import room
from wisesr.data.rows.store import Store
from wisesr.errors import UserError

AUGMENTS = {
    "squash": ["augment=none"],
    "crop": ["augment=none", "augment.resize=crop"],
    "pad": ["augment=none", "augment.resize=pad"],
    "standard": ["augment=standard", "augment.resize=pad"],
    "paper": ["augment=paper"],
    "paper, bilinear": ["augment=paper", "augment.resize=bilinear", "augment.brightness=null", "augment.zoom=null"],
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.fixture(autouse=True)
def _own(kept: Path) -> None:
    """Each test finds nothing kept."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the images whose views are made, in order."""
    names: list[str] = []
    before = decoded._view_of

    def noted(manifest: Manifest, position: int, view: Any) -> Any:
        names.append(manifest.ids[position])
        return before(manifest, position, view)

    monkeypatch.setattr(decoded, "_view_of", noted)
    return names


def of(root: Path, *overrides: str) -> dict[str, Any]:
    return cell("dataset=folder", f"dataset.root={root}", *overrides)


def assert_kept_is_equal(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seen without, while they are made, and when they are there, where nothing may be decoded any more."""
    without = seen(image_data(with_cache(config, "off")))
    assert_equal(seen(image_data(with_cache(config, "on"))), without)
    again = image_data(with_cache(config, "on"))
    if again.augment.view(training=True) is not None:
        monkeypatch.setattr(type(again.manifest.load), "__call__", lambda *_: pytest.fail("decoded"))
    assert_equal(seen(again), without)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("augment", AUGMENTS)
def test_every_kind_of_image(augment: str, workers: int, kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = of(kinds, *AUGMENTS[augment], f"dataset.workers={workers}")
    assert_kept_is_equal(config, monkeypatch)


@pytest.mark.parametrize("size", [8, 57, 301])
def test_sizes_above_and_below_those_of_the_images(size: int, kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for resize in ("crop", "pad"):
        with monkeypatch.context() as patched:
            assert_kept_is_equal(of(kinds, f"resolution.size={size}", f"augment.resize={resize}"), patched)


@pytest.mark.parametrize("size", [8, 32, 57, 301])
@pytest.mark.parametrize("workers", [0, 1])
def test_reduced_copies_are_what_is_computed_without_room(
    size: int, workers: int, kinds: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = of(kinds, "augment=standard", "dataset.cache=reduced", f"resolution.size={size}", f"dataset.workers={workers}")
    with monkeypatch.context() as patched:
        patched.setattr(room, "free_bytes", lambda _: 0)
        without = image_data(config)
    assert "images are decoded in each epoch, as they cannot be kept: " in caplog.text and not without.kept
    with_them = image_data(config)
    assert set(with_them.kept) == {True, False}
    assert_equal(seen(with_them), seen(without))


def test_reduced_crops_are_those_of_a_smaller_picture(tmp_path: Path) -> None:
    """Against the steps written out: resized to ceil(1.15 x 32) = 37 px, then cropped as the picture itself would be."""
    picture, reduced = noise(0, (100, 80)), Standard(32, MEAN, STD)
    reduced.reduce()
    smaller = v2.functional.resize(v2.functional.pil_to_tensor(picture), [37, round(37 / 80 * 100)], antialias=True)
    for seed in range(5):
        torch.manual_seed(seed)
        expected = Standard(32, MEAN, STD)(Image.fromarray(smaller.permute(1, 2, 0).numpy()), training=True)
        torch.manual_seed(seed)
        assert torch.equal(reduced(picture, training=True), expected)
    tested = reduced(picture, training=False)
    assert torch.equal(tested, Standard(32, MEAN, STD)(picture, training=False)), "testing is what it was"


@pytest.mark.parametrize("augment", ["none", "paper"])
def test_reduced_is_refused_where_there_is_no_crop(augment: str, kinds: Path) -> None:
    with pytest.raises(UserError, match="dataset.cache=reduced is for augment=standard"):
        image_data(of(kinds, f"augment={augment}", "dataset.cache=reduced"))


def test_a_list(kinds: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = sorted(path.relative_to(kinds) for path in kinds.glob("*/*/*"))
    lines = [f"{path.as_posix()},{path.parts[1]},{path.parts[0]}\n" for path in files]
    (tmp_path / "list.csv").write_text("filename,class,split\n" + "".join(lines))
    assert_kept_is_equal(of(kinds, f"dataset.csv={tmp_path / 'list.csv'}"), monkeypatch)


def test_a_source_of_torchvision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(utils, "check_md5", lambda *_, **__: True)  # a few pictures are not the published archive
    meant = WRITERS["Flowers102"](tmp_path)
    assert meant.variant is None
    assert_kept_is_equal(cell("dataset=torchvision", "dataset.source=Flowers102", f"dataset.root={tmp_path}"), monkeypatch)


@pytest.mark.parametrize("form", ["folder", "parquet"])
@pytest.mark.parametrize("classes", ["null", "2"])
def test_a_dataset_of_hugging_face(form: str, classes: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hf = pytest.importorskip("datasets", reason="the extra huggingface is not installed")
    monkeypatch.setattr(hf.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    hf.disable_progress_bars()
    for number in range(24):
        path = tmp_path / "images" / ("train", "train", "test")[number % 3] / "abcd"[number // 6] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise(number, (20 + number, 40 - number)).save(path)
    source = "images"
    if form == "parquet":
        (tmp_path / "parts").mkdir()
        for split, rows in hf.load_dataset("imagefolder", data_dir=str(tmp_path / "images")).items():
            rows.to_parquet(tmp_path / "parts" / f"{split}-0.parquet")
        source = "parts"
    config = cell("dataset=huggingface", f"dataset.source={source}", f"dataset.root={tmp_path}", f"dataset.classes={classes}")
    assert why_not_kept(build_manifest(config)) is None
    assert_kept_is_equal(config, monkeypatch)
    hf.enable_progress_bars()


def test_only_what_is_missing_is_decoded(tmp_path: Path, made: list[str]) -> None:
    """Replicates, folds and subsets of classes share their rows, and a dataset that grew costs what it grew by."""
    for number in range(30):
        path = tmp_path / "images" / "abc"[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise(number).save(path)
    config = of(tmp_path / "images", "dataset.cache=on")
    image_data(config | {"dataset": config["dataset"] | {"classes": 2}})
    assert len(made) == len(set(made)) == 20
    image_data(config)
    assert len(made) == len(set(made)) == 30
    for changes in ({"split_seed": 3}, {"fold": 1}, {"fold": 4, "split_seed": 2}, {"classes": 2, "classes_seed": 5}):
        image_data(config | {"dataset": config["dataset"] | changes})
    image_data(config | {"seed": 7, "protocol": "paper"})
    shutil.copytree(tmp_path / "images", tmp_path / "moved")
    image_data(of(tmp_path / "moved", "dataset.cache=on"))
    assert len(made) == 30
    noise(99).save(tmp_path / "images" / "a" / "new.png")
    assert_equal(seen(image_data(config)), seen(image_data(with_cache(config, "off"))))
    assert made[30:] == ["a/new.png"]


def test_another_size_way_or_rule_is_another_row(kinds: Path, made: list[str]) -> None:
    config = of(kinds, "dataset.cache=on")
    image_data(config)
    count = len(made)
    for number, other in enumerate(("resolution.size=33", "augment.resize=crop", "dataset.range=12"), start=2):
        changed = of(kinds, "dataset.cache=on", other)
        assert_equal(seen(image_data(changed)), seen(image_data(with_cache(changed, "off"))))
        assert len(made) == number * count


def test_of_standard_only_what_is_tested_is_kept(kinds: Path, made: list[str]) -> None:
    data = image_data(of(kinds, "augment=standard", "dataset.cache=on"))
    assert set(data.kept) == {False}
    train = {data.manifest.ids[at] for at in data.manifest.indices(TRAIN)}
    assert set(made) == set(data.manifest.ids) - train
    assert not image_data(of(kinds, "augment=standard")).kept, "auto does not think that worth its room"


def test_edited_labels_find_the_same_rows(kinds: Path, tmp_path: Path, made: list[str]) -> None:
    """Rows know no labels: those of an edited list are its own."""
    files = sorted(path.relative_to(kinds).as_posix() for path in kinds.glob("*/*/*"))
    listed = of(kinds, f"dataset.csv={tmp_path / 'list.csv'}", "dataset.cache=on")
    found = []
    for turn in range(2):
        lines = [f"{name},{'ab'[(number + turn * (number // 3)) % 2]}\n" for number, name in enumerate(files)]
        (tmp_path / "list.csv").write_text("filename,class\n" + "".join(lines))
        found.append(seen(image_data(listed)))
        assert_equal(found[-1], seen(image_data(with_cache(listed, "off"))))
    assert len(made) == len(files)


def test_a_file_that_changed_is_another_image(kinds: Path, tmp_path: Path, made: list[str]) -> None:
    """Also with the size and the time that it had."""
    root = shutil.copytree(kinds, tmp_path / "images")
    config = of(root, "dataset.cache=on")
    before = seen(image_data(config))
    count = len(made)
    path = root / "train" / "a" / "plain0.png"
    then, pixels = path.stat(), np.asarray(Image.open(path)).copy()
    _same_size(path, 255 - pixels)
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (then.st_size, then.st_mtime_ns)
    now = seen(image_data(config))
    assert_equal(now, seen(image_data(with_cache(config, "off"))))
    assert made[count:] == ["train/a/plain0.png"]
    assert any(not torch.equal(a.images, b.images) for a, b in zip(before, now, strict=True))


def _same_size(path: Path, pixels: Any) -> None:
    """A PNG of other pixels in as many bytes: not compressed, and followed by what every reader passes over."""
    size = path.stat().st_size
    Image.fromarray(pixels).save(path, compress_level=9)
    path.write_bytes(path.read_bytes()[:size].ljust(size, b"\0"))
    with Image.open(path) as image:
        image.load()


def test_a_file_that_changes_between_listing_and_decoding_is_kept_as_nothing(kinds: Path, tmp_path: Path) -> None:
    root = shutil.copytree(kinds, tmp_path / "images")
    manifest = build_manifest(of(root))
    noise(4711).save(root / "train" / "a" / "plain0.png")
    with pytest.raises(UserError, match=r"train/a/plain0.png has changed since its folder was listed: run the same command"):
        image_data(of(root), manifest)
    assert_equal(seen(image_data(of(root, "dataset.cache=on"))), seen(image_data(of(root, "dataset.cache=off"))))


def test_an_image_that_cannot_be_decoded_is_named(tmp_path: Path, kinds: Path) -> None:
    root = shutil.copytree(kinds, tmp_path / "images")
    path = root / "train" / "b" / "plain1.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"plain1.png"):
        image_data(of(root))


def test_rows_that_cannot_be_read_any_more_are_decoded_again(
    kinds: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = of(kinds)
    data = image_data(config)
    pictures = data.kept[True]

    def gone(*_: Any) -> None:
        raise OSError("Stale file handle")

    monkeypatch.setattr(pictures._rows, "read", gone)
    assert_equal(seen(data), seen(image_data(with_cache(config, "off"))))
    assert caplog.text.count("decoded images cannot be read any more, and are decoded again: Stale file handle") <= 2


def test_threads_change_no_row_and_no_order(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = build_manifest(of(kinds))
    view = Plain(32, MEAN, STD).view(training=True)
    assert view is not None
    positions = np.arange(len(manifest))[::-1].copy()
    expected = [view.make(manifest.load(int(at))).permute(1, 2, 0).numpy() for at in positions]
    for cores in (1, 5):
        monkeypatch.setattr(decoded, "usable_cores", lambda cores=cores: cores)
        made = list(decoded._decoded(manifest, positions, view))
        assert len(made) == len(expected) and all(map(np.array_equal, made, expected))
        next(iter(decoded._decoded(manifest, positions, view)))  # given up after the first


def test_copies_of_an_image_are_one_row(tmp_path: Path, made: list[str]) -> None:
    for label in "ab":
        for index in range(6):
            path = tmp_path / "images" / label / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise(index // 2).save(path)
    config = of(tmp_path / "images", "dataset.cache=on")
    assert_equal(seen(image_data(config)), seen(image_data(with_cache(config, "off"))))
    assert len(made) == 3


# Of others' augmentations: as docs/extending/augmentation.md has them.


class Noisy(Plain):
    def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
        tensor = super().__call__(image, training=training)
        return tensor + 0.1 * torch.randn(tensor.shape) if training else tensor


class Jitter(Plain):
    """Its contrast adds up all pixels, in the order in which they lie in memory."""

    def _pipeline(self, steps: Sequence[nn.Module]) -> Any:
        return super()._pipeline([*steps, v2.ColorJitter(contrast=0.9, saturation=0.5)])


class Erasing(Plain):
    def __init__(self, size: int, mean: Sequence[float], std: Sequence[float], **settings: Any) -> None:
        super().__init__(size, mean, std, **settings)
        self._finish += [v2.RandomErasing(0.9)]
        self.train = self._pipeline([v2.Resize((size, size), antialias=True), v2.RandomHorizontalFlip()])


class InTheMiddle(Plain):
    def _pipeline(self, steps: Sequence[nn.Module]) -> Any:
        return super()._pipeline([v2.RandomRotation(20), *steps])


class Composed(Plain):
    def _pipeline(self, steps: Sequence[nn.Module]) -> Any:
        return v2.Compose([v2.ToImage(), *steps, v2.ToDtype(torch.float32, scale=True), *self._finish])


FOREIGN = {Noisy: (), Jitter: (True, False), Erasing: (False,), InTheMiddle: (), Composed: ()}
"""Of which views are kept: of training, of testing."""


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_others_augmentations(kind: type[Plain], resize: Any, workers: int, kinds: Path, tmp_path: Path) -> None:
    """Views that they may have are kept, and whatever they do besides is what it was; of others nothing is."""
    manifest, augment = build_manifest(of(kinds)), kind(32, MEAN, STD, resize=resize)
    everything, views = np.arange(len(manifest)), {}
    for training in (True, False):
        view = augment.view(training=training)
        views[training] = view
        pictures = None if view is None else keep_pictures(manifest, everything, view, tmp_path, asked=True, about={})
        for epoch in range(2):
            keys = [(epoch, index) for index in range(len(manifest))]
            batches = []
            for kept in (None, pictures):
                images = Images(manifest, everything, augment, training=training, seed=1, kept=kept)
                if workers:
                    images.sends_pixels = True
                batches.append(images.__getitems__(keys))
            assert_equal([batches[0]], [batches[1]])  # type: ignore[list-item]
    if resize == "squash":
        assert tuple(training for training, view in views.items() if view is not None) == FOREIGN[kind]


def test_a_class_of_ones_own_steps_cannot_be_reduced_unless_they_come_behind() -> None:
    class Own(Standard):
        def __init__(self) -> None:
            super().__init__(32, MEAN, STD)
            self.train = self._pipeline([v2.RandomResizedCrop((32, 32), antialias=True)])

    with pytest.raises(UserError, match="is for augment=standard"):
        Own().reduce()
    with pytest.raises(UserError, match="is for augment=standard"):
        Noisy(32, MEAN, STD).reduce()


def test_stores_are_told_apart_by_all_that_pixels_depend_on(
    kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = build_manifest(of(kinds))
    places = set()

    def note(manifest: Manifest, augment: Plain, *, training: bool = True) -> None:
        view = augment.view(training=training)
        assert view is not None
        places.add(Store(tmp_path, kind_of(manifest, view)).folder)

    reduced = Standard(32, MEAN, STD)
    reduced.reduce()
    note(manifest, reduced)
    for size in (32, 37):
        for resize in ("squash", "crop", "pad"):
            note(manifest, Plain(size, MEAN, STD, resize=resize))  # type: ignore[arg-type]
    assert len(places) == 7
    note(manifest, Plain(32, (0, 0, 0), (1, 1, 1)))
    note(manifest, reduced, training=False)
    assert len(places) == 7, "pixels before they are normalised, and testing's are those of augment=none"
    note(build_manifest(of(kinds, "dataset.range=12")), Plain(32, MEAN, STD))
    assert len(places) == 8
    for number, (name, value) in enumerate([("installed_version", lambda _: "9.9"), ("decoders", lambda: ("x",))], start=9):
        monkeypatch.setattr(decoded, name, value)
        note(manifest, Plain(32, MEAN, STD))
        assert len(places) == number


def test_the_code_that_pixels_come_from_is_part_of_a_store_s_name() -> None:
    """Modules of wisesr.data that pictures go through on their way from a file to a view."""
    folder = Path(decoded.__file__).parent
    assert all((folder / name).is_file() for name in decoded._CODE)
    assert {"images.py", "grey_levels.py", "orientation.py", "whole_view.py", "resizing.py"} <= set(decoded._CODE)
