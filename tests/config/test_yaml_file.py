"""What is no YAML, or not what was meant: each with its line, and with a line that mends it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from wisesr.config.options import conf_dir
from wisesr.config.yaml_file import read_yaml
from wisesr.errors import UserError

MENDED = {
    "a tab": ("recipe:\n\tepochs: 3\n", 2, {"recipe": {"epochs": 3}}),
    "a tab within blanks": ("recipe:\n  optimizer:\n  \tlr: 3\n", 3, {"recipe": {"optimizer": {"lr": 3}}}),
    "a tab behind a colon": ("seed:\t3\n", 1, {"seed": 3}),
    "no blank behind a colon": ("seed: 1\nstudy:mine\nhead: a\n", 2, {"seed": 1, "study": "mine", "head": "a"}),
    "no blank, last line": ("recipe:\n  epochs: 3\n  batch_size:4\n", 3, {"recipe": {"epochs": 3, "batch_size": 4}}),
    "no blank, alone": ("study:mine\n", 1, {"study": "mine"}),
    "an equals sign": ("seed: 1\nstudy = mine\nhead: a\n", 2, {"seed": 1, "study": "mine", "head": "a"}),
    "no colon": ("seed: 1\nstudy mine\nhead: a\n", 2, {"seed": 1, "study": "mine", "head": "a"}),
    "no colon at first": ("study mine\nseed: 1\n", 1, {"study": "mine", "seed": 1}),
    "an open bracket": ("defaults: [a, b   # two\nseed: 3\n", 1, {"defaults": ["a", "b"], "seed": 3}),
    "an open brace": ("params: {a: 1\nseed: 3\n", 1, {"params": {"a": 1}, "seed": 3}),
    "an open quote": ('study: "mine\nseed: 3\n', 1, {"study": "mine", "seed": 3}),
    "an apostrophe": ("seed: 1\nstudy: 'it's'\n", 2, {"seed": 1, "study": "it's"}),
    "a backslash": ('root: "C:\\x"\n', 1, {"root": "C:\\x"}),
    "a percent sign": ("study: %a\n", 1, {"study": "%a"}),
    "an at sign": ("study: @a   # mine\n", 1, {"study": "@a"}),
    "a back quote": ("study: `a`\n", 1, {"study": "`a`"}),
    "a star": ("dataset:\n  root: *.png\n", 2, {"dataset": {"root": "*.png"}}),
    "an exclamation mark": ("study: !new\n", 1, {"study": "!new"}),
    "a second colon": ("study: a: b\n", 1, {"study": "a: b"}),
    "override with a colon": ("defaults:\n  - override: /head: gap\n", 2, {"defaults": [{"override /head": "gap"}]}),
    "too deep": ("recipe:\n  epochs: 3\n   batch_size: 4\n", 3, {"recipe": {"epochs": 3, "batch_size": 4}}),
    "between two depths": ("a:\n    b: 1\n   c: 2\n", 3, {"a": {"b": 1, "c": 2}}),
    "a character": ("study: mi\0ne\n", 1, {"study": "mine"}),
    "blanks of a page": ("recipe:\n  epochs:\u00a07\n", 2, {"recipe": {"epochs": 7}}),
    "indented by blanks of a page": ("recipe:\n\u00a0\u00a0epochs: 7\n", 2, {"recipe": {"epochs": 7}}),
}


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as error:
        read_yaml(path)
    return str(error.value)


@pytest.mark.parametrize(("text", "line", "meant"), MENDED.values(), ids=MENDED)
def test_the_line_that_is_to_be_written_is_the_remedy(
    text: str, line: int, meant: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(text)
    said = refusal(Path("mine.yaml"))
    assert said.startswith(f"mine.yaml:{line}: `"), said
    assert "\n" not in said and "\t" not in said and "\0" not in said
    written = re.search(r"write `(.*)`$", said)
    assert written is not None, said
    lines = text.splitlines()
    lines[line - 1] = written[1]
    Path("mine.yaml").write_text("\n".join(lines) + "\n")
    read_yaml(Path("mine.yaml"))
    assert yaml.safe_load(Path("mine.yaml").read_text()) == meant


SAID = {
    "a key twice": (
        "recipe:\n  epochs: 3\n  epochs: 4\n",
        "mine.yaml:3: `epochs: 4`: epochs stands in line 2 already: leave one",
    ),
    "a node twice": ("a:\n  b: 1\nc: 2\na:\n  d: 1\n", "mine.yaml:4: `a:`: a stands in line 1 already: put what is below both"),
    "a number twice": ("1: a\n2: b\n1: c\n", "mine.yaml:3: `1: c`: 1 stands in line 1 already"),
    "twice in braces": ("a: {b: 1, c: 2, b: 3}\n", "mine.yaml:1: `a: {b: 1, c: 2, b: 3}`: b stands in line 1 already"),
    "twice below a list": ("a:\n- b: 1\n  b: 2\n", "mine.yaml:3: `b: 2`: b stands in line 2 already"),
    "two documents": ("a: 1\n---\nb: 2\n", "mine.yaml:2: `---`: begins a second document"),
    "a list": ("- head: gap\n", "mine.yaml:1: `- head: gap`: a file holds keys with values, and this begins a list"),
    "a number": ("160\n", "mine.yaml:1: `160`: a file holds keys with values"),
    "a list beside keys": ("a: 1\n- b\n", "mine.yaml:2: `- b`: an entry of a list stands where a key must"),
    "a list behind a key": ("a: - b\n", "mine.yaml:1: `a: - b`: a list begins in a line of its own"),
    "a key in braces": ("study: {{name}}\n", "mine.yaml:1: `study: {{name}}`: a key must be a word"),
    "quotes that are letters": ("study: \u201cmine\u201d\n", "write 'mine'"),
    "an alias of nothing": ("a: *b\n", "mine.yaml:1: `a: *b`: * at the beginning of a value"),
    "a node that holds itself": ("a: &x {b: *x}\n", "mine.yaml cannot be read"),
}


@pytest.mark.parametrize(("text", "said"), SAID.values(), ids=SAID)
def test_what_is_no_configuration_is_told_with_its_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(text)
    assert said in refusal(Path("mine.yaml"))


@pytest.mark.parametrize("data", [b"# f\xfcr alle\nseed: 1\n", b"seed: 1\nstudy: caf\xe9\n"])
def test_bytes_that_are_no_utf_8(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(data)
    said = refusal(tmp_path / "mine.yaml")
    line = 1 if b"alle" in data else 2
    assert said.startswith(f"{tmp_path}/mine.yaml:{line}: `{data.splitlines()[line - 1].decode('latin-1')}`: is not in UTF-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_texts_of_other_editors_say_the_same(encoding: str, end: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding.endswith("e") else ""
    (tmp_path / "mine.yaml").write_bytes((mark + f"study: für{end}recipe:{end}  lr: 1e-3{end}").encode(encoding))
    assert read_yaml(tmp_path / "mine.yaml").config == {"study": "für", "recipe": {"lr": 0.001}}


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.yaml").mkdir()
    assert refusal(tmp_path / "own.yaml") == f"{tmp_path}/own.yaml cannot be read: Is a directory"

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert refusal(tmp_path / "mine.yaml") == f"{tmp_path}/mine.yaml cannot be read: Permission denied"


@pytest.mark.parametrize("path", sorted(conf_dir().rglob("*.yaml")), ids=str)
def test_every_file_of_the_project_is_read_as_omegaconf_reads_it(path: Path) -> None:
    assert read_yaml(path).config == OmegaConf.load(path)


def test_the_parser_without_libyaml_stops_at_the_same_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.config.yaml_file._LOADER", yaml.SafeLoader)
    for number, (text, line, _) in enumerate(MENDED.values()):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        assert refusal(path).startswith(f"{path}:{line}: `"), text
