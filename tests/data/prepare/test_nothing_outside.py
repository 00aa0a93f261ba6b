"""Whatever an archive's names are: nothing is written but the target, and there what stands in the archive."""

from __future__ import annotations

import os
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.downloads import add, files_of, intel_files, make, pack, tree
from wisesr.data.prepare.source import normal
from wisesr.errors import UserError

ODD = ["..", ".", "", "/", "C:", "\\", "..\\..", "\u2025", "a\u0301", "\udcff", "\uff0e\uff0e", " ..", "%2e%2e", "CON", "-rf"]
OURS = ["seg_train", "seg_test", "sea", "x.jpg", ".wisesr.json", "intel", "intel.partial", "unfinished-by-wisesr", "outside"]
PARTS = st.one_of(st.sampled_from(ODD), st.sampled_from(OURS), st.text(max_size=6))
NAMES = st.builds(
    lambda start, parts, separator: start + separator.join(parts),
    st.sampled_from(["", "", "seg_train/seg_train/", "seg_test/seg_test/sea/", "/", "../"]),
    st.lists(PARTS, min_size=1, max_size=5),
    st.sampled_from(["/", "/", "\\"]),
).map(lambda name: name + (".jpg" if len(name) % 2 else ""))
ENTRIES = st.lists(st.tuples(NAMES, st.sampled_from(["file"] * 6 + ["link", "hard link", "folder"])), min_size=1, max_size=5)


def write(path: Path, kind: str, entries: list[tuple[str, str]], outside: str) -> bool:
    """An archive of the dataset and these entries; False where the writer itself refuses them."""
    types = {"link": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE, "folder": tarfile.DIRTYPE}
    try:
        if kind == "zip":
            pack(intel_files(), path, "zip")
            with zipfile.ZipFile(path, "a") as archive:
                for name, what in entries:
                    info = zipfile.ZipInfo(name + "/" * (what == "folder"))
                    info.external_attr = (0o120777 if what == "link" else 0) << 16
                    archive.writestr(info, outside if what == "link" else b"" if what == "folder" else b"evil")
        else:
            with tarfile.open(path, "w") as tar:
                for name, content in intel_files().items():
                    add(tar, name, content)
                for name, what in entries:
                    if what == "file":
                        add(tar, name, b"evil")
                    else:
                        add(tar, name, type=types[what], linkname=outside)
    except (UnicodeError, ValueError):
        return False
    return True


@settings(max_examples=20)
@given(entries=ENTRIES, kind=st.sampled_from(["zip", "tar"]))
@example(entries=[("seg_train/seg_train/sea/../../../../outside.jpg", "file")], kind="tar")
@example(entries=[("seg_train/seg_train/link", "link"), ("seg_train/seg_train/link/x.jpg", "file")], kind="tar")
@example(entries=[("seg_train/seg_train/sea/new.jpg", "file")], kind="zip")
@example(entries=[("\0.jpg", "file")], kind="zip")
def test_nothing_is_written_outside(entries: list[tuple[str, str]], kind: str) -> None:
    check_nothing_outside(entries, kind)


@pytest.mark.slow
@settings(max_examples=2000)
@given(entries=ENTRIES, kind=st.sampled_from(["zip", "tar"]))
def test_nothing_is_written_outside_long(entries: list[tuple[str, str]], kind: str) -> None:
    check_nothing_outside(entries, kind)


def check_nothing_outside(entries: list[tuple[str, str]], kind: str) -> None:
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        base = Path(place)
        pack({"outside.jpg": b"precious", "outside/x.jpg": b"precious"}, base / "a", "folder")
        if not write(base / "download", kind, entries, str(base / "a" / "outside")):
            return
        before, here = tree(base), set(Path().iterdir())
        try:
            make("intel", base / "download", base / "a" / "b" / "intel")
        except UserError:
            assert tree(base) == before
        else:
            after = tree(base)
            assert {name: content for name, content in after.items() if not name.startswith("a/b")} == before
            written = files_of(base / "a" / "b")
            added = {name: content for name, content in written.items() if content == b"evil"}
            # Both writers end a name at a NUL; a zip knows no hard links.
            asked = {normal("", name.partition("\0")[0]) for name, what in entries if what in ("file", "hard link")}
            assert {name.removeprefix("intel/") for name in added} <= asked, "where they stand in the archive, and nowhere else"
            assert {name: content for name, content in written.items() if name not in added} == {
                f"intel/{name}": content for name, content in intel_files().items()
            }
        assert set(Path().iterdir()) == here


@settings(max_examples=80)
@given(name=NAMES)
def test_a_name_that_passes_stays_below(name: str) -> None:
    try:
        path = normal("", name)
    except UserError:
        return
    assert os.path.normpath(os.path.join("/base", path)) == "/base" + ("/" + path if path else "")  # noqa: PTH118
    assert normal("", path) == path
    assert ".." not in path.split("/") and "\\" not in path
