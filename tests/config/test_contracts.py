"""What the source of a part must look like: each broken rule in one sentence, with the line at fault and the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.configs import change
from wisesr.config import signatures
from wisesr.config.check import check

HEAD = """\
class Mine(Head):
    def __init__(self, feature_shape, num_classes, *, {setting}) -> None:
        ...
"""
SCHEDULE = """\
def falling(steps: Steps, end: float = 0.0) -> Schedule:
    ...
"""


def forget() -> None:
    signatures._read.cache_clear()
    signatures.target_settings.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of the same name, whose sources are read in place of wisesr's."""
    (tmp_path / "wisesr").mkdir()
    monkeypatch.setattr(signatures, "_PACKAGE", tmp_path / "wisesr")
    forget()
    yield tmp_path / "wisesr"
    forget()


def wrong(config: dict[str, Any], place: str, target: str, **settings: Any) -> str:
    """The one problem of a node, of whose configuration nothing else is looked at: no other target is in the package."""
    config = change(config, place, {"name": "mine", "_target_": target} | settings)
    (problem,) = [problem for problem in check(config) if problem.startswith(f"{place}:")]
    assert "\n" not in problem
    return problem


@pytest.mark.parametrize(
    ("setting", "at_fault"),
    [
        ("sharpness=1.0", "sharpness has no annotation"),
        ("start: Tensor", "start is annotated with Tensor"),
        ("start: list = []", "start is annotated with list"),
        ("start: dict[str, int] | None = None", "start is annotated with dict[str, int] | None"),
        ("start: os.remove('x') = 1", "start is annotated with os.remove('x')"),
    ],
)
def test_annotations(config: dict[str, Any], package: Path, setting: str, at_fault: str) -> None:
    (package / "mine.py").write_text(HEAD.format(setting=setting))
    problem = wrong(config, "head", "wisesr.mine.Mine")
    for words in (
        at_fault,
        "int, float, str, bool, list[...], dict[str, str], Literal[...] and None",
        "wisesr/mine.py:2",
        "docs/extending.md",
    ):
        assert words in problem


def test_a_class_needs_a_constructor_of_its_own(config: dict[str, Any], package: Path) -> None:
    (package / "mine.py").write_text("import os\n\n\nclass Mine(Head):\n    pass\n")
    problem = wrong(config, "head", "wisesr.mine.Mine")
    for words in ("Mine needs an __init__ of its own", "wisesr/mine.py:4", "docs/extending.md"):
        assert words in problem


@pytest.mark.parametrize("place", ["recipe.schedule", "recipe.optimizer"])
def test_settings_are_keyword_only(config: dict[str, Any], package: Path, place: str) -> None:
    (package / "mine.py").write_text(SCHEDULE)
    problem = wrong(config, place, "wisesr.mine.falling", end=0.1)
    for words in ("end is taken by position", "keyword-only", "wisesr/mine.py:1", "docs/extending.md"):
        assert words in problem
    (package / "mine.py").write_text(SCHEDULE.replace("end", "*, end"))
    forget()
    assert not [p for p in check(change(config, place, {"_target_": "wisesr.mine.falling", "end": 0.1})) if place in p]


def test_a_file_that_is_no_python(config: dict[str, Any], package: Path) -> None:
    (package / "mine.py").write_text("def falling(steps:\n")
    assert "wisesr/mine.py:1" in wrong(config, "recipe.schedule", "wisesr.mine.falling")
