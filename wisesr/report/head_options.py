"""Which option of `conf/head` a head is that stands in a study with its settings: `wise init=average` is `wise_average`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from omegaconf.errors import OmegaConfBaseException

from wisesr.config.options import load_option, options
from wisesr.errors import UserError
from wisesr.results.head_order import KNOWN, name_of

_SETTING = re.compile(r"(\S+?)=(\"(?:[^\"\\]|\\.)*\"|\S+)")
"""As `report.placement` writes a setting into a label."""


LAST_BITS = "arithmetic"
"""The setting of heads that changes how numbers are rounded and not what they are: it makes no other option of a head."""


def arithmetic_of(head: Mapping[str, Any]) -> int | None:
    """That of a head in a cell's configuration; 1 where it was trained before the setting was there, None where there is none.

    See `wisesr.models.heads.arithmetic`.
    """
    if LAST_BITS in head:
        return int(head[LAST_BITS])
    name = head.get("name")
    return 1 if name in options("head") and LAST_BITS in load_option("head", str(name)) else None


@cache
def option_of(head: str) -> str | None:
    """The option with the settings that a label tells, and else those of the head of that name; None where there is none.

    Args:
        head: a name, or a name with settings, `wise init=average`.
    """
    name = name_of(head)
    usual = _settings(name)
    if usual is None:
        return None
    try:
        told = {key: yaml.safe_load(text) for key, text in _SETTING.findall(head.partition(" ")[2])}
    except yaml.YAMLError:
        return None
    wanted = usual | {key: value for key, value in told.items() if key != LAST_BITS}
    return next((option for option in (name, *KNOWN) if _settings(option) == wanted), None)


def is_like(head: Mapping[str, Any], option: str) -> bool:
    """Whether the settings of a head, as its cell's configuration has them, are those of an option."""
    return {key: value for key, value in head.items() if key not in ("name", LAST_BITS)} == _settings(option)


@cache
def _settings(option: str) -> dict[str, Any] | None:
    try:
        return _but_last_bits(load_option("head", option)) if option in options("head") else None
    except (UserError, OSError, AssertionError, yaml.YAMLError, OmegaConfBaseException):
        return None  # a file that cannot be read names nothing


def _but_last_bits(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != LAST_BITS}
