"""What may be named as a source, and what is said of anything else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.downloads import files_of, intel_files, pack, refused
from wisesr.cli import main


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"7z\xbc\xaf\x27\x1c and so on", "is a 7z archive: unpack it"),
        (b"Rar!\x1a\x07", "is a RAR archive: unpack it"),
        (b"\x28\xb5\x2f\xfd", "is packed by zstd: unpack it"),
        (b"\n<!DOCTYPE html><html>", "is a page of the web"),
        (b"", "is empty"),
        (bytes(10_240), "is a tar without a single entry, or another file of zeros"),
        (b"hello", "is neither a zip nor a tar"),
    ],
)
def test_other_files_are_no_source(tmp_path: Path, content: bytes, words: str) -> None:
    """Each is called what it is; only what a new download may mend is told to be downloaded again."""
    (tmp_path / "download.zip").write_bytes(content)
    message = refused(tmp_path / "download.zip", f"download.zip {words}", "--from takes a zip, a tar (")
    assert "again" not in message and "damaged" not in message


def test_an_address_is_no_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "prepare", "intel", "--from", "https://x.org/a.zip", "--to", str(tmp_path / "intel")]) == 1
    printed = capsys.readouterr().err
    assert "on this machine, or kaggle: there is no https://x.org/a.zip" in printed and "left behind" not in printed
    assert main(["data", "prepare", "digits", "--from", "x"]) == 1
    assert "There are: intel, mit_indoor, sub_imagenet" in capsys.readouterr().err


def test_from_kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["data", "prepare", "intel", "--from", "kaggle", "--to", str(tmp_path / "intel"), "--partial"]
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert main(command) == 1
    assert "needs a package: pip install 'wisesr[kaggle]'" in capsys.readouterr().err
    asked: list[str] = []

    def broken(handle: str) -> str:
        raise ConnectionError("no\n way  to the server")

    def fake(handle: str) -> str:
        asked.append(handle)
        return str(pack(intel_files(), tmp_path / "cache" / "versions" / "2", "folder"))

    hub = ModuleType("kagglehub")
    monkeypatch.setitem(sys.modules, "kagglehub", hub)
    monkeypatch.setattr(hub, "dataset_download", broken, raising=False)
    assert main(command) == 1
    assert "could not download puneet6060/intel-image-classification: no way to the server. A login" in capsys.readouterr().err
    monkeypatch.setattr(hub, "dataset_download", fake)
    assert main(command) == 0
    assert asked == ["puneet6060/intel-image-classification"]
    assert files_of(tmp_path / "intel") == intel_files()
    assert json.loads((tmp_path / "intel" / ".wisesr.json").read_text())["source"]["name"] == f"kaggle:{asked[0]}"
