"""What a key of the configuration may hold, by the schema and by the signatures of all options that have it. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from wisesr.config.options import GROUPS, load_option, options
from wisesr.config.schema import GridSchema, fixed_settings
from wisesr.config.setting_types import fits, schema_settings
from wisesr.config.signatures import target_settings
from wisesr.errors import UserError

_OF_A_PATH = re.compile(r"(?:^|[._])(?:root|dir|folder|path|file|csv|weights|source|train|val|test)$")
"""How a key ends that holds a path, or a name of the hub in its place; a test holds all settings to it."""


def is_choice(key: str) -> bool:
    """Whether a key chooses options of a group: `head`, `experiment`, `hydra/launcher`, `+experiment`."""
    return key.lstrip("+~") in (*GROUPS, "experiment") or "/" in key or "@" in key


def is_path_key(key: str) -> bool:
    """Whether a key is called as those that hold a path, by the end of its name: `dataset.root`, `output_dir`."""
    return _OF_A_PATH.search(key) is not None


@cache
def kinds(key: str) -> tuple[Any, ...]:
    """The annotations that a key has; none of one that only code of somebody else may know, or nobody."""
    *nodes, name = key.lstrip("+~").split(".")
    node = ".".join(nodes)
    fixed = schema_settings(GridSchema) if node == "grid" else fixed_settings(node)
    found = [fixed[name].annotation] if name in fixed else []
    return tuple(found + [kind for kind in _of_options(nodes, name) if kind not in found])


def _of_options(nodes: list[str], name: str) -> Iterator[Any]:
    """What the targets of a group's options say of a key below them."""
    group = nodes[0] if nodes else ""
    for option in options(group) if group in GROUPS else ():
        try:
            node: object = load_option(group, option)
            for part in nodes[1:]:
                node = node.get(part) if isinstance(node, dict) else None
            target = node.get("_target_") if isinstance(node, dict) else None
            settings = target_settings(target) if isinstance(target, str) and target.startswith("wisesr.") else {}
        except UserError:  # a file that is being edited: who chooses it is told
            continue
        if name in settings:
            yield settings[name].annotation


def may_be(key: str, value: object) -> bool:
    """Whether a key may hold a value: true too of a key that nobody knows."""
    found = kinds(key)
    return not found or any(_fits(value, kind) for kind in found)


def is_text_only(key: str) -> bool:
    """Whether a key is known to hold a text, and neither a number nor true or false."""
    return bool(kinds(key)) and takes_text(key) and not any(may_be(key, value) for value in (1, 0.5, True))


def takes_text(key: str) -> bool:
    """Whether a key may hold any text, and not only one of some words."""
    return may_be(key, "any text, for instance this")


def is_switch(key: str) -> bool:
    """Whether a key is known to be true or false."""
    return bool(kinds(key)) and may_be(key, True)


def _fits(value: object, kind: Any) -> bool:
    try:
        return fits(value, kind)
    except TypeError:  # an annotation of another form holds what it likes
        return True
