"""Which heads of conf/head one head is, on the feature map that it is built for: one computation under several names.

No torch until heads are built, so that the sentences serve a plan, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wisesr.build.parts import build_head
from wisesr.config.options import load_option, options
from wisesr.errors import UserError
from wisesr.types import FeatureShape


class BuiltHead(NamedTuple):
    """What a head is, once it is built for a feature map."""

    computation: str
    """Equal for two heads on one backbone that are one computation."""
    names: tuple[str, ...]
    """What else it is called: `depthwise_nonneg`, `depthwise_nonneg with head.dropout=0.5`."""
    skips_average: bool
    """Whether it is made to average before its kernel, and does not on this map."""


def built_head(node: Mapping[str, Any], shape: FeatureShape, num_classes: int) -> BuiltHead | None:
    """What a head of wisesr's is on a map; None for somebody else's, and for one that cannot be built or told.

    It is built without its memory, as are those that it is held against: all of conf/head of another class, with its settings
    where they have the same keys, and those of its class as they are.
    """
    from wisesr.models.heads.wise import WiseHead

    own = _describe(node, shape, num_classes)
    if own is None:
        return None
    changes: dict[str, int] = {}
    for name in options("head"):
        option = load_option("head", name)
        of_class = option["_target_"] == node["_target_"]
        differing = {key: node[key] for key in node if key in option and key != "name" and node[key] != option[key]}
        differing.pop("_target_", None)
        if name == node["name"] or (of_class and differing) or _describe(option | differing, shape, num_classes) != own:
            continue
        settings = "".join(f" head.{key}={_text(value)}" for key, value in differing.items())
        changes[f"{name} with{settings}" if settings else name] = len(differing)
    exact = tuple(name for name, count in changes.items() if count == 0)
    names = exact or tuple(sorted(changes, key=lambda name: (changes[name], name))[:1])
    wise = node["_target_"] == f"{WiseHead.__module__}.{WiseHead.__name__}"
    return BuiltHead(hashlib.sha256(own.encode()).hexdigest()[:16], names, wise and any("depthwise" in name for name in names))


def _describe(node: Mapping[str, Any], shape: FeatureShape, num_classes: int) -> str | None:
    """The text of `describe_head`; None for a head that is not wisesr's or does not fit the map."""
    import torch

    from wisesr.models.heads.description import describe_head

    if not node["_target_"].startswith("wisesr."):
        return None
    try:
        with torch.device("meta"):  # which draws no random numbers, either
            return describe_head(build_head(node, shape, num_classes))
    except UserError:
        return None


def _text(value: object) -> str:
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def same_heads_sentence(head: str, names: Sequence[str], *, skips_average: bool) -> str:
    """`wise averages nothing before its kernel: it is depthwise_nonneg, one computation under two names`.

    Args:
        head: its name.
        names: the others, at least one.
        skips_average: as of `BuiltHead`.
    """
    others = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    number = "two" if len(names) == 1 else str(len(names) + 1)
    is_others = f"averages nothing before its kernel: it is {others}" if skips_average else f"is {others}"
    return f"{head} {is_others}, one computation under {number} names"


def map_of(config: Mapping[str, Any], shape: Sequence[int]) -> str:
    """`On the 4x4 map of resnet18 at 128 px`."""
    return f"On the {shape[1]}x{shape[2]} map of {config['backbone']['name']} at {config['resolution']['size']} px"


def head_sentences(config: Mapping[str, Any], shape: FeatureShape, num_classes: int) -> list[str]:
    """For the log of one cell: what its head is besides, and that it sees one position alone."""
    place, sentences = map_of(config, shape), []
    if tuple(shape[1:]) == (1, 1):
        sentences.append(f"{place}, no head can tell where a feature fires: there is one position")
    built = built_head(config["head"], shape, num_classes)
    if built is not None and built.names:
        named = same_heads_sentence(config["head"]["name"], built.names, skips_average=built.skips_average)
        sentences.append(f"{place}, {named}")
    return sentences
