"""`wisesr data check` as a command: counts beside the published ones, the report, the screen, exit codes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.images import noise
from wisesr.cli import main
from wisesr.data.check import decode
from wisesr.data.images import PixelRules
from wisesr.data.intel import listed as listed_intel
from wisesr.data.listing import Row
from wisesr.data.mit_indoor import listed as listed_mit
from wisesr.data.mit_indoor import official
from wisesr.data.published_facts import INTEL, MIT_INDOOR, PUBLISHED, SUB_IMAGENET, Count, counts, differences
from wisesr.data.sub_imagenet import listed as listed_sub


def rows_of(report: Path) -> list[list[str]]:
    with report.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


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
    listing = listed_intel(root=str(tmp_path))
    assert Count("test", "tower", 1, 0) in counts(INTEL, listing.rows)
    assert differences(INTEL, listing.rows)[-1] == "7 classes, not 6"


def test_counts_of_a_small_mit_indoor_are_those_of_its_lists(tmp_path: Path) -> None:
    kept = [name for name in official("train") + official("test") if name.startswith("kitchen/")][:-1]
    (tmp_path / "Images/kitchen").mkdir(parents=True)
    for name in kept:
        (tmp_path / "Images" / name).touch()
    listing = listed_mit(root=str(tmp_path))
    assert len(listing.missing) == 6700 - len(kept)
    found = {(count.split, count.label): count[2:] for count in counts(MIT_INDOOR, listing.rows, listing.missing)}
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
    listing = listed_sub(root=str(tmp_path))
    assert list(listing.missing) == [Row("n2/9.JPEG", "n2", "train", place="train.csv, line 4")]
    assert counts(SUB_IMAGENET, listing.rows, listing.missing) == [
        Count("train", "", 2, 31500),
        Count("train", "n1", 1, 1),
        Count("train", "n2", 1, 2),
        Count("test", "", 1, 3500),
        Count("test", "n1", 1, 1),
    ]


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
    printed = capsys.readouterr().out
    assert "11 images of 2 classes" in printed and "Decoded: 10 PNG; all 40x36 px" in printed
    assert "1 of 5 test images (20.0 %) are also in the train split, as decoded" in printed
    assert "A training would stop: cannot be decoded (1)." in printed
    assert len(printed.splitlines()) <= 30
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


def test_the_counts_of_a_fold_and_the_sizes_of_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(14):
        folder = tmp_path / "photos" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        noise(number).save(folder / f"{number}.png")
    asked = ("folder", "--report", tmp_path / "r.csv", f"dataset.root={tmp_path / 'photos'}", "dataset.fold=1")
    assert run(*asked, "dataset.folds=3") == 0
    printed = capsys.readouterr().out
    assert "Fold 1 of 0 to 2; test images of each: 5, 5, 4" in printed
    assert printed.split("all ")[-1].split()[:2] == ["9", "5"]
    assert run(*asked, "dataset.folds=9") == 1
    assert "dataset.folds=9: too few images or groups" in capsys.readouterr().out


def test_a_partial_copy_of_intel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    number = iter(range(100))
    for folder in ("seg_train/seg_train", "seg_test/seg_test"):
        for label in INTEL.per_class:
            (tmp_path / folder / label).mkdir(parents=True)
            for index in range(3):
                noise(next(number)).save(tmp_path / folder / label / f"{index}.jpg")
    arguments = ("intel", f"dataset.root={tmp_path}", "--report", tmp_path / "intel.csv")
    assert run(*arguments) == 1
    printed = capsys.readouterr().out
    assert "a partial copy: 36 of 17,034 images; usable with dataset.partial=true" in printed
    assert printed.split("buildings")[1].split()[:4] == ["3", "2,191", "3", "437"]
    rows = rows_of(tmp_path / "intel.csv")
    assert rows[2] == ["count", "", "train", "buildings", "3 here, 2191 published"] and len(rows) == 1 + 14
    assert run(*arguments, "dataset.partial=true") == 0
    assert "a partial copy: 36 of 17,034 images\n" in capsys.readouterr().out


def test_listed_files_that_are_missing_are_all_named(copy: Path, tmp_path: Path) -> None:
    listing = "filename,class\n" + "".join(f"train/{label}/{i}.png,{label}\n" for label in "ab" for i in range(5))
    (copy / "labels.csv").write_text(listing)
    assert run("folder", f"dataset.root={copy}", "dataset.csv=labels.csv", "--report", tmp_path / "r.csv") == 1
    assert [row[:2] for row in rows_of(tmp_path / "r.csv")[1:]] == [
        ["missing", f"train/{c}/{i}.png"] for c in "ab" for i in (3, 4)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits"], "the images of digits are no files"),
        (["intle"], "no dataset is called 'intle'. Did you mean intel"),
        (["intel", "dataset.root=/nowhere"], "there is no folder /nowhere. To make it: wisesr data prepare intel"),
        (["intel", "dataset.partail=true"], "no key of dataset is called 'partail'. Did you mean partial"),
        (["intel", "dataset.val_fraction=much"], "dataset.val_fraction"),
        (["digits", "seed=0,1"], "seed=0,1: there must be one value"),
    ],
)
def test_what_is_wrong_with_the_command_is_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 1
    assert message in capsys.readouterr().err


def test_an_interrupt_leaves_no_report(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path, rules: PixelRules) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decode, "decode_file", interrupted)
    assert run("folder", f"dataset.root={copy}", "--report", tmp_path / "r.csv") == 130
    assert not (tmp_path / "r.csv").exists()


def whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole copy of a Sub-ImageNet-70 of two classes, three images to train on and two to test."""
    facts = SUB_IMAGENET._replace(classes=2, train=6, test=4)
    monkeypatch.setitem(PUBLISHED, "sub_imagenet", facts)
    monkeypatch.setattr("wisesr.data.sub_imagenet.SUB_IMAGENET", facts)
    for split, n in (("train", 3), ("test", 2)):
        names = [f"{split}/{label}/{i}.png,{label}\n" for label in "ab" for i in range(n)]
        (root / f"{split}.csv").write_text("filename,class\n" + "".join(names))
    return root


def test_a_copy_is_whole_if_its_images_can_be_read(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("sub_imagenet", f"dataset.root={whole(copy, monkeypatch)}", "--report", tmp_path / "r.csv")
    skip, part = "dataset.on_bad_image=skip", "dataset.partial=true"
    assert run(*arguments) == run(*arguments, skip) == 0
    assert "whole, 10 images of 2 classes as published" in capsys.readouterr().out
    assert run(*arguments, part) == 1
    assert "would stop: this copy is whole, and would be called sub_imagenet-partial" in capsys.readouterr().out
    (copy / "train/b/2.png").write_text("no image")
    assert run(*arguments, skip) == 1
    printed = capsys.readouterr().out
    assert "not whole: of 10 images 9 can be read" in printed and "would stop: cannot be decoded (1)." in printed
    assert run(*arguments, skip, part) == 0
    for index in range(2):
        (copy / f"train/b/{index}.png").write_text("no image")
    assert run(*arguments, skip, part) == 1


def test_an_image_in_both_lists_is_the_first_finding(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole(copy, monkeypatch)
    with (copy / "test.csv").open("a") as file:
        file.write("train\\a\\1.png,a\n")
    noise(0).save(copy / "test/a/0.png")
    assert run("sub_imagenet", f"dataset.root={copy}", "dataset.partial=true", "--report", tmp_path / "r.csv") == 1
    places = "in train.csv, line 3 (train, a) and test.csv, line 6 (test, a)"
    rows = rows_of(tmp_path / "r.csv")
    assert rows[1] == ["listed-twice", "train/a/1.png", "train", "a", places]
    assert [row[0] for row in rows[2:]] == ["leak", "leak", "count"]
    assert "A training would stop: listed twice (1)." in capsys.readouterr().out


def test_an_empty_class_and_splits_that_cannot_be_had(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "train/c").mkdir()
    assert run("folder", f"dataset.root={copy}", "--report", tmp_path / "r.csv") == 1
    assert rows_of(tmp_path / "r.csv")[1:] == [["empty-class", "train/c", "train", "c", ""]]
    (copy / "test/d").mkdir()
    noise(99).save(copy / "test/d/1.png")
    assert run("folder", f"dataset.root={copy}", "--report", tmp_path / "r.csv") == 1
    printed = capsys.readouterr().out
    assert "would stop: classes without images (1), classes of the test split" in printed


def test_test_images_that_are_trained_on_are_not_said_to_be_harmless(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise(0).save(copy / "test/a/leak.png")
    assert run("folder", f"dataset.root={copy}", "--report", tmp_path / "r.csv") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Nothing here stops a training, but 1 of the 5 test images are also in the train split")


def test_a_reader_that_stops_reading_does_not_cost_the_report(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise BrokenPipeError

    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("wisesr.data.check.summary.print_summary", stop)
        assert run("folder", f"dataset.root={copy}", "--report", tmp_path / "r.csv") == 0
    assert (tmp_path / "r.csv").exists()


def test_overrides_may_stand_on_both_sides_of_an_option(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "r.csv"
    assert run("folder", f"dataset.root={copy}", "--report", report, "dataset.test=null", "dataset.val=test") == 0
    assert report.exists()
    with pytest.raises(SystemExit):
        run("folder", "--reprot", report, f"dataset.root={copy}")
    assert "unrecognized arguments: --reprot" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["status", "outputs", "more"])
    with pytest.raises(SystemExit):
        run()
    assert "required: NAME\n" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_told_before_all_else(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "decode_file", None)  # nothing is decoded
    assert run("folder", f"dataset.root={copy}", "--report", tmp_path) == 1
    assert "--report must be a file" in capsys.readouterr().err
    assert run("folder", f"dataset.root={copy}", "--report", copy / "train/a/0.png/r.csv") == 1
    assert "--report: " in (printed := capsys.readouterr().err) and "0.png/r.csv cannot be written" in printed
    assert run("folder", f"dataset.root={copy}", "--report", "/proc/x.csv") == 1
    assert "--report: /proc/x.csv cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_folder_in_place_of_a_name(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ([str(tmp_path)], ["folder", str(tmp_path)]):
        assert main(["data", command, *arguments]) == 1
        assert f"`folder dataset.root={tmp_path}`" in capsys.readouterr().err
    (tmp_path / "my images").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["data", command, "my images"]) == 1
    assert "`folder 'dataset.root=my images'`" in capsys.readouterr().err
