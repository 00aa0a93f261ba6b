"""Hugging Face datasets: what the library itself writes to a disk, read by its own code; the hub's answers by stand-ins."""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.configs import composed
from tests.support.images import noise
from wisesr.build.data import build_manifest
from wisesr.config.check import check
from wisesr.data.huggingface_source import huggingface
from wisesr.data.images import open_rgb
from wisesr.data.manifest import Manifest, digest_of
from wisesr.errors import UserError

hf = pytest.importorskip("datasets", reason="the extra huggingface is not installed")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hf.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
    hf.disable_progress_bars()
    yield
    hf.enable_progress_bars()


def folder(root: Path, *splits: str, classes: str = "ab", images: int = 3) -> Path:
    for split in splits:
        for label in classes:
            for index in range(images):
                path = root / split / label / f"{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                noise(len(list(root.rglob("*.png"))), (9, 6)).save(path)
    return root


def encoded(image: Image.Image, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, **{"format": "PNG", **how})
    return file.getvalue()


def split(labels: Sequence[Any], kind: Any = None, *, first: int = 0) -> Any:
    content = [encoded(noise(first + index)) for index in range(len(labels))]
    features = hf.Features({"image": hf.Image(), "label": kind}) if kind else None
    rows = {"image": [{"bytes": one, "path": None} for one in content], "label": list(labels)}
    return hf.Dataset.from_dict(rows, features=features)


def read(root: Path, source: str, **settings: Any) -> Manifest:
    return huggingface(root=str(root), source=source, **settings)


def names(manifest: Manifest) -> list[str]:
    return [manifest.class_names[label] for label in manifest.labels]


def test_a_folder_of_images(tmp_path: Path) -> None:
    folder(tmp_path / "own", "train", "validation", "test")
    manifest = read(tmp_path, "own")
    assert Counter(manifest.splits) == {"train": 6, "val": 6, "test": 6}
    assert sorted(manifest.ids) == sorted(path.relative_to(tmp_path / "own").as_posix() for path in tmp_path.rglob("*.png"))
    for index, name in enumerate(manifest.ids):
        path = tmp_path / "own" / name
        assert manifest.load(index).tobytes() == open_rgb(path).tobytes()
        assert names(manifest)[index] == path.parent.name
        assert {"train": "train", "val": "validation", "test": "test"}[manifest.splits[index]] == path.parent.parent.name
        assert bytes(np.asarray(manifest.digests)[index]) == digest_of(path.read_bytes())
    (tmp_path / "link").symlink_to(tmp_path / "own")
    assert list(read(tmp_path, "link").ids) == list(manifest.ids)
    assert pickle.loads(pickle.dumps(manifest.load))(4).tobytes() == manifest.load(4).tobytes()


def test_what_the_library_leaves_out_of_a_folder_stops(tmp_path: Path) -> None:
    """It knows no split called Validation, and would say nothing."""
    folder(tmp_path / "own", "train", "Validation", "test")
    with pytest.raises(UserError, match=r"leaves out 6 images of .*own, in Validation: rename .*dataset=folder dataset.root="):
        read(tmp_path, "own")


def test_without_split_folders_all_are_for_training(tmp_path: Path) -> None:
    folder(tmp_path / "own", "", classes="xyz")
    manifest = read(tmp_path, "own")
    assert (set(manifest.splits), manifest.class_names) == ({"train"}, ["x", "y", "z"])


def test_what_save_to_disk_writes(tmp_path: Path) -> None:
    kind = hf.ClassLabel(names=["cat", "dog"])
    hf.DatasetDict(train=split([1, 0, 1, 0], kind), test=split([0, 1], kind, first=4)).save_to_disk(tmp_path / "both")
    manifest = read(tmp_path, "both")
    assert list(manifest.ids) == [f"both/train/{index:06d}" for index in range(4)] + ["both/test/000000", "both/test/000001"]
    assert names(manifest) == ["dog", "cat", "dog", "cat", "cat", "dog"]
    for index in range(6):
        assert manifest.load(index).tobytes() == noise(index).tobytes()
        assert bytes(np.asarray(manifest.digests)[index]) == digest_of(encoded(noise(index)))
    split([0, 1, 1, 0], kind).select([3, 2, 1]).save_to_disk(tmp_path / "some")
    some = read(tmp_path, "some")
    assert (set(some.splits), names(some)) == ({"train"}, ["cat", "dog", "dog"])
    assert some.load(0).tobytes() == noise(3).tobytes()


@pytest.mark.parametrize("source", ["own", "own/*.parquet", "own/**/t*.parquet"])
def test_parquet_files_by_their_names(source: str, tmp_path: Path) -> None:
    kind = hf.ClassLabel(names=["cat", "dog"])
    (tmp_path / "own").mkdir()
    split([1, 0, 1, 0], kind).to_parquet(tmp_path / "own" / "train-00000-of-00002.parquet")
    split([1, 1], kind, first=4).to_parquet(tmp_path / "own" / "train-00001-of-00002.parquet")
    split([0, 1], kind, first=6).to_parquet(
        tmp_path / "own" / "Testing.parquet" if source == "own" else tmp_path / "own" / "test.parquet"
    )
    manifest = read(tmp_path, source)
    assert list(manifest.splits) == ["train"] * 6 + ["test"] * 2
    assert [manifest.load(index).tobytes() for index in range(8)] == [noise(index).tobytes() for index in range(8)]
    assert names(manifest) == ["dog", "cat", "dog", "cat", "dog", "dog", "cat", "dog"]


def test_parquet_of_another_hand(tmp_path: Path) -> None:
    """Bytes in a column that nobody called an image, classes as texts, and as whole numbers."""
    import pandas

    content = [encoded(noise(index)) for index in range(4)]
    table = pandas.DataFrame({"photo": content, "species": ["10", "9", "9", "10"], "family": [0, 3, 3, 0], "size": [1.5] * 4})
    table.to_parquet(tmp_path / "own.parquet")
    with pytest.raises(UserError, match=r"which column is the label, of photo, species, family, size: .*dataset.label_column="):
        read(tmp_path, "own.parquet")
    manifest = read(tmp_path, "own.parquet", label_column="species")
    assert (manifest.class_names, names(manifest)) == (["9", "10"], ["10", "9", "9", "10"])
    assert manifest.load(2).tobytes() == noise(2).tobytes()
    assert read(tmp_path, "own.parquet", label_column="family", image_column="photo").class_names == ["0", "3"]
    with pytest.raises(UserError, match="size is Value.*must be one class an image"):
        read(tmp_path, "own.parquet", label_column="size")
    with pytest.raises(UserError, match="dataset.label_column: no column is called 'specie'. Did you mean species"):
        read(tmp_path, "own.parquet", label_column="specie")


def test_several_columns_are_asked_about(tmp_path: Path) -> None:
    kind = hf.ClassLabel(names=["x", "y"])
    own = split([0, 1], kind).add_column("coarse", [1, 1]).cast_column("coarse", hf.ClassLabel(names=["p", "q"]))
    own = own.add_column("mask", own.cast_column("image", hf.Image(decode=False))["image"][:]).cast_column("mask", hf.Image())
    own.save_to_disk(tmp_path / "own")
    with pytest.raises(UserError, match="several columns for the image, image, mask: say which with dataset.image_column="):
        read(tmp_path, "own")
    with pytest.raises(UserError, match="several columns for the label, label, coarse: say which with dataset.label_column="):
        read(tmp_path, "own", image_column="image")
    assert names(read(tmp_path, "own", image_column="mask", label_column="label")) == ["x", "y"]


def test_our_own_rules_make_the_pixels(tmp_path: Path) -> None:
    """Turned upright; deep grey by its type or a setting; a damaged one told by its row."""
    turned = Image.Exif()
    turned[0x0112] = 6
    deep = Image.fromarray(np.full((4, 6), 4095, np.uint16))
    content = [encoded(noise(0), format="PNG", exif=turned), encoded(deep), encoded(noise(1))[:60], encoded(noise(2))]
    rows = {"image": [{"bytes": one, "path": "x.png"} for one in content], "label": ["a", "b"] * 2}
    features = hf.Features({"image": hf.Image(), "label": hf.Value("string")})
    hf.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "own")
    manifest = read(tmp_path, "own")
    assert manifest.load(0).tobytes() == noise(0).transpose(Image.Transpose.ROTATE_270).tobytes()
    assert np.asarray(manifest.load(1)).max() == 16
    assert np.asarray(read(tmp_path, "own", range=12).load(1)).min() == 255
    with pytest.raises(UserError, match="own/train, row 2: "):
        manifest.load(2)


def test_splits_without_labels_or_of_other_names_are_said(tmp_path: Path) -> None:
    kind = hf.ClassLabel(names=["cat", "dog", "owl"])
    splits = {"train": split([1, 0, 1, 0], kind), "dev_extra": split([1], kind), "test": split([-1, -1], kind)}
    hf.DatasetDict({**splits, "validation": split([0, 1], kind, first=9)}).save_to_disk(tmp_path / "own")
    manifest = read(tmp_path, "own")
    assert list(manifest.splits) == ["train"] * 4 + ["test"] * 2, "the validation split is the test split"
    assert manifest.class_names == ["cat", "dog"]
    assert manifest.notes.hints == [
        "dev_extra of own is none of train, val, test and is left out: 1 image",
        "test of own has no labels and is left out: 2 images",
        "own has no image of 1 of its 3 classes: owl",
    ]
    hf.DatasetDict(train=split([1, 0, -1, 0], kind)).save_to_disk(tmp_path / "part")
    with pytest.raises(UserError, match="part, split train: no label in 1 row, 2$"):
        read(tmp_path, "part")
    hf.DatasetDict(one=split([1, 0], kind), two=split([1, 0], kind)).save_to_disk(tmp_path / "folds")
    with pytest.raises(UserError, match="no split is called 'train'.* There are: one, two"):
        read(tmp_path, "folds")


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        ("a/b/c", {}, "there is no .*a/b/c, and on the hub names are owner/name"),
        ("own.parquet", {}, "there is no .*own.parquet"),
        ("no*.parquet", {}, "there is no .*no.*parquet"),
        ("own", {"revision": "main"}, "dataset.revision is of the hub, and .*own lies on this disk: leave it out"),
        ("own", {"config_name": "x"}, "dataset.config_name is of the hub, .* leave it out"),
        ("own/train/a/0.png", {}, "0.png is no .parquet file"),
        ("empty", {}, "empty cannot be loaded: .*doesn't contain any data files"),
        ("damaged.parquet", {}, "damaged.parquet cannot be loaded"),
        ("mixed", {}, "which split is .*other.parquet"),
        ("own", {"image_column": "picture"}, "dataset.image_column: no column is called 'picture'"),
    ],
)
def test_what_is_wrong_on_the_disk_is_told(source: str, settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder(tmp_path / "own", "train", "test")
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "mixed").mkdir()
    for name in ("train", "other"):
        split([0, 1], hf.ClassLabel(names=["a", "b"])).to_parquet(tmp_path / "mixed" / f"{name}.parquet")
    with pytest.raises(UserError, match=message):
        read(tmp_path, source, **settings)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ConnectionError("Couldn't reach 'some/one' on the Hub (LocalEntryNotFoundError)"),
            "the hub cannot be reached: without",
        ),
        (
            hf.exceptions.DatasetNotFoundError("Dataset 'some/one' is a gated dataset"),
            r"asks for your name first \(hf auth login\)",
        ),
        (
            ValueError("BuilderConfig 'x' not found. Available: ['a', 'b']"),
            r"Available: \['a', 'b'\] \(dataset.config_name=...\)$",
        ),
        (
            RuntimeError("Dataset scripts are no longer supported"),
            "cannot be loaded from the hub: Dataset scripts are no longer",
        ),
    ],
)
def test_what_the_hub_answers(error: Exception, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(hf, "load_dataset", answer)
    with pytest.raises(UserError, match=message):
        read(tmp_path, "some/one")


def test_a_name_on_the_hub_with_its_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(*given: Any, **more: Any) -> Any:
        asked.append((given, more))
        return hf.DatasetDict(train=split(["a", "b"]).cast_column("image", hf.Image()))

    monkeypatch.setattr(hf, "load_dataset", answer)
    manifest = read(tmp_path, "some/one", config_name="small", revision="v2")
    assert asked == [(("some/one", "small"), {"revision": "v2"})]
    assert list(manifest.ids) == ["one/train/000000", "one/train/000001"]


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"needs the library datasets .*: pip install 'wisesr\[huggingface\]'$"):
        huggingface(root=".", source="some/one")


def test_from_the_command_line(tmp_path: Path) -> None:
    folder(tmp_path / "own", "train", "test")
    config = composed("dataset=huggingface", "dataset.source=own", f"dataset.root={tmp_path}")
    assert check(config) == []
    manifest = build_manifest(config)
    assert {split: len(manifest.indices(split)) for split in ("train", "val", "test")} == {"train": 4, "val": 2, "test": 6}
    assert config["dataset"]["name"] == "own"


def test_files_that_number_their_classes_differently(tmp_path: Path) -> None:
    """The library takes the names of one file for all that it loads together."""
    one, other = hf.ClassLabel(names=["oak", "elm", "fir"]), hf.ClassLabel(names=["fir", "ash", "elm", "oak"])
    (tmp_path / "own").mkdir()
    split([0, 1, 2, 0], one).to_parquet(tmp_path / "own" / "train.parquet")
    split([0, 2, 3], other, first=4).to_parquet(tmp_path / "own" / "test.parquet")
    manifest = read(tmp_path, "own")
    assert names(manifest) == ["oak", "elm", "fir", "oak", "fir", "elm", "oak"]
    assert manifest.class_names == ["oak", "elm", "fir"]
    split(["elm", "oak"], hf.Value("string"), first=7).to_parquet(tmp_path / "own" / "val.parquet")
    assert names(read(tmp_path, "own"))[4:6] == ["elm", "oak"], "texts beside numbers"
    split([0], other, first=9).to_parquet(tmp_path / "own" / "train-1.parquet")
    with pytest.raises(
        UserError, match=r"label numbers its classes as \[.*\] in .*train.*parquet and as \[.*\] in .*parquet: "
    ):
        read(tmp_path, "own")
    (tmp_path / "own" / "val.parquet").unlink()
    (tmp_path / "own" / "train-1.parquet").unlink()
    (tmp_path / "own" / "README.md").write_text("---\n---\n")
    with pytest.raises(UserError, match="label numbers its classes as .* in what the library takes for all files"):
        read(tmp_path, "own")


def test_a_relabelled_file_with_its_time_set_back(tmp_path: Path) -> None:
    kind, file = hf.ClassLabel(names=["x", "y"]), tmp_path / "own.parquet"
    split([0, 1, 1, 0], kind).to_parquet(file)
    before = file.stat()
    assert names(read(tmp_path, "own.parquet")) == ["x", "y", "y", "x"]
    split([1, 0, 0, 1], kind).to_parquet(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert names(read(tmp_path, "own.parquet")) == ["y", "x", "x", "y"]


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("TRAIN", "Testing"), "takes the images below Testing in .* for its train split: rename .*dataset=folder"),
        (
            ("photos", "labels"),
            "takes labels/a, photos/a of .* for one class: move what is not meant away, or take dataset=folder",
        ),
        (("train/left", "train/right"), "takes train/left/a, train/right/a of .* for one class"),
    ],
)
def test_folders_that_the_library_would_pool(folders: tuple[str, str], message: str, tmp_path: Path) -> None:
    folder(tmp_path / "own", *folders)
    with pytest.raises(UserError, match=message):
        read(tmp_path, "own")


def test_folders_by_the_librarys_own_names(tmp_path: Path) -> None:
    folder(tmp_path / "own", "training/images", "dev/images", "evaluation/images")
    assert Counter(read(tmp_path, "own").splits) == {"train": 6, "val": 6, "test": 6}
    folder(tmp_path / "flat", "")
    noise(99).save(tmp_path / "flat" / "cover.png")
    with pytest.raises(UserError, match="cover.png lies in .*flat itself, beside the folders of classes: move it away"):
        read(tmp_path, "flat")


def test_which_split_is_which_is_asked(tmp_path: Path) -> None:
    kind = hf.ClassLabel(names=["x", "y"])
    made = {name: split([0, 1], kind, first=2 * at) for at, name in enumerate(("train", "devel", "val", "validation", "extra"))}

    def saved(*splits: str) -> str:
        name = "-".join(splits)
        hf.DatasetDict({split: made[split] for split in splits}).save_to_disk(tmp_path / name)
        return name

    dropped, doubled = saved("train", "devel"), saved("train", "val", "validation")
    with pytest.raises(
        UserError, match="devel of .* would be left out: dataset.train=train dataset.val=devel takes .*; dataset.train=train"
    ):
        read(tmp_path, dropped)
    assert list(read(tmp_path, dropped, train="train", val="devel").splits) == ["train"] * 2 + ["test"] * 2
    alone = read(tmp_path, dropped, train="train")
    assert (list(alone.splits), alone.notes.hints) == (
        ["train"] * 2,
        [f"devel of {dropped} is not taken and is left out: 2 images"],
    )
    with pytest.raises(
        UserError, match="has val, validation, all of them val: dataset.train=train dataset.val=val dataset.test=vali"
    ):
        read(tmp_path, doubled)
    assert len(read(tmp_path, doubled, train="train", val="val", test="validation")) == 6
    assert len(read(tmp_path, saved("train", "extra"))) == 2, "a word that is no split's"
    with pytest.raises(UserError, match="dataset.test: no split is called 'tset'"):
        read(tmp_path, doubled, test="tset")
    with pytest.raises(UserError, match="dataset.train=val: it is given for two splits"):
        read(tmp_path, doubled, train="val", test="val")


def test_parquet_files_of_one_meaning_and_without_rows(tmp_path: Path) -> None:
    kind = hf.ClassLabel(names=["x", "y"])
    for name in ("train", "valid", "validation"):
        split([0, 1], kind).to_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(UserError, match=r"valid.parquet and .*validation.parquet are both the val split by their names"):
        read(tmp_path, "*.parquet")
    split([0], kind).select([]).to_parquet(tmp_path / "validation.parquet")
    (tmp_path / "valid.parquet").unlink()
    with pytest.raises(UserError, match=r"validation.parquet has no rows, and the val split no images"):
        read(tmp_path, "*.parquet")


def test_blank_and_hardly_different_classes(tmp_path: Path) -> None:
    split(["elm", "ELM", "oak"], hf.Value("string")).to_parquet(tmp_path / "near.parquet")
    assert "'ELM' and 'elm'" in str(read(tmp_path, "near.parquet").notes.hints)
    split(["elm", " ", "oak"], hf.Value("string")).to_parquet(tmp_path / "blank.parquet")
    with pytest.raises(UserError, match="has a blank text for the class of 1 image"):
        read(tmp_path, "blank.parquet")
