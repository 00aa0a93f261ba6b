"""The choice of a backbone and a head, which all figures of the page follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wisesr.report.head_options import option_of
from wisesr.report.page.parts import PagePart
from wisesr.results.head_order import OWN, name_of

ALL = "*"
"""Value of the choice that shows all: no head has that name."""
_TOGETHER = 2
"""Heads that are shown at once at first, where no section has figures of more."""


class Selection(NamedTuple):
    """One select of the bar."""

    name: str
    """In the page's address: `backbone`."""
    word: str
    values: tuple[str, ...]
    default: str
    """One of the values, or `ALL`."""


def page_choice(parts: Iterable[PagePart], order: Sequence[str], baselines: Iterable[str]) -> tuple[Selection, ...]:
    """What the bar offers; nothing where there is nothing to choose.

    Args:
        parts: of the page.
        order: of all heads of the study.
        baselines: heads that are shown first only where there is no other.
    """
    sections = [section for part in parts for section in part.sections]
    groups = tuple(dict.fromkeys(group for section in sections for group in section.groups))
    found = {head for section in sections for head in section.heads}
    heads = tuple(head for head in order if head in found)
    few = max((len(section.heads) for section in sections), default=0) <= _TOGETHER
    selections = []
    if len(groups) > 1:
        selections.append(Selection("backbone", "Backbone", groups, groups[0]))
    if len(heads) > 1:
        selections.append(Selection("head", "Head", heads, ALL if few else _first(heads, set(baselines))))
    return tuple(selections)


def _first(heads: Sequence[str], baselines: set[str]) -> str:
    """The project's head, with its usual settings if with several, or else the first that is held against a baseline."""
    usual = [head for head in heads if option_of(head) == OWN]
    own = [head for head in heads if name_of(head) == OWN]
    return next(iter((*usual, *own, *(head for head in heads if head not in baselines), *heads)))
