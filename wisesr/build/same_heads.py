"""What a head is on the feature map that it is built for: under which other names it is known, and what it never sees.

No torch until heads are built. What is said of it: `head_sentences`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.build.parts import build_head
from wisesr.config.options import load_option, options
from wisesr.errors import UserError
from wisesr.types import FeatureShape

if TYPE_CHECKING:
    from wisesr.models.heads.base import Head


class Dropped(NamedTuple):
    """What lies beyond the last whole window of an average."""

    window: int
    """Its side."""
    rows: int
    columns: int
    share: float
    """Of all positions."""
    by_choice: bool
    """Whether the head can be told to average them, too."""
    permuted: bool = False
    """Whether it is of permuted positions that they are the last."""


class BuiltHead(NamedTuple):
    """What a head is, once it is built for a feature map."""

    computation: str
    """Equal for two heads on one backbone that are one computation."""
    names: tuple[str, ...]
    """What else it is called: `depthwise_nonneg`, `depthwise_nonneg with head.dropout=0.5`."""
    skips_average: bool
    """Whether it is made to average before its kernel, and does not on this map."""
    in_vain: str = ""
    """Why it is no control on this map, to follow its name; empty where it is one, and of heads that are none."""
    dropped: Dropped | None = None
    """What averaging leaves out; None where it looks at the whole map."""


def built_head(node: Mapping[str, Any], shape: FeatureShape, num_classes: int) -> BuiltHead | None:
    """What a head of wisesr's is on a map; None for somebody else's, and for one that cannot be built or told.

    It is built without its memory, as are those that it is held against: all of conf/head of another class, with its settings
    where they have the same keys, and those of its class as they are. That heads which average would be this one, if they
    averaged nothing, is not told of heads which never do.
    """
    head = _build(node, shape, num_classes)
    own = None if head is None else _text_of(head)
    if head is None or own is None:
        return None
    changes: dict[str, int] = {}
    for name in options("head"):
        option = load_option("head", name)
        of_class = option["_target_"] == node["_target_"]
        differing = {key: node[key] for key in node if key in option and key != "name" and node[key] != option[key]}
        differing.pop("_target_", None)
        if name == node["name"] or (of_class and differing) or ("pre_pool" in option and "pre_pool" not in node):
            continue
        other = _build(option | differing, shape, num_classes)
        if other is None or _text_of(other) != own:
            continue
        settings = "".join(f" head.{key}={_text(value)}" for key, value in differing.items())
        changes[f"{name} with{settings}" if settings else name] = len(differing)
    exact = tuple(name for name, count in changes.items() if count == 0)
    names = exact or tuple(sorted(changes, key=lambda name: (changes[name], name))[:1])
    return BuiltHead(
        hashlib.sha256(own.encode()).hexdigest()[:16],
        names,
        skips_average="pre_pool" in node and _is_whole(head) and any(not _averages(name) for name in names),
        in_vain=_in_vain(head) if tuple(shape[1:]) != (1, 1) else "",
        dropped=_dropped(node, head),
    )


def _is_whole(head: Head) -> bool:
    """Whether a kernel lies on the map as it is."""
    from wisesr.models.heads.depthwise import DepthwiseKernelHead

    return isinstance(head, DepthwiseKernelHead) and head.averaging.pool == 1


def _in_vain(head: Head) -> str:
    from wisesr.models.heads.gap_valid import KeptAverageHead
    from wisesr.models.heads.shuffled import ShuffledWiseHead

    if isinstance(head, ShuffledWiseHead) and head.shuffle == "once" and _is_whole(head):
        return "averages no neighbours, so that permuting them once changes nothing: it is wise, drawn anew"
    if isinstance(head, KeptAverageHead) and head.averaging.pool > 1 and head.averaging.dropped == 0:
        return "drops nothing: it is gap, but for last digits"
    return ""


def dropped_on(node: Mapping[str, Any], shape: FeatureShape) -> Dropped | None:
    """What a head of wisesr's would leave out of a map; None where it would not, and of a head that cannot be built."""
    head = _build(node, shape, 2)
    return None if head is None else _dropped(node, head)


def _dropped(node: Mapping[str, Any], head: Head) -> Dropped | None:
    averaging = getattr(head, "averaging", None)
    if averaging is None or averaging.dropped == 0:
        return None
    rows, columns = (side % averaging.pool for side in averaging.shape[1:])
    return Dropped(averaging.pool, rows, columns, averaging.dropped, "pre_pool_mode" in node, hasattr(head, "shuffle"))


def _averages(name: str) -> bool:
    """Whether a head, with what is said of its settings, is of a class that averages before what it learns."""
    return "pre_pool" in load_option("head", name.partition(" ")[0])


def _build(node: Mapping[str, Any], shape: FeatureShape, num_classes: int) -> Head | None:
    """A head without its memory; None for one that is not wisesr's or does not fit the map."""
    import torch

    if not node["_target_"].startswith("wisesr."):
        return None
    try:
        with torch.device("meta"):  # which draws no random numbers, either
            return build_head(node, shape, num_classes)
    except UserError:
        return None


def _text_of(head: Head) -> str | None:
    from wisesr.models.heads.description import describe_head

    return describe_head(head)


def _text(value: object) -> str:
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
