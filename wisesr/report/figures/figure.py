"""What a figure is, and how figures are named."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

Spec = dict[str, Any]
"""A Vega-Lite view without `$schema` and `config`, which `style.config` has."""
Section = Literal["overview", "tries", "convergence", "cost", "kernels", "confusion", "ranks"]
_LONGEST = 100
"""Characters of a key: file names end at 255 bytes, and folders and endings are added."""


class Figure(NamedTuple):
    """A picture of a report."""

    key: str
    """Unique in the report, fit for a file's name: `intel-224-convergence-resnet50`."""
    table: str
    """Key of the table that it belongs to, or of what it shows over several: a ranking, a forest."""
    section: Section
    title: str
    caption: str
    """What is drawn and how it came about, in sentences."""
    spec: Spec
    group: str
    """Backbone and settings that it shows, as `Entry.group` has them; empty where it shows all of its table."""
    head: str
    """The head that it shows; empty where it shows several."""


def file_name(*parts: str) -> str:
    """A name for a file: lower case, letters, digits, dots, underscores and dashes."""
    plain = (re.sub(r"[^a-z0-9._]+", "-", part.lower()).strip("-.") for part in parts)
    return "-".join(part for part in plain if part)[:_LONGEST].rstrip("-.") or "figure"


def seed_list(seeds: tuple[int, ...]) -> str:
    """`seed 3`; `5 seeds (0 to 4)`; `3 seeds (0, 2, 7)`."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    consecutive = seeds == tuple(range(seeds[0], seeds[0] + len(seeds))) and len(seeds) > 2
    return f"{len(seeds)} seeds ({f'{seeds[0]} to {seeds[-1]}' if consecutive else ', '.join(map(str, seeds))})"
