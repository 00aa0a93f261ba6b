"""What feature maps make of heads: two that are one computation, controls of nothing, none that can tell a place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wisesr.build.head_sentences import map_of, same_heads_sentence
from wisesr.config.axes import setting_text
from wisesr.config.schema import Config
from wisesr.grid.advice.costs import times
from wisesr.grid.advice.rows import Member, Row
from wisesr.grid.planning.map_heads import MapHead, Way
from wisesr.wording import count_of, percent, some_of

Heads = Mapping[int, MapHead | None]
"""By id of a cell's configuration."""
_SHOWN = 3
"""Maps that are named."""


class _Finding(NamedTuple):
    """What is to be said of the heads of one row on their map."""

    place: str
    text: str
    """What follows the place."""
    ways: tuple[Way, ...]
    fewer: int
    """Cells that compute what others compute."""


def maps(rows: Sequence[Row], heads: Heads) -> list[str]:
    """A sentence for each kind of finding, with the maps where it holds, and what would change it."""
    kinds: dict[str, list[_Finding]] = defaultdict(list)
    for row in rows:
        if finding := _finding(row, heads):
            kinds[finding.text].append(finding)
    return [_sentence(text, found) for text, found in kinds.items()]


def _sentence(text: str, found: Sequence[_Finding]) -> str:
    places = list(dict.fromkeys(finding.place for finding in found))
    others = [place.removeprefix("On the ") for place in places[1:]]
    also = f" (and on the {some_of(others, _SHOWN)})" if others else ""
    fewer = sum(finding.fewer for finding in found)
    saved = f"; {count_of(fewer, 'cell')} fewer without the other" if fewer else ""
    ways = next((finding.ways for finding in found if finding.ways), ())
    settings = [way_text(way) for way in ways]
    change = f" Not so with {' or '.join(settings)}." if settings else ""
    return f"{places[0]}, {text}{also}{saved}.{change}"


def _finding(row: Row, heads: Heads) -> _Finding | None:
    """Of one row: a map of one position, heads that are one computation, `wise` without an average."""
    built = {member.head: (member, head) for member in row.asked if (head := heads.get(id(member.config))) is not None}
    if not built:
        return None
    groups: dict[str, list[tuple[Member, MapHead]]] = defaultdict(list)
    for member, head in built.values():
        groups[head.built.computation if head.built else member.head].append((member, head))
    first, shape = row.asked[0], next(iter(built.values()))[1].shape
    alone = ["no head can tell where a feature fires: there is one position"] * (shape[1:] == (1, 1))
    same = [(text, group) for group in groups.values() if (text := _same(group))]
    vain = [
        f"{member.config['head']['name']} {head.built.in_vain}"
        for member, head in built.values()
        if head.built and head.built.in_vain
    ]
    if not alone and not same and not vain:
        return None
    ways = max(
        (head.ways for _, head in built.values()), key=lambda own: bool(own) * max((way.times for way in own), default=0)
    )
    fewer = sum(len({one.run for one in row.asked if one.head == other.head}) for _, group in same for other, _ in group[1:])
    return _Finding(map_of(first.config, shape), "; ".join([*alone, *(text for text, _ in same), *vain]), ways, fewer)


def way_text(way: Way) -> str:
    """`resolution.size=256 (8x8, 1.3 times the work)`."""
    drops = f", {percent(way.dropped, 1)} % of it dropped" if way.dropped else ""
    return f"{way.setting} ({way.extent[0]}x{way.extent[1]}{drops}, {times(way.times)} the work)"


def _same(group: list[tuple[Member, MapHead]]) -> str:
    """That heads are one computation, the one that is made to average before the others; empty where nothing is to be said."""
    group.sort(key=lambda pair: not (pair[1].built and pair[1].built.skips_average))
    built = group[0][1].built
    if built is None or (len(group) == 1 and not built.skips_average):
        return ""
    labels = _labels([member.config for member, _ in group])
    skips = built.skips_average and not _one_name(group)
    return same_heads_sentence(labels[0], labels[1:] or built.names, skips_average=skips)


def _one_name(group: Sequence[tuple[Member, MapHead]]) -> bool:
    """Whether several heads have one name, so that their settings tell them apart."""
    return len(group) > 1 and len({member.config["head"]["name"] for member, _ in group}) == 1


def _labels(configs: Sequence[Config]) -> list[str]:
    """Their names; with the settings that tell them apart, where two have the same."""
    nodes = [config["head"] for config in configs]
    names = [str(node["name"]) for node in nodes]
    if len(set(names)) == len(names):
        return names
    keys = [key for key in nodes[0] if len({repr(node.get(key)) for node in nodes}) > 1 and key != "name"]
    return [
        f"{name} with {' '.join(setting_text(f'head.{key}', node[key]) for key in keys if key in node)}"
        for name, node in zip(names, nodes, strict=True)
    ]
