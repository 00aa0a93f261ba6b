"""What keys may hold, found by their schema and signatures, and by nothing that has to be kept up by hand."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import wisesr
from wisesr.config.key_kinds import is_choice, is_path_key, is_switch, is_text_only, kinds, may_be, takes_text
from wisesr.config.options import GROUPS, load_option, options
from wisesr.config.schema import SCHEMAS
from wisesr.config.typed_values import holds_path


def described(target: str) -> dict[str, str]:
    """What a target's docstring says of each of its arguments."""
    module, _, name = target.rpartition(".")
    path = Path(wisesr.__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py")
    node = next(item for item in ast.walk(ast.parse(path.read_text())) if getattr(item, "name", "") == name)
    text = ast.get_docstring(node) or ""  # type: ignore[arg-type]
    lines = text.partition("Args:")[2].partition("Raises:")[0]
    return {found[1]: " ".join(found[2].split()) for found in re.finditer(r"(?ms)^    (\w+): (.*?)(?=^    \w|\Z)", lines)}


def test_every_setting_that_is_told_to_be_a_path_is_named_as_one() -> None:
    targets = {
        f"{group}.{key}": text
        for group in GROUPS
        for name in options(group)
        if isinstance(target := load_option(group, name).get("_target_"), str)
        for key, text in described(target).items()
        if takes_text(f"{group}.{key}")
        and re.match(r"(the|a|below|name of the) .*\b(folder|file|path)\b", text.partition(".")[0])
    }
    assert {"dataset.root", "dataset.csv", "dataset.file", "dataset.train"} <= set(targets)
    assert [key for key in targets if not is_path_key(key)] == []


def test_fixed_keys_of_the_schema_are_told_apart() -> None:
    texts = [
        key
        for group, schema in SCHEMAS.items()
        for name in schema.__annotations__
        if takes_text(key := f"{group}.{name}".lstrip("."))
    ]
    assert {key for key in texts if is_path_key(key)} == {"output_dir", "dataset.cache_dir"}
    assert "study" in texts


@pytest.mark.parametrize(
    ("key", "text", "path"),
    [
        ("dataset.root", "p,q", True),
        ("output_dir", "a", True),
        ("backbone.weights", "w.pth", True),
        ("study", "a,b", False),
        ("backbone.model", "a,b", False),
        ("seed", "/0", False),
        ("head", "/gap", False),
        ("mine.own.place", "/a,b", True),
        ("mine.own.place", "a,b", False),
    ],
)
def test_where_a_path_may_stand(key: str, text: str, path: bool) -> None:
    assert holds_path(key, text) == path


def test_kinds() -> None:
    assert is_switch("grid.plan") and is_switch("trainer.compile") and not is_switch("seed") and not is_switch("mine.own")
    assert is_text_only("study") and is_text_only("dataset.root") and not is_text_only("trainer.max_time")
    assert may_be("recipe.patience", None) and not may_be("recipe.epochs", None) and may_be("mine.own", None)
    assert (
        may_be("dataset.leave_out", ["a"]) and not may_be("recipe.optimizer.lr", [0.1]) and may_be("recipe.optimizer.lr", 0.1)
    )
    assert kinds("mine.own") == () == kinds("hydra.sweep.dir")
    assert all(map(is_choice, ("head", "experiment", "hydra/launcher", "+experiment"))) and not is_choice("head.dropout")
