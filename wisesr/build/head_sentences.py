"""What is said of a head on its feature map, in a plan and in a cell's log. No torch until heads are built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.build.same_heads import Dropped, built_head
from wisesr.types import FeatureShape
from wisesr.wording import percent

CEIL = "head.pre_pool_mode=ceil averages them too"


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


def dropped_sentence(heads: Sequence[str], dropped: Dropped) -> str:
    """`wise and flatten average 2x2 windows and never see the last row and column, 26.5 % of the positions, as in the paper`.

    Args:
        heads: their names, at least one, that average in the same windows.
        dropped: what they leave out.
    """
    several, window = len(heads) > 1, dropped.window
    names = f"{', '.join(heads[:-1])} and {heads[-1]}" if several else heads[0]
    verbs = ("average", "see") if several else ("averages", "sees")
    paper = ", as in the paper" if dropped.by_choice else ""
    share = f"{percent(dropped.share, 1)} % of"
    if dropped.permuted:
        return f"{names} {verbs[0]} {window}x{window} windows of permuted positions and never {verbs[1]} {share} them"
    lost = f"{_edge(dropped.rows, dropped.columns)}, {share} the positions"
    return f"{names} {verbs[0]} {window}x{window} windows and never {verbs[1]} {lost}{paper}"


def _edge(rows: int, columns: int) -> str:
    """`the last row and column`, `the last 2 rows and columns`, `the last row and 2 columns`."""
    if rows == columns:
        return "the last row and column" if rows == 1 else f"the last {rows} rows and columns"
    counts = ((rows, "row"), (columns, "column"))
    return "the last " + " and ".join(noun if count == 1 else f"{count} {noun}s" for count, noun in counts if count)


def map_of(config: Mapping[str, Any], shape: Sequence[int]) -> str:
    """`On the 4x4 map of resnet18 at 128 px`."""
    return f"On the {shape[1]}x{shape[2]} map of {config['backbone']['name']} at {config['resolution']['size']} px"


def head_sentences(config: Mapping[str, Any], shape: FeatureShape, num_classes: int) -> list[str]:
    """For the log of one cell: what its head is besides, what it never sees, and that it sees one position alone."""
    place, sentences = map_of(config, shape), []
    if tuple(shape[1:]) == (1, 1):
        sentences.append(f"{place}, no head can tell where a feature fires: there is one position")
    built, name = built_head(config["head"], shape, num_classes), config["head"]["name"]
    if built is None:
        return sentences
    if built.names:
        sentences.append(f"{place}, {same_heads_sentence(name, built.names, skips_average=built.skips_average)}")
    if built.in_vain:
        sentences.append(f"{place}, {name} {built.in_vain}")
    if built.dropped is not None:
        way_out = f"; {CEIL}" if built.dropped.by_choice else ""
        sentences.append(f"{place}, {dropped_sentence([name], built.dropped)}{way_out}")
    return sentences
