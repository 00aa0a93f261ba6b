"""Output that takes few letters, and locales of plain ASCII."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import TOY, train
from tests.support.images import paint
from tests.support.paths import ROOT
from wisesr.cli import main
from wisesr.encoding import begin_in_utf_8, take_any_text
from wisesr.grid.cell_process import environment
from wisesr.grid.console import make_console

NAMES = ("M\u00fcll", "\u5783\u573e", os.fsdecode(b"caf\xe9"), "plain")


def output(monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str = "strict") -> io.BytesIO:
    """What this process prints from here on, through a stream of that encoding."""
    taken = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(taken, encoding=encoding, errors=errors, write_through=True))
    return taken


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("ascii", "M?ll ?? caf? plain"),
        ("latin-1", "M\u00fcll ?? caf? plain"),
        ("cp1252", "M\u00fcll ?? caf? plain"),
        ("utf-8", "M\u00fcll \u5783\u573e caf? plain"),
    ],
)
def test_a_letter_that_the_output_lacks_is_a_question_mark(
    monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str, printed: str
) -> None:
    taken = output(monkeypatch, encoding, errors)
    take_any_text()
    print(*NAMES)
    assert taken.getvalue() == f"{printed}\n".encode(encoding)


def test_signs_of_our_own_keep_their_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = output(monkeypatch, "ascii")
    take_any_text()
    print("\N{MINUS SIGN}0.5 93.1 \N{PLUS-MINUS SIGN} 0.2")
    assert taken.getvalue() == b"-0.5 93.1 +- 0.2\n"


def test_a_console_takes_any_text_in_whatever_process(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = output(monkeypatch, "ascii")
    make_console().print("M\u00fcll")
    assert taken.getvalue() == b"M?ll\n"


def test_what_the_user_chose_for_such_letters_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = output(monkeypatch, "ascii", "xmlcharrefreplace")
    take_any_text()
    print("M\u00fcll")
    assert taken.getvalue() == b"M&#252;ll\n"


def test_output_that_is_no_stream_of_pythons_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stdout", stream)
        take_any_text()


def test_a_locale_of_plain_ascii_begins_again_in_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    monkeypatch.setattr(os, "execve", lambda *arguments: begun.append(arguments))
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    output(monkeypatch, "ascii")
    begin_in_utf_8()
    ((program, arguments, variables),) = begun
    assert (program, arguments) == (sys.executable, sys.orig_argv)
    assert (variables["PYTHONUTF8"], variables["PYTHONIOENCODING"]) == ("1", "ascii")
    monkeypatch.setenv("PYTHONUTF8", "1")  # a mode that had no effect is not tried for ever
    begin_in_utf_8()
    assert len(begun) == 1


FILES = {"open", "read_text", "write_text", "fdopen", "TextIOWrapper", "FileHandler"}
PROCESSES = {"run", "Popen", "check_output"}
NO_TEXT = {"Image", "os", "archive", "tarfile", "zipfile", "entry", "run", "self", "format"}
"""What has an `open` that gives no text."""


def without_encoding(source: str) -> list[int]:
    """Lines of calls that read or write text in the encoding of the locale."""
    lines = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        owner, _, name = ast.unparse(call.func).rpartition(".")
        words = {word.arg for word in call.keywords}
        binary = any(re.search(r"'([rwxa]\+?b|b[rwxa])'", ast.unparse(value)) for value in call.args)
        own = name.endswith("_text") and not owner  # `atomic_files.write_text`, which says UTF-8
        of_file = name in FILES and not binary and not own and not (name == "open" and owner in NO_TEXT)
        of_process = name in PROCESSES and words & {"text", "universal_newlines"}
        if (of_file or of_process) and "encoding" not in words:
            lines.append(call.lineno)
    return lines


def test_no_file_is_opened_in_the_encoding_of_the_locale() -> None:
    source = "open(a)\npath.read_text()\nrun(a, text=True)\nopen(a, 'rb')\npath.open(encoding='utf-8')\nrun(a)"
    assert without_encoding(source) == [1, 2, 3]
    for path in (ROOT / "train.py", *(ROOT / "wisesr").rglob("*.py"), *(ROOT / "hydra_plugins").rglob("*.py")):
        assert without_encoding(path.read_text(encoding="utf-8")) == [], path


def test_children_that_write_to_a_log_write_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert environment()["PYTHONIOENCODING"].startswith("utf-8")


@pytest.fixture
def umlaut(tmp_path: Path) -> Path:
    """A dataset `B\u00f6den` with the classes `na\u00efve` and `plain`."""
    root = tmp_path / "B\u00f6den"
    for label, name in enumerate(("na\u00efve", "plain")):
        for index in range(10):
            paint(root / name / f"{index}.png", label, index)
    return root


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_check_of_classes_with_such_letters(umlaut: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.chdir(umlaut.parent)
    taken = output(monkeypatch, encoding)
    assert main(["data", "check", "folder", f'dataset.root="{umlaut}"']) == 0
    text = taken.getvalue().decode(encoding)
    assert ("na?ve" if encoding == "ascii" else "na\u00efve") in text
    assert "Nothing here stops a training" in text
    assert (umlaut.parent / "outputs/checks/B\u00f6den.csv").exists()


def test_a_check_in_the_locale_c(umlaut: Path) -> None:
    """Python takes names of files for ASCII there, and would make other classes of them."""
    variables = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)}
    variables.pop("PYTHONIOENCODING", None)
    command = [sys.executable, "-m", "wisesr.cli", "data", "check", "folder", f"dataset.root={umlaut.parent / 'plain'}"]
    umlaut.rename(umlaut.parent / "plain")
    done = subprocess.run(command, cwd=umlaut.parent, env=variables, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert b"na?ve " in done.stdout
    assert done.stdout.isascii()


@pytest.mark.slow
def test_a_cell_is_the_same_under_every_locale(umlaut: Path) -> None:
    """Trained with an output of ASCII alone; found again, as done and of the same images, in the locale C."""
    arguments = ["-m", "head=gap", *TOY, "dataset=folder", f'dataset.root="{umlaut}"']
    first = train(*arguments, cwd=umlaut.parent, PYTHONIOENCODING="ascii")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "B?den-32" in first.stdout
    (record,) = umlaut.parent.glob("outputs/default/B\u00f6den-32/*/*/result.json")
    assert " on B\u00f6den, 32 px" in (record.parent / "log.txt").read_text(encoding="utf-8")
    before = record.read_bytes()
    again = train(*arguments, cwd=umlaut.parent, LC_ALL="C", PYTHONUTF8="0")
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.isascii()
    assert "have changed" not in again.stdout
    assert record.read_bytes() == before
    assert json.loads(before)["config"]["dataset"]["root"] == str(umlaut)
