"""Users' folders: every layout, every way in which they are wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.images import paint
from wisesr.data.folder import folder
from wisesr.data.images import open_rgb
from wisesr.errors import UserError


def make(root: Path, *names: str) -> Path:
    for index, name in enumerate(names):
        paint(root / name, 0, index, 16)
    return root


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    dataset = folder(
        root=str(
            make(
                tmp_path,
                "cat/1.png",
                "cat/deep/2.JPG",
                "dog/1.png",
                ".hidden/1.png",
                "cat/.ipynb_checkpoints/1.png",
                "cat/._1.png",
            )
        )
    )
    assert dataset.class_names == ["cat", "dog"]
    assert list(dataset.ids) == ["cat/1.png", "cat/deep/2.JPG", "dog/1.png"]
    assert list(dataset.labels) == [0, 0, 1]
    assert set(dataset.splits) == {"train"}
    assert dataset.load(2).size == (16, 16)


def test_split_folders_by_name(tmp_path: Path) -> None:
    make(tmp_path, "seg_train/seg_train/a/1.png", "seg_train/seg_train/b/1.png", "seg_test/seg_test/a/1.png")
    dataset = folder(root=str(tmp_path), train="seg_train/seg_train", test="seg_test/seg_test")
    assert Counter(dataset.splits) == {"train": 2, "test": 1}


def test_val_is_the_test_split_where_there_is_no_test(tmp_path: Path) -> None:
    dataset = folder(root=str(make(tmp_path, "train/a/1.png", "train/b/1.png", "val/a/1.png", "val/b/1.png")))
    assert Counter(dataset.splits) == {"train": 2, "test": 2}


def test_a_split_folder_by_another_name_is_not_left_out(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/1.png", "dev/a/1.png")
    with pytest.raises(UserError, match="dev would be left out: say what it is, with dataset.val=dev"):
        folder(root=str(tmp_path))
    assert Counter(folder(root=str(tmp_path), val="dev").splits) == {"train": 2, "test": 1, "val": 1}


def test_csv_with_backslashes_groups_and_a_byte_order_mark(tmp_path: Path) -> None:
    make(tmp_path, "x/1.png", "x/2.png", "x/3.png")
    text = "\ufefffilename,class,split,group\nx\\1.png,a,train,g1\nx/2.png,b,train,g2\nx/3.png,a,test,g3\n"
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    dataset = folder(root=str(tmp_path), csv="labels.csv")
    assert list(dataset.ids) == ["x/1.png", "x/2.png", "x/3.png"]
    assert (list(dataset.labels), list(dataset.splits), list(dataset.groups)) == (
        [0, 1, 0],
        ["train", "train", "test"],
        ["g1", "g2", "g3"],
    )


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        ([], {"root": "nowhere"}, "there is no folder"),
        ([], {}, "holds no folders"),
        (["a/1.png"], {}, "at least two classes"),
        (["a/1.png", "b/note.txt"], {}, "class 'b' has no images"),
        (["test/a/1.png", "test/b/1.png"], {}, "holds test but no train"),
        (["train/a/1.png", "train/b/1.png", "test/c/1.png", "test/a/1.png"], {}, "classes of the test split.*: 'c'"),
        (["a/1.png", "b/1.png"], {"csv": "no.csv"}, "there is no file .*no.csv"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, names: list[str], settings: dict[str, str], message: str) -> None:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    with pytest.raises(UserError, match=message):
        folder(**{"root": str(tmp_path), **{k: str(tmp_path / v) if k == "root" else v for k, v in settings.items()}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fil,class\na,b\n", "no column .*filename.*fil"),
        ("filename,class\n,b\n", "line 2: filename and class"),
        ("filename,class,split\n1.png,b,tset\n", "no split is called 'tset'. Did you mean test"),
        ("filename,class\n", "lists no images"),
        ("filename,class\n9.png,a\n1.png,b\n", "listed, but there is no such file: .*9.png"),
        ("filename,class\n1.png,a\n1.png,b\n", "listed twice: 1.png"),
        ("filename,class\n1.png,a\n./1.png,b\n", "listed twice: 1.png"),
        ('filename,class\n"1.png,a\n' + "x" * 140_000, "labels.csv cannot be read as a CSV file"),
        ("filename,class\n1.png,a\n7.png,a\n8.png,b\n9.png,b\n", "7.png and 2 more; the nearest name there is 1.png$"),
        ("filename,class\n1.png/2.png,a\n", "listed, but there is no such file: .*1.png/2.png"),
    ],
)
def test_what_is_wrong_in_a_csv_is_named(tmp_path: Path, text: str, message: str) -> None:
    make(tmp_path, "1.png")
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        folder(root=str(tmp_path), csv="labels.csv")


def test_bad_images_are_named_or_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a/1.png", "a/2.png", "b/1.png")
    whole = (tmp_path / "a/2.png").read_bytes()
    (tmp_path / "a/2.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b/2.jpg").write_text("not an image")
    dataset = folder(root=str(tmp_path))
    for name, message in (("a/2.png", "a/2.png: .*on_bad_image=skip"), ("b/2.jpg", "b/2.jpg: not an image")):
        with pytest.raises(UserError, match=message):
            dataset.load(list(dataset.ids).index(name))
    left = folder(root=str(tmp_path), on_bad_image="skip")
    assert list(left.ids) == ["a/1.png", "b/1.png"]
    assert list(left.left_out) == ["a/2.png", "b/2.jpg"]


def test_a_class_whose_images_are_all_bad(tmp_path: Path) -> None:
    make(tmp_path, "a/1.png", "c/1.png")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/1.png").write_text("x")
    with pytest.raises(UserError, match="class 'b' has no readable images"):
        folder(root=str(tmp_path), on_bad_image="skip")


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16", "YCbCr"])
def test_every_mode_is_read_as_rgb(tmp_path: Path, mode: str) -> None:
    grey = np.linspace(0, 255, 64).astype(np.uint8).reshape(8, 8)
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    path = tmp_path / ("x.jpg" if mode == "YCbCr" else "x.tif")
    image.save(path)
    rgb = open_rgb(path)
    assert rgb.mode == "RGB"
    if mode not in ("1", "YCbCr", "CMYK"):
        np.testing.assert_allclose(np.asarray(rgb)[..., 0], grey, atol=1)


def test_a_gif_with_a_jpg_name_and_a_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert("P")
    image.save(tmp_path / "x_gif.jpg", format="GIF")
    image.save(tmp_path / "y.png", transparency=bytes([0, 128, 255]))
    for name in ("x_gif.jpg", "y.png"):
        assert open_rgb(tmp_path / name).mode == "RGB"
