"""Small downloads of the three datasets as zip, tar and folder, and a way to prepare from them."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from wisesr.data.mit_indoor import official
from wisesr.data.prepare.dataset_folder import prepare
from wisesr.errors import UserError

Files = Mapping[str, bytes]
CLASSES = ("buildings", "forest", "glacier", "mountain", "sea", "street")
GOOD = "seg_train/seg_train/sea/0.jpg"
"""One of Intel's files in every download."""
NOISE = bytes((index * index * 7 + index // 3) % 251 for index in range(5000))
KINDS = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "folder")


@cache
def picture(index: int) -> bytes:
    """A PNG of 4x4 px, another one for each index."""
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (index % 256, index // 256 % 256, 77)).save(file, "png")
    return file.getvalue()


def intel_files(train: int = 2, test: int = 1) -> dict[str, bytes]:
    """A part of Intel, so many images a class, laid out as it is prepared."""
    names = [f"seg_train/seg_train/{name}/{index}.jpg" for name in CLASSES for index in range(train)]
    names += [f"seg_test/seg_test/{name}/{index}.jpg" for name in CLASSES for index in range(test)]
    return {name: picture(index) for index, name in enumerate(names)}


def mit_files(train: int = 2, test: int = 1) -> dict[str, bytes]:
    """The first so many listed images of each class of MIT Indoor67, laid out as it is prepared (without the lists)."""
    names: list[str] = []
    for split, count in (("train", train), ("test", test)):
        seen: Counter[str] = Counter()
        for name in official(split):
            seen[name.split("/")[0]] += 1
            names += [name] * (seen[name.split("/")[0]] <= count)
    return {f"indoorCVPR_09/Images/{name}": picture(index % 50) for index, name in enumerate(names)}


def csv_text(names: list[tuple[str, str]]) -> bytes:
    """A list as Kaggle has it: folders separated by backslashes."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([("filename", "class"), *((name.replace("/", "\\"), label) for name, label in names)])
    return file.getvalue().encode()


def sub_imagenet_files() -> dict[str, bytes]:
    """A part of Sub-ImageNet-70 in three classes, laid out as it is prepared."""
    lists = {
        "train.csv": [(f"{name}/{name}_{index}.JPEG", name) for name in ("n01", "n02", "n03") for index in range(4)],
        "test.csv": [(f"{name}/{name}_{index}.JPEG", name) for name in ("n01", "n02", "n03") for index in (8, 9)],
    }
    pictures = [name for listed in lists.values() for name, _ in listed]
    return {name: csv_text(listed) for name, listed in lists.items()} | {name: picture(i) for i, name in enumerate(pictures)}


def below(folder: str, files: Files) -> dict[str, bytes]:
    """The same files in a folder."""
    return {f"{folder}/{name}": content for name, content in files.items()}


def pack(files: Files, path: Path, kind: str) -> Path:
    """A download of these files, of a kind of KINDS."""
    if kind == "folder":
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, f"w:{kind.partition('.')[2]}") as tar:  # type: ignore[call-overload]
            for name, content in files.items():
                add(tar, name, content)
    return path


def add(tar: tarfile.TarFile, name: str, content: bytes = b"", **attributes: object) -> None:
    """A member of a tar, with these attributes of TarInfo."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for key, value in attributes.items():
        setattr(member, key, value)
    tar.addfile(member, io.BytesIO(content) if content else None)


def make(name: str, source: Path | str, target: Path, *, take_part: bool = True) -> str:
    """Prepare a dataset; what was printed."""
    printed = io.StringIO()
    prepare(name, str(source), to=str(target), take_part=take_part, console=Console(file=printed, highlight=False, width=200))
    return printed.getvalue()


def tree(folder: Path) -> dict[str, bytes | str]:
    """All that is below a folder: files with their content, links with where they lead, folders; without times in the note."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.name == ".wisesr.json":
            found[name] = json.dumps({**json.loads(path.read_text()), "finished": None})
        else:
            found[name] = path.read_bytes() if path.is_file() else "folder"
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """The files below a folder, without our note."""
    return {name: content for name, content in tree(folder).items() if isinstance(content, bytes)}


def refused(source: Path, *parts: str, name: str = "intel") -> str:
    """The message with which preparing from here fails; it has these parts, and nothing is there that was not before."""
    before = tree(source.parent)
    with pytest.raises(UserError) as caught:
        make(name, source, source.parent / "data" / name)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == [], message
    assert message.isprintable()
    assert tree(source.parent) == before
    return message
