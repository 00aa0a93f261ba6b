"""Every example of docs/extending.md and docs/extending/: files written, command composed, checked and run to a record."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.paths import ROOT
from wisesr.cell.run import DONE, run
from wisesr.config.check import check
from wisesr.config.compose import compose_cell
from wisesr.config.files import to_yaml
from wisesr.results.record_file import read_record

_BLOCK = re.compile(r"```(python|yaml|)\n(.*?)```", re.DOTALL)
_PLAN = " grid.plan=true"
_PAGES = {"extending", "head", "backbone", "dataset", "training", "augmentation", "logger"}
_TOY = {
    "backbone": ("backbone=timm", "backbone.model=test_resnet"),
    "recipe": ("recipe.epochs=1",),
    "resolution": ("resolution.size=64",),
    "logger": ("logger=none",),
    "trainer": ("trainer=cpu", "trainer.threads=1"),
}


class Example(NamedTuple):
    """A command of a page, with the files that the page has shown until then."""

    page: str
    files: dict[str, str]
    command: str

    def __str__(self) -> str:
        return f"{self.page}: {self.command}"


def examples() -> list[Example]:
    """One for each command but those that only plan what another one runs."""
    found = []
    for page in (ROOT / "docs" / "extending.md", *sorted((ROOT / "docs" / "extending").glob("*.md"))):
        files: dict[str, str] = {}
        for kind, content in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind:
                name = re.match(r"# (\S+)\n", content)
                assert name, f"{page}: a file starts with its name: {content[:40]!r}"
                files[name[1]] = content
            else:
                commands = [line for line in content.splitlines() if line.startswith("python train.py")]
                found += [Example(page.stem, dict(files), command) for command in commands]
    trained = {example.command for example in found}
    return [
        example for example in found if example.command.removesuffix(_PLAN) == example.command or _own(example) not in trained
    ]


def _own(example: Example) -> str:
    return example.command.removesuffix(_PLAN)


EXAMPLES = examples()


def test_every_part_has_one() -> None:
    named = " ".join(f"{example.command} {' '.join(example.files)}" for example in EXAMPLES)
    assert {example.page for example in EXAMPLES} >= _PAGES
    assert all(group in named for group in ("head=", "backbone=", "dataset=", "recipe=", "augment=", "logger="))
    assert all(example.files for example in EXAMPLES)
    for page in (ROOT / "docs" / "extending").glob("*.md"):
        every = {name for example in EXAMPLES if example.page == page.stem for name in example.files}
        shown = re.findall(r"^```(?:python|yaml)\n# (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert [name for name in shown if name not in every and not name.startswith("test_")] == [], (
            "files that no command uses"
        )


def test_the_test_of_a_head_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = _BLOCK.findall((ROOT / "docs" / "extending" / "head.md").read_text(encoding="utf-8"))
    files = {content.split("\n", 1)[0].removeprefix("# "): content for kind, content in blocks if kind == "python"}
    for name in ("rows_head.py", "test_rows_head.py"):
        (tmp_path / name).write_text(files[name])
    monkeypatch.syspath_prepend(tmp_path)
    try:
        importlib.import_module("test_rows_head").test_evidence_and_limit()
    finally:
        for name in ("rows_head", "test_rows_head"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_it_trains(example: Example, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last value of each axis: the part that the page adds."""
    for name, content in example.files.items():
        assert len(content.splitlines()) <= 40, f"{name} is no example of a few lines any more"
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    try:
        overrides = _overrides(example.command, images)
        config = compose_cell(overrides, config_dir=tmp_path / "my_conf")
        config["output_dir"] = str(tmp_path / "outputs")
        assert check(config) == []
        cell = tmp_path / "cell"
        cell.mkdir()
        (cell / "config.yaml").write_text(to_yaml({key: value for key, value in config.items() if key != "grid"}))
        assert run(cell) == DONE, (cell / "status.json").read_text()
        assert read_record(cell)
        if "logger=last_word" in example.command:
            assert "test_resnet gap seed 0" in (cell / "last_word.txt").read_text()
    finally:
        for name in set(sys.modules) - before:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
                del sys.modules[name]


def _overrides(command: str, images: Path) -> list[str]:
    words = shlex.split(command)[2:]
    assert words[:2] == ["--config-dir", "my_conf"]
    own = [f"{word.partition('=')[0]}={word.partition('=')[2].split(',')[-1]}" for word in words[2:] if word != "-m"]
    groups = {word.partition("=")[0].partition(".")[0] for word in own}
    toy = [word for group, more in _TOY.items() if group not in groups for word in more]
    data = [] if "dataset" in groups else ["dataset=folder", f"dataset.root={images}"]
    return [*data, *toy, *own]
