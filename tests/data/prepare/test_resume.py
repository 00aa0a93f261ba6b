"""Stopped, killed, out of room, changed under way: the same command ends in the same files, and nothing else is left."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.downloads import KINDS, files_of, intel_files, make, mit_files, pack, picture, tree, unfinished
from tests.support.paths import ROOT
from wisesr.cli import main
from wisesr.data.prepare import staging
from wisesr.data.prepare.staging import Staging
from wisesr.errors import UserError


class Killed(BaseException):
    """Nothing of ours catches it."""


def stop_after(count: int, error: BaseException, monkeypatch: pytest.MonkeyPatch, *, inside: bool = False) -> None:
    """Let the (count + 1)th file fail: before it is begun, or in the middle of its content."""
    real, done = staging.place, 0

    def failing(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk[: len(chunk) // 2]
            raise error

    def place(base: Path, path: str, chunks: Iterator[bytes]) -> None:
        nonlocal done
        done += 1
        if done <= count:
            return real(base, path, chunks)
        if inside:
            return real(base, path, failing(chunks))
        raise error

    monkeypatch.setattr(staging, "place", place)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inside", [False, True])
def test_stopped_half_way(tmp_path: Path, kind: str, inside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "source", kind)
    make("intel", source, tmp_path / "whole" / "intel")
    for count in (0, 1, 8, 18):  # of 20: two notes and 18 images
        with monkeypatch.context() as patch:
            stop_after(count, Killed(), patch, inside=inside)
            with pytest.raises(Killed):
                make("intel", source, tmp_path / "cut" / "intel")
        left = files_of(tmp_path / "cut")
        assert all(name.startswith("intel.partial/") for name in left) and len(left) == max(0, count - 1)
        assert not any(name.endswith(".new") for name in left)
    written: list[str] = []
    real = os.replace

    def replace(new: str, name: str, **folders: Any) -> None:
        written.append(name)
        real(new, name, **folders)

    monkeypatch.setattr(os, "replace", replace)
    make("intel", source, tmp_path / "cut" / "intel")
    assert len(written) == 1 + 1, "the last image, and the note; what was there stays"
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole")


def test_what_killed_attempts_leave_is_removed(tmp_path: Path) -> None:
    """Half files, files of another archive, wrong content of the right size, links and folders where files belong."""
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    make("intel", source, tmp_path / "whole" / "intel")
    outside = tmp_path / "outside"
    pack({"keep.txt": b"precious", "0.jpg": b"precious"}, outside, "folder")
    partial = tmp_path / "cut" / "intel.partial"
    sea = "seg_train/seg_train/sea"
    pack(
        intel_files() | {f"{sea}/.wisesr.new": b"half", f"{sea}/7.jpg": b"other", "old/x.jpg": b"x", "y": b""},
        partial,
        "folder",
    )
    pack(unfinished(tmp_path / "cut" / "intel") | {".wisesr.json": b"{"}, partial, "folder")
    (partial / sea / "0.jpg").write_bytes(bytes(len(picture(0))))
    (partial / sea / "1.jpg").unlink()
    (partial / sea / "1.jpg").mkdir()
    (partial / sea / "1.jpg" / "x").write_bytes(b"x")
    (partial / "seg_test/seg_test/sea/0.jpg").unlink()
    (partial / "seg_test/seg_test/sea/0.jpg").symlink_to(outside / "keep.txt")
    shutil.rmtree(partial / "seg_test/seg_test/street")
    (partial / "seg_test/seg_test/street").symlink_to(outside)
    (partial / "more").symlink_to(outside)
    (tmp_path / "cut" / "intel.partial.lock").touch()
    make("intel", source, tmp_path / "cut" / "intel")
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole")
    assert files_of(outside) == {"keep.txt": b"precious", "0.jpg": b"precious"}


def test_links_planted_while_it_runs_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    outside = tmp_path / "outside"
    outside.mkdir()
    real = Staging.begin

    def begin(self: Staging) -> None:
        real(self)
        (self.path / "seg_test").symlink_to(outside)

    monkeypatch.setattr(Staging, "begin", begin)
    with pytest.raises(UserError, match="something has put a link in the way"):
        make("intel", source, tmp_path / "intel")
    assert not list(outside.iterdir())


def test_links_planted_while_it_cleans_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that has been seen becomes a link before it is entered."""
    target, outside = tmp_path / "intel", tmp_path / "outside"
    pack({"old/x.jpg": b"x", "seg_train/y.jpg": b"y"} | unfinished(target), tmp_path / "intel.partial", "folder")
    pack({"x.jpg": b"precious", "y.jpg": b"precious"}, outside, "folder")
    real, done = os.open, []

    def planting(path: Any, *others: Any, **more: Any) -> int:
        if path in ("old", "seg_train") and path not in done:
            done.append(path)
            (tmp_path / "intel.partial" / path).rename(tmp_path / path)
            (tmp_path / "intel.partial" / path).symlink_to(outside)
        return real(path, *others, **more)

    monkeypatch.setattr(os, "open", planting)
    Staging(target, "intel").clean({"seg_train/seg_train/sea/0.jpg"})
    assert len(done) == 2 and files_of(outside) == {"x.jpg": b"precious", "y.jpg": b"precious"}
    assert [path.name for path in (tmp_path / "intel.partial").iterdir()] == [".wisesr.unfinished"]


def test_images_planted_while_it_runs_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    real = Staging.begin

    def begin(self: Staging) -> None:
        real(self)
        pack({"seg_train/seg_train/sea/planted.jpg": b"x"}, self.path, "folder")

    monkeypatch.setattr(Staging, "begin", begin)
    with pytest.raises(UserError, match=r"in 1 images, 'seg_train/seg_train/sea/planted\.jpg' among them"):
        make("intel", source, tmp_path / "intel")
    assert not (tmp_path / "intel").exists()


def test_a_folder_of_the_users_is_left_alone(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    whole = intel_files() | {".wisesr.json": b"{}"}
    contents = [{"mine.txt": b"precious"}, {"intel.zip": b"precious"}, whole]  # a dataset that happens to have this name
    contents += [whole | unfinished(tmp_path / "intel", "mit_indoor"), whole | unfinished(tmp_path / "elsewhere" / "intel")]
    contents += [whole | {".wisesr.unfinished": its} for its in (b"", b"{", b"[" * 10_000, b"\xff", b"null", b'{"schema": 1}')]
    for content in contents:
        partial = pack(content, tmp_path / "intel.partial", "folder")
        with pytest.raises(UserError, match="intel.partial is in the way, and no earlier attempt of this command at intel"):
            make("intel", source, tmp_path / "intel")
        assert {path: (partial / path).read_bytes() for path in content} == content
        shutil.rmtree(partial)
    (tmp_path / "intel.partial").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="in the way"):
        make("intel", source, tmp_path / "intel")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "folder"])
def test_a_source_that_has_changed_between_two_attempts(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another content of the same size, image by image; images that are gone, and new ones."""
    one = intel_files(3, 1)
    two = {name: bytes(reversed(content)) for name, content in intel_files(2, 2).items()}
    with monkeypatch.context() as patch:
        stop_after(15, Killed(), patch)
        with pytest.raises(Killed):
            make("intel", pack(one, tmp_path / "one", kind), tmp_path / "intel")
    make("intel", pack(two, tmp_path / "two", kind), tmp_path / "intel")
    assert files_of(tmp_path / "intel") == two


def test_a_source_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "source", "tar")
    real = Staging.begin

    def begin(self: Staging) -> None:
        real(self)
        pack({name: bytes(reversed(its)) for name, its in intel_files().items()}, source, "tar")

    monkeypatch.setattr(Staging, "begin", begin)
    with pytest.raises(UserError, match="source has changed while it was read: give the same command again"):
        make("intel", source, tmp_path / "intel")
    assert not (tmp_path / "intel").exists()


def test_a_larger_file_than_a_chunk_goes_on_at_the_first_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.data.prepare.run.CHUNK", 100)
    monkeypatch.setattr("wisesr.data.prepare.copying.CHUNK", 30)
    content = random.Random(0).randbytes(1000)
    files = intel_files() | {"seg_train/seg_train/sea/large.jpg": content}
    source = pack(files, tmp_path / "source", "zip")
    for at in (0, 99, 100, 550, 999, 1000):
        changed = content[:at] + bytes(7) + content[at + 7 :]
        cut = {"seg_train/seg_train/sea/large.jpg": changed} | unfinished(tmp_path / "intel")
        pack(cut, tmp_path / "intel.partial", "folder")
        make("intel", source, tmp_path / "intel")
        assert files_of(tmp_path / "intel") == files
        shutil.rmtree(tmp_path / "intel")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    with monkeypatch.context() as patch:
        stop_after(9, OSError(number, os.strerror(number)), patch, inside=True)
        known = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your share of the disk is used up"}
        words = known.get(number, "Input/output error")
        with pytest.raises(UserError, match=rf"{words} \(seg_.*\)\. What is whole stays there: the same command goes on"):
            make("intel", source, tmp_path / "intel")
    make("intel", source, tmp_path / "intel")
    assert files_of(tmp_path / "intel") == intel_files()


def test_too_little_room_is_known_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """18 files of a block of 4 kB each and 5 % are 77.4 kB; of a resumed attempt, only what is missing counts."""
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    room = os.statvfs_result((4096, 4096, 100, 18, 18, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: room)
    with pytest.raises(UserError, match=r"takes 77\.4 kB more, and the disk of .* has 73\.7 kB left: make room"):
        make("intel", source, tmp_path / "intel")
    assert [path.name for path in tmp_path.iterdir()] == ["source.zip"]
    pack(dict(list(intel_files().items())[:4]) | unfinished(tmp_path / "intel"), tmp_path / "intel.partial", "folder")
    make("intel", source, tmp_path / "intel")
    assert files_of(tmp_path / "intel") == intel_files()


def test_two_at_once(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    before = tree(tmp_path)
    with Staging(tmp_path / "intel", "intel").alone():
        with pytest.raises(UserError, match=r"another `wisesr data prepare` is at work in .*intel\.partial: wait for its end"):
            make("intel", source, tmp_path / "intel")
        make("intel", source, tmp_path / "other")
    shutil.rmtree(tmp_path / "other")
    assert tree(tmp_path) == before


def test_a_lock_that_its_holder_has_just_removed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening the file and locking it; who locks a file without a name keeps nobody out."""
    real, calls = fcntl.flock, 0

    def flock(file: int, operation: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            (tmp_path / "intel.partial.lock").unlink()
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with Staging(tmp_path / "intel", "intel").alone():
        assert calls == 2
        with pytest.raises(UserError, match="is at work"), Staging(tmp_path / "intel", "intel").alone():
            pass
    assert not list(tmp_path.iterdir())


def test_the_other_one_was_quicker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have looked when the first one takes the lock; the second finds the work done, or something in its way."""
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    real, began = Staging.alone, False

    def alone(self: Staging) -> Any:
        nonlocal began
        if not began:
            began = True
            make("intel", source, tmp_path / "intel")
        return real(self)

    monkeypatch.setattr(Staging, "alone", alone)
    with pytest.raises(UserError, match="intel is there already"):  # a part; a whole copy ends without an error
        make("intel", source, tmp_path / "intel")
    assert files_of(tmp_path / "intel") == intel_files()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["intel", "source.zip"]


def test_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    command = ["data", "prepare", "intel", "--from", str(source), "--to", str(tmp_path / "intel"), "--partial"]
    with monkeypatch.context() as patch:
        stop_after(5, KeyboardInterrupt(), patch, inside=True)
        assert main(command) == 130
    assert "Stopped. The same command goes on" in capsys.readouterr().err
    assert main(command) == 0
    assert files_of(tmp_path / "intel") == intel_files()


# In processes of their own.


def run(source: Path, target: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "wisesr.cli", "data", "prepare", "mit_indoor", "--from", str(source), "--to", str(target)]
    with (target.parent / "words.txt").open("ab") as words:
        return subprocess.Popen([*command, "--partial"], cwd=ROOT, stdout=words, stderr=words, start_new_session=True)


def count(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zip", "tar.gz", "folder"])
def test_killed_at_random(tmp_path: Path, kind: str) -> None:
    """Kill -9 while it looks, and when so and so many files are there; at last one attempt gets through.

    On a busy machine the kill may come when all is copied, or done: then all is removed, and the attempt does not count.
    """
    files = {name: content + random.Random(name).randbytes(30_000) for name, content in mit_files(200, 50).items()}
    source = pack(files, tmp_path / "source", kind)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    assert run(source, tmp_path / "whole" / "mit").wait(300) == 0, (tmp_path / "whole" / "words.txt").read_text()
    generator = random.Random(kind)
    target, partial = tmp_path / "cut" / "mit", tmp_path / "cut" / "mit.partial"
    among = 0
    for attempt in range(25):
        process = run(source, target)
        if attempt < 2:
            time.sleep(generator.uniform(0.5, 3))
        share = 0 if attempt < 2 else generator.uniform(0.1 * among, 0.15 + 0.15 * among)
        while process.poll() is None and count(partial) < share * len(files):
            time.sleep(generator.uniform(0, 0.01))
        process.kill()
        assert process.wait(60) in (0, -signal.SIGKILL), (tmp_path / "cut" / "words.txt").read_text()
        left = files_of(partial) if partial.exists() else {}
        for name, content in left.items():
            assert name.endswith((".wisesr.new", ".txt")) or content == files[name], "what has its name is whole"
        among += 0 < len(left) < len(files)
        if len(left) >= len(files) or target.exists():
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(target, ignore_errors=True)
        if among == 5:
            break
    assert among == 5, "kills fell into the copying"
    assert run(source, tmp_path / "cut" / "mit").wait(300) == 0, (tmp_path / "cut" / "words.txt").read_text()
    for folder in ("whole", "cut"):
        (tmp_path / folder / "words.txt").unlink()
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole")
