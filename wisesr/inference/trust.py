"""What a saved configuration may name: parts of wisesr's own. Anything else is imported, and thereby run, only when trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.config.signatures import makes
from wisesr.errors import UserError

_ROOMS = {"backbone": "wisesr.models.", "head": "wisesr.models.heads.", "augment": "wisesr.data.", "dataset": "wisesr.data."}
"""Where the parts of each group lie: a function elsewhere in the package may well do something other than build one."""
_MADE = {"backbone": "class", "head": "class", "augment": "class", "dataset": "Manifest"}
"""What a part of each group is: a class, or a function that says it returns this. Others there would only be called."""


def require_trusted(config: Mapping[str, Any], groups: Sequence[str], *, trust: bool, where: str) -> None:
    """Refuse a configuration that names code outside the rooms of wisesr's parts.

    Args:
        config: of a cell.
        groups: those that will be built.
        trust: whether other people's code may be imported; what is wisesr's is held to its room all the same.
        where: the file, for messages.

    Raises:
        UserError: a `_target_` that is not to be trusted, or none.
    """
    for group in groups:
        node = config.get(group)
        target = node.get("_target_") if isinstance(node, Mapping) else None
        if not isinstance(target, str):
            raise UserError(f"{where}: {group} has no _target_")
        if target.startswith("wisesr."):
            if not target.startswith(_ROOMS[group]) or makes(target) != _MADE[group]:  # read from the file's text
                raise UserError(f"{where}: {group}._target_ is {target}, no {group} of wisesr's; nothing of it was run")
        elif not trust:
            raise UserError(
                f"{where}: {group}._target_ is {target}, which is not wisesr's: loading this run would run that code. "
                "If you know it, --trust (in Python trust=True)"
            )
