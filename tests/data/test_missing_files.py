"""Why listed files are not there: the cause is named, and a command in the message mends the list."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.data.test_image_list import a_list, follow
from wisesr.data.image_list import csv_rows
from wisesr.data.missing_files import missing_hint

NFC, NFD = (unicodedata.normalize(form, "Bär.png") for form in ("NFC", "NFD"))


def hint(root: Path, text: str | bytes, *files: str) -> str:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    rows = csv_rows(a_list(root, text), "labels.csv")
    present = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and path.suffix != ".csv")
    missing = [row for row in rows if row.path not in present]
    return missing_hint(root, missing, present, csv="labels.csv")


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        ("filename,class\n7,a\n8,b\n", ["7.jpg", "8.jpg"], "7.jpg is there: the list leaves the endings out"),
        ("filename,class\n7,a\n8,b\n", ["7.jpg", "8.jpg", "7.xml", "8.txt"], "7.jpg is there: the list leaves the endings out"),
        ("sep=;\nclass;image\n\na;x/7\n", ["x/7.tif"], "x/7.tif is there: the list leaves the endings out"),
        ("filename\tclass\r\n7\ta\r\n8\tb\r\n", ["7.png", "8.png"], "7.png is there: the list leaves"),
        ("filename|class\n7|a\n", ["7.png"], "7.png is there: the list leaves"),
        ("filename,class\n7.jpeg,a\n8.jpeg,b\n", ["7.jpg", "8.jpg"], "7.jpg is there, with another ending"),
        ("filename,class\nDSC_1.png,a\nDSC_2.png,b\n", ["DSC_1.PNG", "DSC_2.PNG"], "DSC_1.PNG is there: big and small letters"),
        (
            f"filename,class\n{NFC},ä\n",
            [NFD],
            "Bär.png is there, and only looks the same: its ä is stored as a letter and its mark",
        ),
        (f"filename,class\n{NFD},a\n", [NFC], "Bär.png is there, and only looks the same: its ä is stored as one character"),
    ],
)
def test_a_cause_and_the_command_that_mends_the_list(tmp_path: Path, text: str, files: list[str], said: str) -> None:
    message = hint(tmp_path, text, *files)
    assert unicodedata.normalize("NFC", message).startswith(said)
    assert [row.path for row in csv_rows(tmp_path, follow(message))] == [
        file for file in files if file[-3:] not in ("xml", "txt")
    ]


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        ("filename,class\n7,a\n8,b\n", ["7.png", "8.jpg"], "leaves the endings out. Write them into it"),
        ("filename,class\n7,a\n", ["7.png", "7.jpg"], "7.jpg, 7.png are there: the list leaves the endings out"),
        ('filename,class\n"7",a\n', ["7.png"], "leaves the endings out. Write them into it"),
        ("class,filename\r\na,7\r\n", ["7.png"], "leaves the endings out. Write them into it"),
        ("filename,class\n7,a\n".encode("utf-16"), ["7.png"], "leaves the endings out. Write them into it"),
        ("filename,class\n7,a\n8.png,a\n", ["7.png", "8.png"], "leaves the endings out. Write them into it"),
        ("filename,class\n7.png,a\n8.png,a\n", ["7.gif", "8.png"], "7.gif is there, with another ending"),
        ("filename,class\n7.bmp,a\n8.gif,b\n", ["7.jpg", "8.jpg"], "7.jpg is there, with another ending"),
        ("filename,class\ndsc_1.png,a\n", ["DSC_1.png"], "DSC_1.png is there: big and small letters differ"),
        ("filename,class\nmy%20cat.png,a\n", ["my cat.png"], "my cat.png is there: the list has the name as in an address"),
        ("filename,class\nA/7.png,a\nA/8.png,b\n", ["b/7.png", "b/8.png"], "the files are in b, where the list says A"),
        (
            "filename,class\n7.png,cat\n8.png,dog\n",
            ["cat/7.png", "dog/8.png"],
            "cat/7.png is there: the folders are the classes",
        ),
        ("filename,class\n7.png,cat\n8.png,dog\n", ["p/7.png", "q/8.png"], "p/7.png is there, in another folder"),
        ("filename,class\nimg_7,a\n", ["x/IMG_7.JPG"], "x/IMG_7.JPG is there. Write"),
        ("filename,class\ncat.0007.jpg,a\n", ["cat.007.jpg", "dog.008.jpg"], "the nearest name there is cat.007.jpg"),
        ("filename,class\ncat.0007.jpg,a\n", ["x.png", "y.png", "z.png"], "nothing of a like name"),
        (f"filename,class\n{'x' * 300}.png,a\n", ["y.png"], "nothing of a like name"),
        ("filename,class\ny.png/7.png,a\n", ["y.png"], "nothing of a like name"),
        ("filename,class\n7.png,a\n", [], "no image lies below"),
        ("filename,class\ncats,a\n", ["cats/7.png"], "cats is a folder: the list must name files"),
        ("filename,class\n7,a\n8,a\nqqq,a\n", ["7.png", "8.png"], "2 of the 3 are there under other names: 7.png is there"),
    ],
)
def test_a_cause_where_no_command_is_safe(tmp_path: Path, text: str | bytes, files: list[str], said: str) -> None:
    message = hint(tmp_path, text, *files)
    assert said in message and ", then" not in message


def test_files_in_another_folder_are_found_with_another_root(tmp_path: Path) -> None:
    root = tmp_path / "a dataset"
    root.mkdir()
    said = hint(root, "filename,class\n7.png,a\n8.png,b\n", "images/7.png", "images/8.png")
    assert said.startswith("images/7.png is there: the filenames are below ")
    assert said.endswith(f": 'dataset.root={root}/images' 'dataset.csv={root}/labels.csv'")
    said = hint(root / "images", "filename,class\nimages/7.png,a\nimages/8.png,b\n")
    assert said.endswith(f"are below {root}: 'dataset.root={root}' 'dataset.csv={root}/images/labels.csv'")


def test_the_root_stays_where_part_of_the_list_is_below_it(tmp_path: Path) -> None:
    said = hint(tmp_path, "filename,class\n7.png,a\n8.png,b\n", "x/7.png", "8.png")
    assert "x/7.png is there: the filenames are below" in said and "dataset.root" not in said


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "7.png").symlink_to("/nowhere/7.png")
    assert hint(tmp_path, "filename,class\n7.png,a\n") == "7.png is a link to /nowhere/7.png, which is not there"
