"""The report's section of evidence, drawn: of each image the picture and a map of either head, on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from wisesr.report.evidence.disagreed import DisagreedCase, DisagreedEvidence
from wisesr.report.evidence.overlay import colour_bar, image_element, overlay, picture_uri
from wisesr.report.evidence.rows import ByRun, Panel, decimal
from wisesr.report.evidence.scales import Kind, Scale, common_scale
from wisesr.report.study import Entry

BAR = 260
"""Width of a colour bar, px."""
_PIXELS = 288
"""Of a picture's side."""


class DrawnPanel(NamedTuple):
    """A head's map on the picture."""

    title: str
    """The head, and what is drawn of it."""
    drawn: Markup
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
    bars: tuple[tuple[str, Markup], ...]
    """Units and their colours."""

    @property
    def size(self) -> int:
        """Letters of its markup."""
        return len(self.images) + sum(len(panel.drawn) for panel in self.panels) + sum(len(bar) for _, bar in self.bars)


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
    """One image; what is there of the maps is the evidence, or else the attention, or else Grad-CAM."""
    panels = [_panel(by_run, case.case.label) for by_run in case.runs]
    scales: Mapping[Kind, Scale] = {
        kind: scale
        for kind in dict.fromkeys(panel.kind for panel in panels if panel)
        if (scale := common_scale(kind, [panel.plane for panel in panels if panel and panel.kind == kind]))
    }
    views = [by_run.explanation.view for by_run in case.runs]
    grey = [0, 0 if np.array_equal(*views) else 1]
    images = [image_element(picture_uri(views[0], grey=False, pixels=_PIXELS), f"{key}-picture")]
    images += [image_element(picture_uri(views[at], grey=True, pixels=_PIXELS), f"{key}-grey-{at}") for at in sorted(set(grey))]
    drawn = tuple(
        _drawn(by_run, panel, scales, f'<use href="#{key}-grey-{grey[at]}"/>', case.case.label)
        for at, (by_run, panel) in enumerate(zip(case.runs, panels, strict=True))
    )
    bars = tuple((scale.unit, Markup(colour_bar(scale, BAR))) for scale in scales.values())
    picture = Markup(f'<use href="#{key}-picture"/>')
    return DrawnCase(case.case.id, case.case.label, Markup("".join(images)), picture, drawn, bars)


def _panel(by_run: ByRun, label: str) -> Panel | None:
    return next(_panels(by_run, label), None)


def _panels(by_run: ByRun, label: str) -> Iterator[Panel]:
    maps, attention = by_run.explanation.of(label), by_run.explanation.attention
    if maps is not None and maps.evidence is not None:
        yield Panel(f"{by_run.run}: evidence", "evidence", maps.evidence)
    if attention is not None:
        yield Panel(f"{by_run.run}: attention", "attention", attention.mean)
    if maps is not None and maps.grad_cam is not None:
        yield Panel(f"{by_run.run}: Grad-CAM", "grad_cam", maps.grad_cam)


def _drawn(by_run: ByRun, panel: Panel | None, scales: Mapping[Kind, Scale], grey: str, label: str) -> DrawnPanel:
    maps, line = by_run.explanation.of(label), ""
    if maps is not None and maps.evidence is not None and maps.offset is not None:
        sign = "\N{MINUS SIGN}" if maps.offset < 0 else "+"
        line = f"{decimal(float(maps.evidence.sum()))} {sign} {abs(maps.offset):.4f} = logit {decimal(maps.logit)}"
    said = f"says {by_run.explanation.predicted} {100 * by_run.explanation.probability:.0f} %"
    laid = overlay(panel.plane, scales[panel.kind], smooth=False) if panel else ""
    title = panel.title if panel else f"{by_run.run}: not linear, no attention, and no Grad-CAM"
    return DrawnPanel(title, Markup(grey + laid), line, said, by_run.explanation.predicted == label)
