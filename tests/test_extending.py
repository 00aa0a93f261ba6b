"""Every example of docs/extending.md: its files written, its command composed, checked and run to a record."""

from __future__ import annotations

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
_TOY = {
    "backbone": ("backbone=timm", "backbone.model=test_resnet"),
    "recipe": ("recipe.epochs=1",),
    "resolution": ("resolution.size=64",),
    "logger": ("logger=none",),
    "trainer": ("trainer=cpu", "trainer.threads=1"),
}


class Example(NamedTuple):
    """A section: the files that it shows, and its command."""

    title: str
    files: dict[str, str]
    commands: tuple[str, ...]


def examples() -> list[Example]:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    found = []
    for title, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        files, commands = {}, []
        for kind, content in _BLOCK.findall(body):
            if kind:
                name = re.match(r"# (\S+)\n", content)
                assert name, f"{title}: a file starts with its name: {content[:40]!r}"
                files[name[1]] = content
            else:
                commands += [line for line in content.splitlines() if line.startswith("python train.py")]
        found.append(Example(title, files, tuple(commands)))
    return found


EXAMPLES = examples()


def test_every_part_has_one() -> None:
    titles = " ".join(example.title.lower() for example in EXAMPLES)
    for part in (
        "variant",
        "head",
        "backbone",
        "dataset",
        "recipe",
        "optimizer",
        "schedule",
        "augmentation",
        "logger",
        "torch",
    ):
        assert part in titles
    assert all(example.commands and example.files for example in EXAMPLES)


@pytest.mark.parametrize(
    ("example", "command"),
    [(example, command) for example in EXAMPLES for command in example.commands],
    ids=lambda value: value.title if isinstance(value, Example) else "",
)
def test_it_trains(example: Example, command: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last value of each axis: the part that the section adds."""
    for name, content in example.files.items():
        assert len(content.splitlines()) <= 30, f"{name} is no example of a few lines any more"
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    try:
        overrides = _overrides(command, images)
        config = compose_cell(overrides, config_dir=tmp_path / "my_conf")
        config["output_dir"] = str(tmp_path / "outputs")
        assert check(config) == []
        cell = tmp_path / "cell"
        cell.mkdir()
        (cell / "config.yaml").write_text(to_yaml({key: value for key, value in config.items() if key != "grid"}))
        assert run(cell) == DONE, (cell / "status.json").read_text()
        assert read_record(cell)
        if "last_word.py" in example.files:
            assert "test_resnet-gap" in (cell / "last_word.txt").read_text()
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
