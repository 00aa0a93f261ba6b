"""Stopped, killed, out of room, changed under way: nothing is left, and the same command ends in the same files."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.downloads import KINDS, files_of, intel_files, make, mit_files, pack, tree
from tests.support.paths import ROOT
from wisesr.cli import main
from wisesr.data.prepare.source import Entry, Source
from wisesr.data.prepare.staging import staging
from wisesr.errors import UserError

FILES = "unfinished-by-wisesr"


def fail_at(count: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the (count + 1)th file that is copied fail in the middle of its content."""
    real, done = Source.read, 0

    def read(self: Source, entry: Entry) -> Any:
        nonlocal done
        done += 1
        for chunk in real(self, entry):
            if done > count:
                yield chunk[: len(chunk) // 2]
                raise error
            yield chunk

    monkeypatch.setattr(Source, "read", read)


class Killed(BaseException):
    """Nothing of ours catches it."""


def kill_at(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `kill -9` while a file is copied: nothing is cleaned up."""
    remove = shutil.rmtree

    def remove_alive(path: Path, **others: Any) -> None:
        if sys.exc_info()[0] is not Killed:
            remove(path, **others)

    monkeypatch.setattr(shutil, "rmtree", remove_alive)
    fail_at(count, Killed(), monkeypatch)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_half_way(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "source", kind)
    make("intel", source, tmp_path / "whole" / "intel")
    for count in (0, 8, 17):
        with monkeypatch.context() as patch:
            kill_at(count, patch)
            with pytest.raises(Killed):
                make("intel", source, tmp_path / "cut" / "intel")
        left = files_of(tmp_path / "cut")
        assert len(left) == count + 2 and all(name.startswith("intel.partial/") for name in left), "a lock, half a file"
    make("intel", source, tmp_path / "cut" / "intel")
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole")


def test_what_another_archive_has_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other files of the same names, links that lead out of it."""
    outside = pack({"keep.txt": b"precious"}, tmp_path / "outside", "folder")
    with monkeypatch.context() as patch:
        kill_at(5, patch)
        with pytest.raises(Killed):
            make("mit_indoor", pack(mit_files(), tmp_path / "mit.zip", "zip"), tmp_path / "intel")
    (tmp_path / "intel.partial" / FILES / "link").symlink_to(outside)
    make("intel", pack(intel_files(), tmp_path / "source.zip", "zip"), tmp_path / "intel")
    assert files_of(tmp_path / "intel") == intel_files() and not (tmp_path / "intel.partial").exists()
    assert files_of(outside) == {"keep.txt": b"precious"}


def test_killed_before_the_lock_and_after_it(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    for names in ((), (".lock",), (".lock", f"{FILES}/x")):
        target = tmp_path / f"intel{len(names)}"
        partial = target.with_name(f"{target.name}.partial")
        partial.mkdir()
        pack(dict.fromkeys(names, b""), partial, "folder")
        make("intel", source, target)
        assert files_of(target) == intel_files() and not partial.exists()


def test_a_folder_of_the_users_is_left_alone(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    partial = pack({"mine.txt": b"precious", ".wisesr.json": b"{}"}, tmp_path / "intel.partial", "folder")
    before = tree(tmp_path)
    with pytest.raises(UserError, match="intel.partial is in the way"):
        make("intel", source, tmp_path / "intel")
    assert tree(tmp_path) == before
    shutil.rmtree(partial)
    (tmp_path / "elsewhere").mkdir()
    for make_other in (partial.touch, lambda: partial.symlink_to(tmp_path / "elsewhere")):
        make_other()
        with pytest.raises(UserError, match="intel.partial is in the way"):
            make("intel", source, tmp_path / "intel")
        partial.unlink()
    pack({f"{FILES}/x": b"", "mine.txt": b"precious"}, tmp_path / "intel.partial", "folder")  # put there since
    with pytest.raises(UserError, match="intel.partial is in the way"):
        make("intel", source, tmp_path / "intel")
    assert (tmp_path / "intel.partial" / "mine.txt").read_text() == "precious"


def test_images_planted_while_it_runs_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    real = Source.read

    def read(self: Source, entry: Entry) -> Any:
        pack({"seg_train/seg_train/sea/planted.jpg": b"x"}, tmp_path / "intel.partial" / FILES, "folder")
        return real(self, entry)

    monkeypatch.setattr(Source, "read", read)
    with pytest.raises(UserError, match=r"'seg_train/seg_train/sea/planted\.jpg'"):
        make("intel", source, tmp_path / "intel")
    assert [path.name for path in tmp_path.iterdir()] == ["source.zip"]


def full_disk(count: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the (count + 1)th file that is written fail in its middle."""
    real, done = Path.open, 0

    class Full(io.FileIO):
        def write(self, content: Any) -> int:
            super().write(content[: len(content) // 2])
            raise OSError(number, os.strerror(number))

    def opened(path: Path, mode: str = "r", **others: Any) -> Any:
        nonlocal done
        done += mode == "xb"
        return Full(path, "xb") if mode == "xb" and done > count else real(path, mode, **others)

    monkeypatch.setattr(Path, "open", opened)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    with monkeypatch.context() as patch:
        full_disk(9, number, patch)
        with pytest.raises(UserError, match=os.strerror(number)):
            make("intel", source, tmp_path / "far" / "away" / "intel")
    assert [path.name for path in tmp_path.iterdir()] == ["source.zip"], "parents that were made for it go again"
    make("intel", source, tmp_path / "intel")
    assert files_of(tmp_path / "intel") == intel_files()


def test_too_little_room_is_known_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """18 files of a block of 4,096 bytes each, and their bytes."""
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    need = 18 * 4096 + sum(map(len, intel_files().values()))
    for free in (need - 1, need):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: shutil._ntuple_diskusage(free, 0, free))
        if free < need:
            with pytest.raises(UserError, match=r"takes 75\.\d kB, and the disk of .* has 75\.\d kB left"):
                make("intel", source, tmp_path / "intel")
            assert [path.name for path in tmp_path.iterdir()] == ["source.zip"]
        else:
            make("intel", source, tmp_path / "intel")


def test_two_at_once(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    with pytest.raises(Killed), staging(tmp_path / "intel"):
        before = tree(tmp_path)
        with pytest.raises(UserError, match=r"another `wisesr data prepare` is at work in .*intel\.partial"):
            make("intel", source, tmp_path / "intel")
        assert tree(tmp_path) == before
        make("intel", source, tmp_path / "other")
        raise Killed
    make("intel", source, tmp_path / "intel")


def test_another_ends_when_this_one_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It removes the folder, and the lock that was opened here keeps nobody out any more."""
    real = fcntl.flock

    def flock(file: Any, operation: int) -> None:
        shutil.rmtree(tmp_path / "intel.partial")
        real(file, operation)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        with pytest.raises(UserError, match="another `wisesr data prepare` is at work"), staging(tmp_path / "intel"):
            pass
    with staging(tmp_path / "intel") as folder:
        (folder / "x").touch()
    assert list(tree(tmp_path)) == ["intel", "intel/x"]


def test_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    source = pack(intel_files(), tmp_path / "source.zip", "zip")
    command = ["data", "prepare", "intel", "--from", str(source), "--to", str(tmp_path / "intel"), "--partial"]
    with monkeypatch.context() as patch:
        fail_at(5, KeyboardInterrupt(), patch)
        assert main(command) == 130
    assert capsys.readouterr().err.startswith("Stopped")
    assert [path.name for path in tmp_path.iterdir()] == ["source.zip"]
    assert main(command) == 0
    assert files_of(tmp_path / "intel") == intel_files()


# In processes of their own.


def run(source: Path, target: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "wisesr.cli", "data", "prepare", "mit_indoor", "--from", str(source), "--to", str(target)]
    with (target.parent / "printed.txt").open("ab") as printed:
        return subprocess.Popen([*command, "--partial"], cwd=ROOT, stdout=printed, stderr=printed, start_new_session=True)


def count_files(folder: Path) -> int:
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
    assert run(source, tmp_path / "whole" / "mit").wait(300) == 0, (tmp_path / "whole" / "printed.txt").read_text()
    generator = random.Random(kind)
    target, partial = tmp_path / "cut" / "mit", tmp_path / "cut" / "mit.partial"
    among = 0
    for attempt in range(25):
        process = run(source, target)
        while process.poll() is None and count_files(partial / FILES):  # what the attempt before has left
            time.sleep(0.001)
        if attempt < 2:
            time.sleep(generator.uniform(0.5, 3))
        share = 0 if attempt < 2 else generator.uniform(0.1 * among, 0.15 + 0.15 * among)
        while process.poll() is None and count_files(partial) < share * len(files):
            time.sleep(generator.uniform(0, 0.01))
        process.kill()
        assert process.wait(60) in (0, -signal.SIGKILL), (tmp_path / "cut" / "printed.txt").read_text()
        among += 0 < count_files(partial / FILES) < len(files) and not target.exists()
        shutil.rmtree(target, ignore_errors=True)
        if among == 5:
            break
    assert among == 5, "kills fell into the copying"
    assert run(source, tmp_path / "cut" / "mit").wait(300) == 0, (tmp_path / "cut" / "printed.txt").read_text()
    for folder in ("whole", "cut"):
        (tmp_path / folder / "printed.txt").unlink()
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole")
