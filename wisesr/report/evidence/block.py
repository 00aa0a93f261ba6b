"""The report's section of evidence, drawn: of each image the picture and a map of either head, on one scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from wisesr.report.evidence.disagreed import DisagreedCase, DisagreedEvidence
from wisesr.report.evidence.overlay import SIDE, bar_colours, bar_numbers, image_element, overlay, picture_uri
from wisesr.report.evidence.rows import ByRun, decimal
from wisesr.report.evidence.scales import Kind, Scale, common_scale
from wisesr.report.study import Entry
from wisesr.results.explanation import Map

PIXELS = 288
"""Of a picture's side."""


class DrawnPanel(NamedTuple):
    """A head's map on the picture."""

    title: str
    """The head, and what is drawn of it."""
    drawn: Markup
    bar: Markup
    """Colours of its scale; empty where no map is drawn."""
    ticks: tuple[str, ...]
    unit: str
    line: str
    """The sum that makes the logit."""
    said: str
    """What this model predicts."""
    right: bool


class DrawnCase(NamedTuple):
    """An image."""

    id: str
    label: str
    """The true class."""
    images: Markup
    """That the panels use."""
    picture: Markup
    panels: tuple[DrawnPanel, ...]

    @property
    def size(self) -> int:
        """Letters of its markup."""
        return len(self.images) + sum(len(panel.drawn) + len(panel.bar) for panel in self.panels)


class DrawnEvidence(NamedTuple):
    """The images of one disagreement."""

    entry: Entry
    baseline: str
    seed: int
    better: tuple[DrawnCase, ...]
    worse: tuple[DrawnCase, ...]
    without_room: int
    """Images that there was no more room for."""

    @property
    def linear(self) -> bool:
        """Whether both heads have evidence everywhere."""
        return all(panel.line for case in (*self.better, *self.worse) for panel in case.panels)

    @property
    def size(self) -> int:
        """Letters of its markup."""
        return sum(case.size for case in (*self.better, *self.worse))


def draw_evidence(evidence: DisagreedEvidence, key: str, *, room: int) -> DrawnEvidence:
    """All images, best of either side first, as long as there is room.

    Args:
        evidence: of a disagreement.
        key: that begins the ids of its pictures, unlike any other's on the page.
        room: letters of markup.
    """
    sides: dict[str, list[DrawnCase]] = {"better": [], "worse": []}
    in_turn = sorted(
        ((place, side, case) for side in sides for place, case in enumerate(getattr(evidence, side))), key=lambda one: one[:2]
    )
    left_out = 0
    for place, side, case in in_turn:
        drawn = draw_case(case, f"{key}-{side}-{place}") if room > 0 else None
        room -= drawn.size if drawn else 0
        if drawn and room >= 0:
            sides[side].append(drawn)
        else:
            left_out += 1
    better, worse = (tuple(sides[side]) for side in ("better", "worse"))
    return DrawnEvidence(evidence.entry, evidence.baseline, evidence.seed, better, worse, left_out)


def draw_case(case: DisagreedCase, key: str) -> DrawnCase:
    """One image; of a head's maps the evidence, or else the attention, or else Grad-CAM; all evidence on one scale."""
    label = case.case.label
    maps = [next(_maps(by_run, label), None) for by_run in case.runs]
    common = common_scale("evidence", [one.plane for one in maps if one and one.kind == "evidence"])
    views = [by_run.explanation.view for by_run in case.runs]
    grey = [0, 0 if np.array_equal(views[0], views[1]) else 1]
    images = [image_element(picture_uri(views[0], grey=False, pixels=PIXELS), f"{key}-picture")]
    images += [image_element(picture_uri(views[at], grey=True, pixels=PIXELS), f"{key}-grey-{at}") for at in sorted(set(grey))]
    drawn = []
    for by_run, one, at in zip(case.runs, maps, grey, strict=True):
        scale = None if one is None else common if one.kind == "evidence" else common_scale(one.kind, [one.plane])
        drawn.append(_drawn(by_run, label, f'<use href="#{key}-grey-{at}"/>', one, scale))
    picture = Markup(f'<use href="#{key}-picture"/>')
    return DrawnCase(case.case.id, label, Markup("".join(images)), picture, tuple(drawn))


class _OneMap(NamedTuple):
    name: str
    kind: Kind
    plane: Map


def _maps(by_run: ByRun, label: str) -> Iterator[_OneMap]:
    """What there is, the first to be preferred."""
    maps, attention = by_run.explanation.of(label), by_run.explanation.attention
    if maps is not None and maps.evidence is not None:
        yield _OneMap("evidence", "evidence", maps.evidence)
    if attention is not None:
        yield _OneMap("weights of positions", "attention", attention.mean)
    if maps is not None and maps.grad_cam is not None:
        yield _OneMap("Grad-CAM", "grad_cam", maps.grad_cam)


def _drawn(by_run: ByRun, label: str, grey: str, one: _OneMap | None, scale: Scale | None) -> DrawnPanel:
    explanation = by_run.explanation
    maps, line = explanation.of(label), ""
    if maps is not None and maps.evidence is not None and maps.offset is not None:
        sign = "\N{MINUS SIGN}" if maps.offset < 0 else "+"
        line = f"{decimal(float(maps.evidence.sum()))} {sign} {abs(maps.offset):.4f} = logit {decimal(maps.logit)}"
    return DrawnPanel(
        title=f"{by_run.run}: {one.name if one else 'nothing, as its head is not linear'}",
        drawn=Markup(grey + (overlay(one.plane, scale, smooth=False) if one and scale else "")),
        bar=Markup(bar_colours(scale, SIDE)) if scale else Markup(""),
        ticks=tuple(bar_numbers(scale)) if scale else (),
        unit=scale.unit if scale else "",
        line=line,
        said=f"says {explanation.predicted} {100 * explanation.probability:.0f} %",
        right=explanation.predicted == label,
    )
