"""Arrays that are kept: numpy's own file, mapped where it lies on this machine's disk, held against its checksums."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from wisesr.data import mapped_arrays
from wisesr.data.mapped_arrays import is_on_own_disk, map_arrays, write_arrays

ARRAYS = {
    "names": np.frombuffer(b"a.jpg\0bc.jpg\0", np.uint8),
    "a longer name": np.arange(1000, dtype=np.int64),
    "digests": np.arange(48, dtype=np.uint8).reshape(3, 16),
    "none": np.zeros((0, 16), np.uint8),
    "columns": np.arange(12, dtype=np.int32).reshape(3, 4).T,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kept.npz"
    with path.open("wb") as file:
        write_arrays(file, ARRAYS)
    return path


@pytest.mark.parametrize("own", [True, False])
def test_they_come_back_and_numpy_reads_them_too(path: Path, own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_arrays, "is_on_own_disk", lambda path: own)
    mapped = map_arrays(path)
    with np.load(path) as archive:
        assert sorted(archive.files) == sorted(mapped) == sorted(ARRAYS)
        for name, array in ARRAYS.items():
            for read in (archive[name], mapped[name]):
                assert read.dtype == array.dtype and np.array_equal(read, array)


def test_they_lie_where_a_processor_likes_them_and_cannot_be_written(path: Path) -> None:
    for array in map_arrays(path).values():
        assert array.ctypes.data % 64 == 0 or not array.size
        assert not array.flags.writeable or not array.size


def test_they_are_pages_of_the_file_and_outlive_it(path: Path) -> None:
    if not is_on_own_disk(path):
        pytest.skip("this disk is a network's, or nobody tells")
    mapped = map_arrays(path)
    assert str(path) in Path("/proc/self/maps").read_text(encoding="utf-8")
    path.unlink()
    assert np.array_equal(mapped["a longer name"], np.arange(1000))


def test_files_that_numpy_wrote_are_read(tmp_path: Path) -> None:
    """Those of earlier versions."""
    np.savez(tmp_path / "kept.npz", **{name: array for name, array in ARRAYS.items() if " " not in name and name != "columns"})
    for name, array in map_arrays(tmp_path / "kept.npz").items():
        assert np.array_equal(array, ARRAYS[name])


@pytest.mark.parametrize("at", [200, 3000, 9000])
def test_a_byte_that_is_another_is_found(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(zipfile.BadZipFile):
        map_arrays(path)


def test_disks_of_a_network_are_told_from_those_of_the_machine(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_arrays, "_OWN_DISKS", frozenset({"nfs"}))
    assert not is_on_own_disk(path)
