"""A check of a dataset: every fault is planted, so that the report is known row by row."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wisesr.cli import main
from wisesr.data.check import decode
from wisesr.data.check.decode import look, look_at_all
from wisesr.data.check.findings import KINDS, Finding, Overlap, find, legible, overlaps
from wisesr.data.folder import listed
from wisesr.data.intel import listed as listed_intel
from wisesr.data.listing import Listing, Row
from wisesr.data.mit_indoor import listed as listed_mit
from wisesr.data.mit_indoor import official
from wisesr.data.published import INTEL, MIT_INDOOR, SUB_IMAGENET, Count, counts, differences
from wisesr.data.sub_imagenet import listed as listed_sub


def noise(seed: int, size: tuple[int, int] = (40, 36)) -> Image.Image:
    """An RGB image, another one for each seed."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Two classes of three training and two test images, with nothing to be said about."""
    root = tmp_path / "copy"
    for number, name in enumerate(
        f"{split}/{label}/{i}.png" for split, n in (("train", 3), ("test", 2)) for label in "ab" for i in range(n)
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        noise(number).save(root / name)
    return root


@contextmanager
def quiet() -> Iterator[None]:
    """Without Pillow's warnings, as in a check."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def checked(root: Path, its: Listing | None = None) -> list[Finding]:
    its = its or listed(root=str(root))
    return find(its, list(look_at_all(its.base / row.path for row in its.rows)))


def rows_of(report: Path) -> list[list[str]]:
    with report.open(newline="") as file:
        return list(csv.reader(file))


def test_nothing_to_say(copy: Path) -> None:
    assert checked(copy) == []


def truncated(path: Path) -> None:
    noise(99, (200, 200)).save(path, quality=90)
    path.write_bytes(path.read_bytes()[:2000])


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(99).save(path, exif=exif)


def sixteen_bit(path: Path) -> None:
    Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40).save(path)


def see_through(path: Path) -> None:
    image = noise(99).convert("RGBA")
    image.putpixel((0, 0), (1, 2, 3, 254))
    image.save(path)


def animated(path: Path) -> None:
    noise(99).save(path, save_all=True, append_images=[noise(98), noise(97)])


PLANTED: list[tuple[str, Callable[[Path], object], list[tuple[str, str]]]] = [
    ("x.jpg", truncated, [("corrupt", "image file is truncated")]),
    ("x.jpg", lambda path: path.write_text("no image"), [("corrupt", "not an image that can be read")]),
    ("x.png", lambda path: path.write_bytes(b""), [("corrupt", "not an image that can be read")]),
    ("x.jpg", lambda path: noise(99).save(path, format="GIF"), [("format", "GIF in a file that ends in .jpg")]),
    ("x.JPEG", lambda path: noise(99).save(path, format="PNG"), [("format", "PNG in a file that ends in .JPEG")]),
    ("x.jpg", lambda path: noise(99).convert("CMYK").save(path), [("mode", "CMYK, converted to RGB without a colour profile")]),
    ("x.png", sixteen_bit, [("mode", "I;16, of which 8 bits are kept")]),
    ("x.png", see_through, [("mode", "RGBA with transparent parts, which become black")]),
    ("x.gif", animated, [("mode", "3 frames, of which the first is read")]),
    ("x.tif", animated, [("mode", "3 frames, of which the first is read")]),
    ("x.jpg", turned, [("orientation", "EXIF says: upright when turned by 90 degrees clockwise; it is read as it is stored")]),
    ("x.png", lambda path: noise(99, (31, 50)).save(path), [("tiny", "31x50 px")]),
    ("x.png", lambda path: noise(99, (32, 50)).save(path), []),
    ("x.png", lambda path: noise(99).convert("RGBA").save(path), []),
    ("x.png", lambda path: noise(99).convert("L").save(path), []),
    ("x.png", lambda path: noise(99).convert("P").save(path), []),
    ("x.jpg", lambda path: noise(99).save(path, format="MPO", save_all=True, append_images=[noise(98)]), []),
    ("x.jpg", lambda path: noise(99, (20, 20)).save(path, format="GIF"), [("format", "GIF in a"), ("tiny", "20x20 px")]),
]


@pytest.mark.parametrize(("name", "plant", "wanted"), PLANTED)
def test_what_one_file_has_is_told(
    copy: Path, name: str, plant: Callable[[Path], object], wanted: list[tuple[str, str]]
) -> None:
    plant(copy / "train/b" / name)
    found = checked(copy)
    assert [row[:4] for row in found] == [(problem, f"train/b/{name}", "train", "b") for problem, _ in wanted]
    for finding, (_, words) in zip(found, wanted, strict=True):
        assert finding.detail.startswith(words)


def test_an_upright_orientation_and_damaged_metadata_are_nothing(copy: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    noise(99).save(copy / "train/a/x.jpg", exif=exif)
    noise(98).save(copy / "train/a/y.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff")
    with quiet():
        assert checked(copy) == []


def test_a_bomb_and_an_image_that_pillow_only_warns_of(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise(99, (60, 60)).save(copy / "train/a/x.png")
    noise(98, (90, 90)).save(copy / "train/b/x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3500)
    with quiet():
        bomb, large = checked(copy)
    assert bomb[:2] == ("corrupt", "train/b/x.png") and "exceeds limit of 7000 pixels" in bomb.detail
    assert large == ("huge", "train/a/x.png", "train", "a", "60x60 px")


def test_files_that_vanish_or_refuse(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    its = listed(root=str(copy))
    (copy / "train/a/1.png").unlink()
    opened = Image.open

    def refuse(path: Path) -> Image.Image:
        if path.name == "2.png":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(Image, "open", refuse)
    assert checked(copy, its) == [
        ("unopened", "train/a/1.png", "train", "a", "No such file or directory"),
        ("unopened", "train/a/2.png", "train", "a", "Permission denied"),
        ("unopened", "train/b/2.png", "train", "b", "Permission denied"),
    ]


def test_the_same_picture_again(copy: Path) -> None:
    noise(0).save(copy / "train/a/again.bmp")  # other bytes than 0.png, the same pixels
    noise(4).save(copy / "train/a/other label.png")
    noise(1).save(copy / "test/a/leak.png")
    noise(5).save(copy / "test/a/both.png")
    Image.fromarray(np.asarray(noise(2)).reshape(40, 36, 3)).save(copy / "train/a/reshaped.png")  # pixels, but not their size
    assert checked(copy) == [
        ("leak", "train/a/1.png", "train", "a", "as test/a/leak.png (test, a)"),
        ("leak", "test/a/leak.png", "test", "a", "as train/a/1.png (train, a)"),
        ("leak", "train/b/2.png", "train", "b", "as test/a/both.png (test, a)"),
        ("leak", "test/a/both.png", "test", "a", "as train/b/2.png (train, b)"),
        ("two-labels", "train/a/other label.png", "train", "a", "as train/b/1.png (train, b)"),
        ("two-labels", "train/b/1.png", "train", "b", "as train/a/other label.png (train, a)"),
        ("two-labels", "train/b/2.png", "train", "b", "as test/a/both.png (test, a)"),
        ("two-labels", "test/a/both.png", "test", "a", "as train/b/2.png (train, b)"),
        ("duplicate", "train/a/0.png", "train", "a", "as train/a/again.bmp (train, a)"),
        ("duplicate", "train/a/again.bmp", "train", "a", "as train/a/0.png (train, a)"),
    ]


def test_many_twins_are_counted_and_those_of_the_other_split_named_first() -> None:
    rows = [Row(f"{i}.png", "a") for i in range(5)] + [Row("t.png", "a", "test")]
    found = find(Listing(Path(), rows), [decode.Seen((), (1, 1), "PNG", b"x")] * 6)
    assert found[0].detail == "as t.png (test, a), 1.png (train, a), 2.png (train, a) and 2 more"


def test_the_share_of_a_split_that_others_have_too() -> None:
    seen = [decode.Seen((), (1, 1), "PNG", bytes([byte]) if byte else b"") for byte in (1, 2, 0, 1, 3, 2, 2, 0, 3, 4)]
    rows = [Row(str(i), "a", split) for i, split in enumerate(["train"] * 3 + ["val"] * 2 + ["test"] * 5)]
    assert overlaps(rows, seen) == [Overlap("test", "train", 2, 5), Overlap("test", "val", 1, 5), Overlap("val", "train", 1, 2)]
    assert overlaps(rows[:3], seen[:3]) == []


def test_files_are_looked_at_in_order_and_the_last_ones_too(copy: Path) -> None:
    paths = [copy / f"{index:03d}.png" for index in range(150)]
    for index, path in enumerate(paths):
        noise(index, (40, 40 + index)).save(path)
    assert [one.size for one in look_at_all(paths)] == [(40, 40 + index) for index in range(150)]


def test_a_large_picture_is_hashed_in_strips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = np.zeros((3, 2**20 + 1, 3), np.uint8)
    for value in (0, 1):
        wide[2, -1, 2] = value
        Image.fromarray(wide).save(tmp_path / f"{value}.bmp")
    assert len({look(tmp_path / name).digest for name in ("0.bmp", "1.bmp")}) == 2


def test_counts_of_a_small_intel(tmp_path: Path) -> None:
    for label in INTEL.per_class:
        for split, n in (("seg_train/seg_train", 2), ("seg_test/seg_test", 1)):
            folder = tmp_path / split / label
            folder.mkdir(parents=True)
            for index in range(n):
                (folder / f"{index}.jpg").touch()
    found = counts(INTEL, listed_intel(root=str(tmp_path)).rows)
    assert found[0] == Count("train", "", 12, 14034) and found[7] == Count("test", "", 6, 3000)
    assert found[1] == Count("train", "buildings", 2, 2191) and found[-1] == Count("test", "street", 1, 501)
    (tmp_path / "seg_test/seg_test/tower").mkdir()
    (tmp_path / "seg_test/seg_test/tower/1.jpg").touch()
    its = listed_intel(root=str(tmp_path))
    assert Count("test", "tower", 1, 0) in counts(INTEL, its.rows)
    assert differences(INTEL, its.rows)[-1] == "7 classes, not 6"


def test_counts_of_a_small_mit_indoor_are_those_of_its_lists(tmp_path: Path) -> None:
    kept = [name for name in official("train") + official("test") if name.startswith("kitchen/")][:-1]
    (tmp_path / "Images/kitchen").mkdir(parents=True)
    for name in kept:
        (tmp_path / "Images" / name).touch()
    its = listed_mit(root=str(tmp_path))
    assert len(its.missing) == 6700 - len(kept)
    found = {(count.split, count.label): count[2:] for count in counts(MIT_INDOOR, its.rows, its.missing)}
    tested = sum(name.startswith("kitchen/") for name in official("test"))
    assert found["test", "kitchen"] == (tested - 1, tested)
    assert found["train", "kitchen"][0] == found["train", "kitchen"][1] == len(kept) - tested + 1
    assert found["test", ""] == (tested - 1, 1340) and found["train", "winecellar"][0] == 0
    assert len(found) == 2 * 67 + 2


def test_counts_of_a_small_sub_imagenet(tmp_path: Path) -> None:
    for name in ("n1/1.JPEG", "n1/2.JPEG", "n2/1.JPEG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "train.csv").write_text("filename,class\nn1\\1.JPEG,n1\nn2\\1.JPEG,n2\nn2\\9.JPEG,n2\n")
    (tmp_path / "test.csv").write_text("filename,class\nn1\\2.JPEG,n1\n")
    its = listed_sub(root=str(tmp_path))
    assert list(its.missing) == [Row("n2/9.JPEG", "n2", "train")]
    assert counts(SUB_IMAGENET, its.rows, its.missing) == [
        Count("train", "", 2, 31500),
        Count("train", "n1", 1, 1),
        Count("train", "n2", 1, 2),
        Count("test", "", 1, 3500),
        Count("test", "n1", 1, 1),
    ]


@pytest.mark.parametrize("text", ["plain é 中.jpg", "line\nbreak", os.fsdecode(b"caf\xe9.jpg"), "\x1b[31mred"])
def test_any_name_of_a_file_can_be_written(text: str) -> None:
    assert legible(text).isprintable()
    legible(text).encode("utf-8")
    assert (legible(text) == text) == text.isprintable()


def run(*arguments: object) -> int:
    return main(["data", "check", *map(str, arguments)])


def test_the_report_and_the_screen(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise(0).save(copy / "test/a/leak.png")
    (copy / "train/b/2.png").write_text("no image")
    report = tmp_path / "new" / "report.csv"
    assert run("folder", "--report", report, f"dataset.root={copy}") == 1
    assert rows_of(report) == [
        ["problem", "path", "split", "class", "detail"],
        ["leak", "train/a/0.png", "train", "a", "as test/a/leak.png (test, a)"],
        ["leak", "test/a/leak.png", "test", "a", "as train/a/0.png (train, a)"],
        ["corrupt", "train/b/2.png", "train", "b", "not an image that can be read"],
    ]
    words = capsys.readouterr().out
    assert "11 images of 2 classes" in words and "Decoded: 10 PNG; all 40x36 px" in words
    assert "1 of 5 test images (20.0 %) are also in the train split" in words
    assert "A training would stop: cannot be decoded (1)." in words
    assert len(words.splitlines()) <= 30
    assert [path.name for path in report.parent.iterdir()] == ["report.csv"]


def test_no_finding_and_what_may_be_left_out(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("folder", f"dataset.root={copy}") == 0
    assert rows_of(tmp_path / "outputs/checks/copy.csv") == [["problem", "path", "split", "class", "detail"]]
    assert "Nothing here stops a training." in capsys.readouterr().out
    (copy / "train/b/2.png").write_text("no image")
    assert run("folder", f"dataset.root={copy}", "dataset.on_bad_image=skip") == 0


def test_a_partial_copy_of_intel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    number = iter(range(100))
    for folder in ("seg_train/seg_train", "seg_test/seg_test"):
        for label in INTEL.per_class:
            (tmp_path / folder / label).mkdir(parents=True)
            noise(next(number)).save(tmp_path / folder / label / "1.jpg")
    arguments = ("intel", f"dataset.root={tmp_path}", "--report", tmp_path / "intel.csv")
    assert run(*arguments) == 1
    words = capsys.readouterr().out
    assert "a partial copy: 12 of 17,034 images; usable with dataset.partial=true" in words
    assert words.split("buildings")[1].split()[:4] == ["1", "2,191", "1", "437"]
    rows = rows_of(tmp_path / "intel.csv")
    assert rows[2] == ["count", "", "train", "buildings", "1 here, 2191 published"] and len(rows) == 1 + 14
    assert run(*arguments, "dataset.partial=true") == 0
    assert "a partial copy: 12 of 17,034 images\n" in capsys.readouterr().out


def test_listed_files_that_are_missing_are_all_named(copy: Path, tmp_path: Path) -> None:
    listing = "filename,class\n" + "".join(f"train/{label}/{i}.png,{label}\n" for label in "ab" for i in range(5))
    (copy / "labels.csv").write_text(listing)
    assert run("folder", f"dataset.root={copy}", "dataset.csv=labels.csv", "--report", tmp_path / "r.csv") == 1
    assert [row[:2] for row in rows_of(tmp_path / "r.csv")[1:]] == [
        ["missing", f"train/{c}/{i}.png"] for c in "ab" for i in (3, 4)
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digits"], "the images of digits are no files"),
        (["intle"], "no dataset is called 'intle'. Did you mean intel"),
        (["intel", "dataset.root=/nowhere"], "there is no folder /nowhere. To make it: wisesr data prepare intel"),
        (["intel", "dataset.partail=true"], "no key of dataset is called 'partail'. Did you mean partial"),
        (["intel", "dataset.val_fraction=much"], "dataset.val_fraction"),
    ],
)
def test_what_is_wrong_with_the_command_is_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 1
    assert words in capsys.readouterr().err


def test_an_interrupt_leaves_no_report(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decode, "look", interrupted)
    assert run("folder", f"dataset.root={copy}", "--report", tmp_path / "r.csv") == 130
    assert not (tmp_path / "r.csv").exists()


def test_every_kind_says_what_to_do() -> None:
    assert all(kind.words and kind.advice for kind in KINDS.values())
