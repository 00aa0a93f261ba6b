"""What averaging in windows leaves out of feature maps, and what would look at all of them: one sentence for a whole grid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wisesr.build.head_sentences import CEIL, dropped_sentence, map_of
from wisesr.build.same_heads import Dropped
from wisesr.grid.advice.maps import way_text
from wisesr.grid.advice.rows import Row
from wisesr.grid.planning.map_heads import MapHead, Way
from wisesr.wording import percent, some_of

_SHOWN = 3
"""Maps that are named beside the first: those of which most is left out."""


class _Loss(NamedTuple):
    """What heads leave out of a map."""

    place: str
    """`On the 7x7 map of resnet50 at 224 px`."""
    dropped: Dropped


def dropped_positions(rows: Sequence[Row], heads: Mapping[int, MapHead | None]) -> list[str]:
    """That heads never see the edge of their maps, and what would show it to them; nothing where they see all.

    A head that can be told to average what is left at the edge and is told not to is named. One that is made to leave it out,
    as `gap_valid`, is not, nor one that permutes positions, which does as the head does whose control it is.
    """
    losses: dict[_Loss, dict[str, None]] = defaultdict(dict)
    whole: list[Way] = []
    for row in rows:
        for member in row.asked:
            head = heads.get(id(member.config))
            dropped = head.built.dropped if head and head.built else None
            if head is None or dropped is None or not dropped.by_choice or dropped.permuted:
                continue
            losses[_Loss(map_of(member.config, head.shape), dropped)][str(member.config["head"]["name"])] = None
            whole += head.whole
    if not losses:
        return []
    (first, names), *others = losses.items()
    worst = sorted((loss for loss, _ in others if loss.place != first.place), key=lambda loss: -loss.dropped.share)
    also = [_elsewhere(loss) for loss in worst]
    more = f" (and on the {some_of(also, _SHOWN)})" if also else ""
    way = f"; {way_text(whole[0])} has nothing to drop" if whole else ""
    return [f"{first.place}, {dropped_sentence(list(names), first.dropped)}{more}. {CEIL}{way}."]


def _elsewhere(loss: _Loss) -> str:
    return f"{loss.place.removeprefix('On the ')}: {percent(loss.dropped.share, 1)} %"
