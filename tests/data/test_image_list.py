"""Lists of images as programs write them: read as they were meant, or an error that says what to do."""

from __future__ import annotations

import csv
import io
import shlex
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wisesr.data.image_list import csv_rows, read_list, read_rows
from wisesr.data.lists.commands import columns_override
from wisesr.errors import UserError

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
LETTERS = "abcXYZ019 '\",;|&éÜßłŽжΩ猫ねこ🐈-_.()[]{}#%=+~"
NAMES = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(lambda name: name.strip(" ."))


def a_list(root: Path, content: str | bytes, name: str = "labels.csv") -> Path:
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def written(rows: list[tuple[str, ...]], mark: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def refused(root: Path, content: str | bytes, **columns: str | None) -> str:
    with pytest.raises(UserError) as caught:
        csv_rows(a_list(root, content), "labels.csv", columns=columns or None)
    return str(caught.value)


def follow(message: str) -> str:
    """What `dataset.csv` is after the command in a message, run by a shell."""
    command, override = message.rsplit(": ", 1)[1].split(", then ")
    subprocess.run(command, shell=True, check=True)
    return str(OverridesParser.create().parse_override(shlex.split(override)[0]).value())


@given(
    names=st.lists(st.tuples(NAMES, NAMES, st.sampled_from(("train", "Test", "VALID", "")), NAMES), min_size=1, max_size=6),
    encoding=st.sampled_from(ENCODINGS),
    mark=st.sampled_from(",;\t|"),
    end=st.sampled_from(("\n", "\r\n", "\r")),
    quoting=st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
    told=st.booleans(),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(
    tmp_path: Path, names: list[tuple[str, ...]], encoding: str, mark: str, end: str, quoting: int, told: bool
) -> None:
    rows = [
        (f"images of cats/{index}{name}.png", label, split, group) for index, (name, label, split, group) in enumerate(names)
    ]
    text = written([("filename", "class", "split", "group"), *rows], mark, end, quoting)
    content = ((f"sep={mark}{end}" if told else "") + text).encode(encoding)
    splits = {"train": "train", "Test": "test", "VALID": "val", "": "train"}
    meant = [(path, unicodedata.normalize("NFC", label), splits[split], group) for path, label, split, group in rows]
    assert [row[:4] for row in csv_rows(a_list(tmp_path, content), "labels.csv")] == meant


def test_columns_in_any_order_among_others_and_called_otherwise(tmp_path: Path) -> None:
    text = 'id;Image Path ;LABEL;note;Subset;width\r\n7;a\\1.png;"x;\r\ny";"b\r\n""c""";Training;1,5\r\n'
    with pytest.raises(UserError, match="class .* goes over several lines"):
        csv_rows(a_list(tmp_path, text), "labels.csv")
    read = read_list(a_list(tmp_path, text.replace(";\r\ny", "; y")), "labels.csv")
    assert read.rows == [("a/1.png", "x; y", "train", "", "labels.csv, line 2")]
    assert list(read.unread) == ["id", "note", "width"]


@pytest.mark.parametrize(
    "names", ["image,label", "IMG PATH,category", "File_Name,Class Name", "#filename,class", "'file','class'"]
)
def test_names_that_are_known(tmp_path: Path, names: str) -> None:
    cells = "'1.png','a'" if "'" in names else "1.png,a"
    assert csv_rows(a_list(tmp_path, f"{names}\n{cells}\n"), "labels.csv")[0][:2] == ("1.png", "a")


def test_columns_that_are_chosen(tmp_path: Path) -> None:
    a_list(tmp_path, "img,kind,part,patient,label\n1.png,cat,eval,p7,9\n")
    chosen = {"filename": "img", "class": "Kind", "split": "part", "group": "patient"}
    assert csv_rows(tmp_path, "labels.csv", columns=chosen) == [("1.png", "cat", "val", "p7", "labels.csv, line 2")]
    assert (
        read_rows(["img,kind\n", "1.png,cat\n"], "x.zip: l.csv", "test", {"filename": "img", "class": "kind"})[0][2] == "test"
    )


@pytest.mark.parametrize(
    ("lines", "numbers"),
    [
        (["filename,class,,", "1.png,a,,", "", ",,,", "   ", "2.png,b"], [2, 6]),
        (["", "# made by hand", "filename,class", "1.png,a", "2.png,b"], [4, 5]),
        (["sep=,", "filename,class,note", '1.png,a,"one', 'two"', "2.png,b,"], [3, 5]),
        (["filename,class", "1.png,a", "\ufefffilename,class", "2.png,b"], [2, 4]),
    ],
)
def test_lines_that_are_no_images_are_counted_and_left_out(tmp_path: Path, lines: list[str], numbers: list[int]) -> None:
    rows = csv_rows(a_list(tmp_path, "\n".join(lines)), "labels.csv")
    assert [(row.path, row.place) for row in rows] == [
        (name, f"labels.csv, line {number}") for name, number in zip(("1.png", "2.png"), numbers, strict=True)
    ]


def test_names_of_classes_that_only_look_different_are_one(tmp_path: Path) -> None:
    rows = csv_rows(a_list(tmp_path, "filename,class\n1.png,Hu\u0308ndin\n2.png,\u00a0Hündin \n"), "labels.csv")
    assert {row.label for row in rows} == {"Hündin"}


@pytest.mark.parametrize(
    ("encoding", "label", "name", "iconv"),
    [
        ("cp1252", "Löwe", "Windows-1252", "WINDOWS-1252"),
        ("mac_roman", "Löwe", "MacRoman", "MACINTOSH"),
        ("cp850", "Löwe", "DOS code page 850", "CP850"),
        ("cp1250", "Żółw", "Windows-1250", "WINDOWS-1250"),
        ("cp1251", "Львица", "Windows-1251", "WINDOWS-1251"),
        ("koi8_r", "Львица", "KOI8-R", "KOI8-R"),
        ("cp1253", "Λιοντάρι", "Windows-1253", "WINDOWS-1253"),
        ("cp932", "ライオンの子", "Shift-JIS", "CP932"),
        ("euc_kr", "사자", "EUC-KR", "CP949"),
        ("gbk", "狮子狗", "GB 2312", "GB18030"),
    ],
)
def test_older_encodings_are_shown_and_the_command_converts(
    tmp_path: Path, encoding: str, label: str, name: str, iconv: str
) -> None:
    root = tmp_path / "it's here"
    root.mkdir()
    said = refused(root, f"filename,class\r\n1.png,dog\r\n2.png,{label}\r\n".encode(encoding))
    assert f"line 3 has {label!r}" in said or f"or {label!r} in {name}" in said
    assert name in said and "Save it as CSV in UTF-8" in said
    command, *others = said.split(" (or -f ")  # where it reads well in several, the user says which it is
    assert iconv in command or iconv in others[0]
    first = command.split("iconv -f ")[1].split()[0]
    assert csv_rows(root, follow(command.replace(f"-f {first}", f"-f {iconv}")))[1].label == label


def test_nothing_is_guessed_of_an_encoding(tmp_path: Path) -> None:
    """é in Windows-1252 is a letter of Czech in Windows-1250: both are shown."""
    said = refused(tmp_path, "filename,class\n1.png,Kočka\n".encode("cp1250"))
    assert "'Koèka' in Windows-1252, or 'Kočka' in Windows-1250" in said and "(or -f WINDOWS-1250)" in said


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("filename,class\n1.png,Hündin\n2.png,Größe\n".encode() + b"3.png,T\xfcr\n", ["line 4", r"T\xfcr", "two programs"]),
        ("filename,class\n1.png,Hündin\n".encode("utf-16")[:-3], ["line 2", "UTF-16", "breaks off"]),
        (b"filename,class\n1.png,a\n\0\0\0\0\0\0\n", ["line 3", "NUL", "tr -d"]),
        (b"PK\x03\x04\x14\0", ["workbook", "Save As"]),
        (b"\x1f\x8b\x08", ["gunzip"]),
        (b"<!DOCTYPE html><html>", ["web page"]),
        (b'{"file_name": "1.png", "label": 3}\n', ["JSON"]),
        (b"", ["is empty", "filename,class"]),
        (b"\xef\xbb\xbf\n\n", ["is empty"]),
        (b"filename,class\n\n", ["lists no images"]),
    ],
)
def test_what_is_no_list(tmp_path: Path, content: bytes, parts: list[str]) -> None:
    said = refused(tmp_path, content)
    assert [part for part in ("labels.csv", *parts) if part not in said] == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("filename,class,label\n1.png,a,b\n", ["'class' and 'label'", "{class: class}", "{class: label}"]),
        ("path,image,class\na,1.png,a\n", ["'path' and 'image'", "{filename: image}"]),
        ("filename,class,class\n1.png,a,b\n", ["2 columns are called 'class'", "rename"]),
        (
            "Bild;Art der Katze\n1.png;a\n",
            ["'filename', and none 'class'", "Bild, Art", '{filename: Bild, class: "Art der Katze"}'],
        ),
        ("id,breed\n7,pug\n", ["{filename: id, class: breed}"]),
        ("nr,scan,grade,age\n7,x.tif,2,60\n", ["{filename: scan, class: COLUMN}"]),
        ("file,kind,age\n1.png,a,3\n", ["no column is called 'class'", "file, kind, age", "{class: COLUMN}"]),
        ("0,1\nx.tif,a\n", ['{filename: "0", class: "1"}']),
        ("filename\n1.png\n", ["filename is its only column"]),
        ("filename class\n1.png a\n", ["names one column", "tr -s"]),
        ("filename,class,split\n1.png,a,tset\n", ["line 2", "'tset'. Did you mean test", "validation", "{split: null}"]),
        ("filename,class,split\n1.png,a,train\n2.png,a,3\n", ["line 3", "'3'", "test, train, val", "{split: null}"]),
        ("filename,class,fold\n1.png,a,0\n", ["'fold' looks like the split", "{split: fold}", "{split: null}"]),
        ("filename,class,is_test\n1.png,a,0\n", ["'is_test' looks like the split"]),
        ("filename,class,phase 1\n1.png,a,Train\n2.png,a,\n3.png,b,test\n", ["'phase 1' looks", '{split: "phase 1"}']),
        ("filename,class\n1.png,a\n2.png,\n", ["line 3", "filename and class must both be given", "'2.png'"]),
        ("filename,class\n1.png,a\n\n2.png\n", ["line 4", "filename and class"]),
        ("filename,class\n1.png,dog, small\n", ["line 2", "3 cells", "2 columns", "comma", "quotation marks"]),
        ("filename;class;;\n1.png;dog; small;\n", ["line 2", "semicolon"]),
        ('filename,class\n1.png,a\n"2.png,b\n3.png,c\n', ["line 3", "quotation mark", "none ends it"]),
        ('filename,class\n"1".png,a\n', ["line 2", "quotation mark ends a cell"]),
        ('filename,class\n"1.png,a\n2.png",b\n', ["line 2", "filename", "several lines"]),
        ("filename,class\n../1.png,a\n", ["line 2", "'../1.png' must be a relative path that stays below the root"]),
        ("filename,class\n/mnt/x/1.png,a\n", ["must be a relative path that stays below the root, "]),
        ("filename,class\n/mnt/x/in/1.png,a\n", ["in/1.png is there: leave /mnt/x/ out"]),
        ("filename,class\nD:\\x\\in\\1.png,a\n", ["in/1.png is there: leave D:\\x\\ out"]),
        ("filename,class\nfile:///x/1.png,a\n", ["'file:///x/1.png' is an address"]),
        ("filename,class\nhttps://x.org/1.png,a\n", ["is an address"]),
    ],
)
def test_what_is_wrong_in_a_list(tmp_path: Path, text: str, parts: list[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1.png").touch()
    said = refused(tmp_path, text)
    assert [part for part in ("labels.csv", *parts) if part not in said] == []


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("0.png;cat\n1.png;dog\n", ("0.png", "cat")),
        ("cat|a/0\ndog|a/1\n", ("a/0", "cat")),
        ("17\tcat\n18\tdog\n", ("17", "cat")),
        ("train/0.JPEG 3\ntrain/1.JPEG 4\n", ("train/0.JPEG", "3")),
    ],
)
def test_a_list_without_names_on_top(tmp_path: Path, text: str, row: tuple[str, str]) -> None:
    said = refused(tmp_path, text)
    assert "has no line of names on top" in said
    assert csv_rows(tmp_path, follow(said))[0][:2] == row


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        (
            {"fliename": "img", "class": "kind"},
            ["key of dataset.columns is called 'fliename'. Did you mean filename", "class, filename, group, split"],
        ),
        ({"filename": "img", "class": "kinds"}, ["dataset.columns.class", "'kinds'. Did you mean kind", "img, kind"]),
        ({"filename": None}, ["dataset.columns.filename must be the name of a column"]),
        ({"filename": "img", "class": "img"}, ["are one column, 'img'"]),
    ],
)
def test_what_is_wrong_in_the_choice_of_columns(tmp_path: Path, columns: dict[str, str | None], parts: list[str]) -> None:
    said = refused(tmp_path, "img,kind\n1.png,a\n", **columns)
    assert [part for part in parts if part not in said] == []


@pytest.mark.parametrize("column", ["split", "fold"])
def test_a_split_that_is_not_to_be_read(tmp_path: Path, column: str) -> None:
    a_list(tmp_path, f"filename,class,{column}\n1.png,a,2\n")
    assert csv_rows(tmp_path, "labels.csv", "test", {"split": None}) == [("1.png", "a", "test", "", "labels.csv, line 2")]


def test_columns_with_words_for_splits_among_others_are_no_split(tmp_path: Path) -> None:
    text = "filename,class,vehicle\n1.png,a,train\n2.png,b,bus\n"
    assert len(csv_rows(a_list(tmp_path, text), "labels.csv")) == 2


def test_absolute_names_below_the_root_by_whatever_link(tmp_path: Path) -> None:
    root, link = tmp_path / "disk/photos", tmp_path / "home"
    root.mkdir(parents=True)
    link.symlink_to(tmp_path / "disk")
    a_list(root, f"filename,class\n{root}/a//1.png,a\n{link}/photos/a/2.png,a\n./a/3.png,a\na\\4.png,a\n")
    for base in (root, link / "photos"):
        assert [row.path for row in csv_rows(base, "labels.csv")] == [f"a/{number}.png" for number in (1, 2, 3, 4)]


def test_percent_signs_and_colons_stay(tmp_path: Path) -> None:
    a_list(tmp_path, "filename,class\na%20b.png,a\n12:30.png,a\n...x.png,a\n")
    assert [row.path for row in csv_rows(tmp_path, "labels.csv")] == ["a%20b.png", "12:30.png", "...x.png"]


def test_a_file_that_is_not_there_or_none(tmp_path: Path) -> None:
    a_list(tmp_path, "", "train.csv")
    (tmp_path / "lists").mkdir()
    with pytest.raises(UserError, match="there is no file .*no.csv; there are train.csv"):
        csv_rows(tmp_path, "no.csv")
    with pytest.raises(UserError, match="lists is a folder"):
        csv_rows(tmp_path, "lists")


def test_lists_in_archives_get_no_command_that_would_not_work(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="x.zip: train.csv is not in UTF-8.*Windows-1252") as caught:
        read_rows("filename,class\n1.png,Löwe\n".encode("cp1252"), "x.zip: train.csv")
    assert "iconv" not in str(caught.value)


@given(name=st.text("aB9 .,:=\\\"'{}[]()ü猫|;#@-_", min_size=1, max_size=8))
def test_overrides_in_messages_are_taken_by_shell_and_hydra(name: str) -> None:
    (word,) = shlex.split(columns_override({"filename": name, "split": None}))
    override = OverridesParser.create().parse_override(word)
    assert (override.key_or_group, override.value()) == ("dataset.columns", {"filename": name, "split": None})


def test_groups_that_unicode_calls_equal_are_one(tmp_path: Path) -> None:
    """As labels are: a patient's name in one character and in two would else stand in two splits."""
    a_list(tmp_path, "filename,class,group\n1.png,a,J\u00f6rg\n2.png,b,Jo\u0308rg \n")
    assert {row.group for row in csv_rows(tmp_path, "labels.csv")} == {"J\u00f6rg"}
