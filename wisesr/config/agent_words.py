"""Words of a command that a W&B agent has started, as Hydra has them. No torch.

An agent writes each value as Python does (`create_sweep_command_args`, wandb 0.31): `head.pre_pool=None`, which is a text to
Hydra, `head={'dropout': 0.1}` for parameters that a sweep nests; with `${args_json}` all of them as one word of JSON.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def agent_words(words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The words, with `null` for None and a word for each nested value; as they are where no agent has started this."""
    if not (environment.get("WANDB_RUN_ID") and environment.get("WANDB_SWEEP_ID")):
        return list(words)
    return [own for word in words for own in _own_words(word)]


def _own_words(word: str) -> list[str]:
    if (values := _mapping(word, json.loads)) is not None:
        return list(_overrides(values))
    name, _, text = word.partition("=")
    if text == "None":
        return [f"{name}=null"]
    if (below := _mapping(text, ast.literal_eval)) is not None:
        return list(_overrides(below, f"{name}."))
    return [word]


def _mapping(text: str, read: Callable[[str], Any]) -> dict[str, Any] | None:
    """The names and values that a text holds; None where it is something else, as `{dropout: 0.1}`, which Hydra reads."""
    if not text.startswith("{"):
        return None
    try:
        values = read(text)
    except (ValueError, SyntaxError, RecursionError):
        return None
    return values if isinstance(values, dict) and values and all(isinstance(name, str) for name in values) else None


def _overrides(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """`head.dropout=0.1`, ... of nested values."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _overrides(value, f"{above}{name}.")
        else:
            yield f"{above}{name}={'null' if value is None else value}"
