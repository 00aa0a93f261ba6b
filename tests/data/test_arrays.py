"""Images in the arrays of an .npz file: layouts, types, and every way in which they are wrong."""

from __future__ import annotations

import pickle
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.configs import composed
from wisesr.build.data import build_manifest
from wisesr.config.check import check
from wisesr.data.arrays import arrays
from wisesr.data.images import PixelRules, to_rgb
from wisesr.data.manifest import Manifest, digest_of
from wisesr.errors import UserError

GREY = np.random.default_rng(0).integers(0, 256, (6, 5, 7), dtype=np.uint8)
GREY[0, 0, :2] = 0, 255
COLOUR = np.random.default_rng(1).integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)
LABELS = [0, 1, 2, 0, 1, 2]


def made(folder: Path, settings: dict[str, Any] | None = None, **content: Any) -> Manifest:
    np.savez(folder / "own.npz", **content)
    return arrays(root=str(folder), file="own.npz", **settings or {})


def names(manifest: Manifest) -> list[str]:
    return [manifest.class_names[label] for label in manifest.labels]


@pytest.mark.parametrize("images", [GREY, COLOUR, GREY[..., None]], ids=["grey", "colour", "one channel"])
def test_pixels_of_8_bits_are_taken_as_they_are(images: np.ndarray, tmp_path: Path) -> None:
    manifest = made(tmp_path, images=images, labels=LABELS)
    for index, image in enumerate(images):
        expected = np.broadcast_to(image.reshape(5, 7, -1), (5, 7, 3))
        assert np.array_equal(np.asarray(manifest.load(index)), expected)
    assert bytes(np.asarray(manifest.digests)[4]) == digest_of(images[4].tobytes())
    assert list(manifest.ids)[:2] == ["own/images/000000", "own/images/000001"]
    assert set(manifest.splits) == {"train"}
    assert np.array_equal(np.asarray(pickle.loads(pickle.dumps(manifest.load))(2)), np.asarray(manifest.load(2)))


@pytest.mark.parametrize("range", ["auto", 12, 16])
def test_deep_pixels_are_what_a_file_of_them_is(range: Any, tmp_path: Path) -> None:
    deep = np.random.default_rng(2).integers(0, 4096, (6, 5, 7), dtype=np.uint16)
    manifest = made(tmp_path, {"range": range}, images=deep, labels=LABELS)
    for index, image in enumerate(deep):
        assert manifest.load(index).tobytes() == to_rgb(Image.fromarray(image), PixelRules(range=range)).tobytes()
    said = "own.npz goes up to" in str(manifest.notes.sentences())
    assert said is (range != 12), "below an eighth of 65,535"


def test_floats_go_to_1_or_to_what_is_said(tmp_path: Path) -> None:
    share = (GREY / 255).astype(np.float32)
    for settings, images in (({}, share), ({"range": "float"}, share.astype(np.float16)), ({"range": 8}, GREY.astype(float))):
        manifest = made(tmp_path, settings, images=images, labels=LABELS)
        assert np.abs(np.asarray(manifest.load(3))[..., 1].astype(int) - GREY[3]).max() <= (1 if images.dtype == "f2" else 0)
    deep = made(tmp_path, images=np.stack([share] * 3, axis=3), labels=LABELS)
    assert np.array_equal(np.asarray(deep.load(5))[..., 2], GREY[5])


def test_no_image_is_scaled_by_its_own_values(tmp_path: Path) -> None:
    images = np.array([[[0, 255]], [[0, 256]], [[0, 65535]]], np.uint16)
    manifest = made(tmp_path, images=images, labels=["a", "b", "a"])
    assert [np.asarray(manifest.load(index)).max() for index in range(3)] == [1, 1, 255]


def test_classes_by_number_text_and_name(tmp_path: Path) -> None:
    numbers = made(tmp_path, images=GREY, labels=[10, 2, 2, 10, 2, 1])
    assert numbers.class_names == ["1", "2", "10"]
    assert names(numbers) == ["10", "2", "2", "10", "2", "1"]
    texts = made(tmp_path, images=GREY, labels=np.array(["10 \u00e4", "10 a\u0308", "9", "9", "9", "9"]))
    assert texts.class_names == ["9", "10 \u00e4"], "equal for every reader is one class"
    named = made(tmp_path, images=GREY, labels=LABELS, class_names=np.array(["z", "y", "x"]))
    assert (named.class_names, names(named)) == (["z", "y", "x"], ["z", "y", "x", "z", "y", "x"])
    both = made(tmp_path, images=GREY, labels=np.array([b"y", b"z"] * 3), class_names=np.array(["z", "y"]))
    assert (both.class_names, names(both)) == (["z", "y"], ["y", "z"] * 3)


def test_a_class_without_images_is_said(tmp_path: Path) -> None:
    manifest = made(tmp_path, images=GREY, labels=LABELS, class_names=np.array(["a", "b", "c", "d"]), mean=np.ones(3))
    assert manifest.class_names == ["a", "b", "c"]
    assert manifest.notes.hints == [
        "arrays of own.npz that are not read: mean",
        "own.npz has no image of 1 of its 4 classes: d",
    ]


def test_splits_and_groups(tmp_path: Path) -> None:
    manifest = made(
        tmp_path,
        images=GREY,
        labels=[0, 1, 0, 1, 0, 1],
        split=np.array(["Train", "training", "VAL", "validation", "test", "testing"]),
        group=[1, 1, 2, 2, 3, 3],
    )
    assert list(manifest.splits) == ["train", "train", "val", "val", "test", "test"]
    assert list(manifest.groups) == ["1", "1", "2", "2", "3", "3"]
    with pytest.raises(UserError, match="group '1' has images in the train and in the test split"):
        made(tmp_path, images=GREY, labels=[0, 1] * 3, split=["train"] * 4 + ["test"] * 2, group=[0, 0, 0, 1, 1, 1])


def test_as_medmnist_and_keras_have_them(tmp_path: Path) -> None:
    columns = {"train_labels": [[0], [1]], "val_labels": [[0], [1]], "test_labels": [[1], [0]]}
    images = {"train_images": GREY[:2], "val_images": GREY[2:4], "test_images": GREY[4:]}
    manifest = made(tmp_path, **columns, **images)
    assert Counter(manifest.splits) == {"train": 2, "val": 2, "test": 2}
    assert names(manifest) == ["0", "1", "0", "1", "1", "0"]
    assert np.array_equal(np.asarray(manifest.load(5))[..., 0], GREY[5])
    assert list(manifest.ids)[2] == "own/val_images/000000"
    keras = made(tmp_path, x_train=COLOUR[:4], y_train=[0, 1, 0, 1], x_test=COLOUR[4:], y_test=[1, 0])
    assert list(keras.splits) == ["train"] * 4 + ["test"] * 2
    assert np.array_equal(np.asarray(keras.load(4)), COLOUR[4])
    only = made(tmp_path, train_images=GREY[:4], train_labels=[0, 1, 0, 1], val_images=GREY[4:], val_labels=[1, 0])
    assert list(only.splits) == ["train"] * 4 + ["test"] * 2, "as everywhere"


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ({"pictures": GREY, "labels": LABELS}, {}, "no array is called 'images'.*There are: labels, pictures.*train_images"),
        ({"images": GREY, "label": LABELS}, {}, "no array is called 'labels'. Did you mean label"),
        ({"images": GREY, "labels": LABELS[:5]}, {}, "labels in .*own.npz has 5 entries for 6 images"),
        ({"images": GREY, "labels": LABELS, "split": ["train"] * 7}, {}, "split in .*own.npz has 7 entries for 6 images"),
        ({"images": GREY, "labels": LABELS, "splits": ["train"] * 6}, {}, "splits in .* would not be read: is split meant"),
        ({"images": GREY, "labels": LABELS, "groups": LABELS}, {}, "groups in .* would not be read: is group meant"),
        ({"images": GREY, "labels": LABELS, "split": ["trial"] * 6}, {}, "split in .*no split is called 'trial'"),
        ({"images": GREY, "labels": np.eye(3)[LABELS]}, {}, r"shape \(6, 3\).*one entry an image: labels.argmax\(1\)"),
        ({"images": GREY, "labels": np.array(LABELS, float)}, {}, "labels in .* is float64: labels are whole numbers or texts"),
        ({"images": GREY, "labels": LABELS, "class_names": ["a", "b"]}, {}, "goes from 0 to 2, and class_names .* 0 to 1$"),
        ({"images": GREY, "labels": ["a", "b", "q"] * 2, "class_names": ["a", "b"]}, {}, "has q, which class_names has not"),
        ({"images": COLOUR.transpose(0, 3, 1, 2), "labels": LABELS}, {}, r"images.transpose\(0, 2, 3, 1\) makes it so"),
        ({"images": GREY.reshape(6, -1), "labels": LABELS}, {}, r"shape \(6, 35\), and must be \(images, height, width\)"),
        ({"images": np.zeros((6, 5, 7, 4), np.uint8), "labels": LABELS}, {}, r"shape \(6, 5, 7, 4\)"),
        ({"images": GREY.astype(int), "labels": LABELS}, {}, "images in .* is int64: pixels are uint8, uint16 or floating"),
        ({"images": GREY, "labels": LABELS}, {"range": 12}, "dataset.range=12 is for pixels deeper than 8 bits"),
        ({"images": GREY.astype("f4"), "labels": LABELS}, {}, "goes up to 255, and with dataset.range=auto 1 is white: add "
         "dataset.range=8 if 255 is"),
        ({"images": GREY * np.uint16(20), "labels": LABELS}, {"range": 12}, "4095 is white: add dataset.range=16 if 65535"),
        ({"images": GREY / 255 - 0.5, "labels": LABELS}, {}, "goes from -0.5 to 0.5: pixels must not be negative"),
        ({"images": np.where(GREY > 254, np.nan, GREY / 255), "labels": LABELS}, {}, "no finite numbers, in images [0-5]"),
        ({"images": np.full((6, 2, 2), np.inf), "labels": LABELS}, {}, "no finite numbers, in images 0, 1, 2"),
        ({"images": GREY, "labels": [4] * 6}, {}, "at least two classes"),
        ({"images": GREY, "labels": np.array(["a", None] * 3, object)}, {}, "labels in .* Python objects, which could run"),
        ({"images": np.array([GREY[0], GREY[1][:2]] * 3, object), "labels": LABELS}, {}, "images in .* holds Python objects"),
        ({"train_images": GREY}, {}, "no array is called 'train_labels'"),
        ({"images": GREY, "labels": LABELS, "x_train": GREY, "y_train": LABELS}, {}, "has images, x_train: which of them"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(content: dict[str, Any], settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        made(tmp_path, settings, **content)


def test_files_that_are_no_npz(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset.file: there is no file .*own.npz"):
        arrays(root=str(tmp_path), file="own.npz")
    np.save(tmp_path / "own.npy", GREY)
    with pytest.raises(UserError, match=r"own.npy is a single array"):
        arrays(root=str(tmp_path), file="own.npy")
    (tmp_path / "own.txt").write_text("images")
    with pytest.raises(UserError, match=r"own.txt is no .npz file"):
        arrays(root=str(tmp_path), file="own.txt")
    made(tmp_path, images=GREY, labels=LABELS)
    whole = (tmp_path / "own.npz").read_bytes()
    (tmp_path / "own.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"own.npz is no .npz file"):
        arrays(root=str(tmp_path), file="own.npz")
    (tmp_path / "own.npz").write_bytes(whole.replace(GREY[3].tobytes(), GREY[2].tobytes()))
    with pytest.raises(UserError, match="images in .*own.npz is damaged"):
        arrays(root=str(tmp_path), file="own.npz")


def test_a_path_of_its_own_needs_no_root(tmp_path: Path) -> None:
    made(tmp_path, images=GREY, labels=LABELS)
    assert len(arrays(root="nowhere", file=str(tmp_path / "own.npz"))) == 6


def test_the_fingerprint_is_of_contents(tmp_path: Path) -> None:
    before = made(tmp_path, images=GREY, labels=LABELS).fingerprint()
    other = GREY.copy()
    other[5, 4, 6] ^= 1
    assert made(tmp_path, images=other, labels=LABELS).fingerprint() != before
    assert made(tmp_path, images=GREY, labels=[1, 0, 2, 0, 1, 2]).fingerprint() != before
    np.savez_compressed(tmp_path / "own.npz", images=GREY, labels=LABELS)
    assert arrays(root=str(tmp_path), file="own.npz").fingerprint() == before


def test_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, images=np.tile(GREY, (5, 1, 1)), labels=LABELS * 5)
    monkeypatch.chdir(tmp_path)
    config = composed("dataset=arrays", "dataset.file=own.npz", "dataset.range=8")
    assert check(config) == []
    monkeypatch.chdir("/")
    manifest = build_manifest(config)
    assert {split: len(manifest.indices(split)) for split in ("train", "val", "test")} == {"train": 21, "val": 3, "test": 6}
    assert config["dataset"]["name"] == "own.npz"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"labels": np.array([b"\xe9", b"\xfc", b"a"] * 2)}, r"labels in .*own.npz: b'\\x.*' is no UTF-8: save texts as such"),
        ({"labels": LABELS, "class_names": np.array([b"\xe9", b"\xfc", b"a"])}, "class_names in .* is no UTF-8"),
        ({"labels": ["", "a", "b"] * 2}, "own.npz has a blank text for the class of 2 images"),
        ({"labels": LABELS, "class_names": ["a", "\t", "b"]}, "own.npz has a blank text for the class of 2 images"),
        ({"labels": LABELS, "images": GREY.astype(">i4")}, r"int32|>i4: pixels are .*images.astype\('uint8'\)"),
        ({"labels": LABELS, "images": GREY.astype("u4") * 9}, r"as images.astype\('uint16'\) gives$"),
        ({"labels": LABELS, "images": GREY.astype("i8") - 9}, "uint16 or floating point$"),
        ({"labels": LABELS, "images": GREY > 99}, r"as images.astype\('uint8'\) \* 255 gives$"),
    ],
)
def test_texts_and_types_that_would_become_others(content: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        made(tmp_path, **{"images": GREY, **content})


def test_numbers_and_names_stay_what_they_are(tmp_path: Path) -> None:
    big = made(tmp_path, images=GREY, labels=np.array([2**64 - 2, 2**63, 5] * 2, np.uint64))
    assert big.class_names == ["5", str(2**63), str(2**64 - 2)]
    near = made(tmp_path, images=GREY, labels=["Elm", "elm ", "oak"] * 2)
    assert "'Elm' and 'elm '" in str(near.notes.hints)
    swapped, plain = (made(tmp_path, images=GREY.astype(kind) * 257, labels=LABELS) for kind in (">u2", "<u2"))
    assert swapped.fingerprint() == plain.fingerprint()
    assert np.array_equal(np.asarray(swapped.load(2))[..., 0], GREY[2])
    mixed = made(tmp_path, X_train=GREY[:4], y_train=[0, 1] * 2, X_test=GREY[4:], y_test=[0, 1])
    assert list(mixed.splits) == ["train"] * 4 + ["test"] * 2
    with pytest.raises(UserError, match="has x_train, X_train: which of them|has X_train, x_train: which of them"):
        made(tmp_path, X_train=GREY, x_train=GREY, y_train=LABELS)
    grouped = made(tmp_path, images=GREY, labels=[0, 1] * 3, group=[1, np.nan, np.nan, 1, np.nan, 2])
    assert list(grouped.groups) == ["1.0", "", "", "1.0", "", "2.0"]


def test_a_class_that_is_dark_as_a_whole_is_said(tmp_path: Path) -> None:
    share = GREY / 255
    manifest = made(tmp_path, images=np.concatenate([share, share / 20]), labels=["bright"] * 6 + ["dim"] * 6)
    assert len(manifest.notes.grey) == 1
    assert "whole classes are nearly black, where 1 is white: up to dim (0.05)" in manifest.notes.grey[0]
    assert made(tmp_path, images=np.concatenate([share, share / 20]), labels=["a", "b"] * 6).notes.grey == []


def test_members_that_are_no_arrays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as file:
        for name in ("train_images", "train_labels"):
            file.writestr(name, "text")
    with pytest.raises(UserError, match=r"train_images in .*own.npz is no array: numpy.savez"):
        arrays(root=str(tmp_path), file="own.npz")
