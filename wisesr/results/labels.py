"""What a cell is called wherever it is shown, parsed once out of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from wisesr.errors import UserError
from wisesr.results.checks import Check, is_count, is_group, is_protocol, is_size, is_text, problem
from wisesr.results.fields import Key, checks_of, make


@dataclass(frozen=True)
class Labels:
    """The names and numbers of a cell that tables and messages show."""

    dataset: Annotated[str, is_text, Key("dataset.name")]
    backbone: Annotated[str, is_text, Key("backbone.name")]
    head: Annotated[str, is_text, Key("head.name")]
    study: Annotated[str, is_text]
    size: Annotated[int, is_size, Key("resolution.size")]
    """Pixels, height and width."""
    epochs: Annotated[int, is_count, Key("recipe.epochs")]
    """Planned."""
    protocol: Annotated[str, is_protocol]
    """holdout or paper."""
    seed: Annotated[int, is_count]


_CHECKS: dict[str, Check] = dict(checks_of(Labels)) | dict.fromkeys(("recipe", "augment", "trainer"), is_group)


def parse_labels(config: Mapping[str, Any]) -> Labels:
    """The labels of a cell from its configuration, as `config.yaml` or a record holds it.

    Raises:
        UserError: one of them is absent or cannot be; the text names the file and the key.
    """
    if wrong := problem(config, _CHECKS):
        raise UserError(f"config.yaml: {wrong}")
    return make(Labels, config)
