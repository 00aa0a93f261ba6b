"""What is shown of a picture: a row of panels for each class and run, and what may be compared on one scale.

Evidence is in logits, whatever the run: one scale for all of a picture's. Grad-CAM has no unit that two heads share, and
attention may be spread evenly by one head and lie on one position by another: these have a scale for each run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wisesr.report.evidence.scales import Kind, Scale, common_scale
from wisesr.report.tables.numbers import typographic
from wisesr.results.explanation import Attention, ClassMaps, Explanation, Map


class ByRun(NamedTuple):
    """What one run says of a picture."""

    run: str
    """What the run is called."""
    precision: str
    """In which it computes: `32-true`."""
    explanation: Explanation


class Explained(NamedTuple):
    """A picture with what one run or two say of it."""

    name: str
    """Its file."""
    runs: tuple[ByRun, ...]
    classes: tuple[str, ...]
    """That are shown, in this order; a run need not know all of them."""


class Panel(NamedTuple):
    """A map on the picture."""

    title: str
    plane: Map
    scale: Scale
    """Of its colours."""


class Row(NamedTuple):
    """Panels beside the picture as one run saw it."""

    run: int
    """Which run."""
    title: str
    """Run, class and probability."""
    lines: tuple[str, ...]
    """What is said below."""
    panels: tuple[Panel, ...]
    maps: ClassMaps | None
    """Of the class; None of a row that shows attention heads, or where the run has no such class: without the picture."""


class _Drawn(NamedTuple):
    """A panel before its scale is known."""

    title: str
    kind: Kind
    plane: Map


def rows(explained: Explained, *, each_head: bool = False) -> list[Row]:
    """All rows of a picture: class by class, in each the runs one below the other; then each attention head, where wanted."""
    drawn = {
        (number, name): tuple(_panels(by_run.explanation, name, first=name == explained.classes[0]))
        for name in explained.classes
        for number, by_run in enumerate(explained.runs)
    }
    evidence = common_scale("evidence", [one.plane for its in drawn.values() for one in its if one.kind == "evidence"])
    found = []
    for (number, name), its in drawn.items():
        own = [one for (run, _), panels in drawn.items() if run == number for one in panels]
        found.append(_row(explained, number, name, tuple(_scaled(its, own, evidence))))
    return found + (list(_attention_heads(explained)) if each_head else [])


def _panels(explanation: Explanation, name: str, *, first: bool) -> Iterator[_Drawn]:
    """What a run shows for a class; its attention, which is of no class, with the first one."""
    maps, attention = explanation.of(name), explanation.attention
    if maps is not None and maps.evidence is not None:
        yield _Drawn(f"evidence for {name}", "evidence", maps.evidence)
    if maps is not None and maps.grad_cam is not None:
        yield _Drawn(f"Grad-CAM for {name}", "grad_cam", maps.grad_cam)
    if attention is not None and first:
        heads = len(attention.weights)
        yield _Drawn("attention" + (f", mean of {heads} heads" if heads > 1 else ""), "attention", attention.mean)


def _scaled(its: Sequence[_Drawn], own: Sequence[_Drawn], evidence: Scale | None) -> Iterator[Panel]:
    """Panels with their scales: that of all evidence, or one for the run's own maps of a kind."""
    for one in its:
        of_run = common_scale(one.kind, [other.plane for other in own if other.kind == one.kind])
        scale = evidence if one.kind == "evidence" else of_run
        assert scale is not None
        yield Panel(one.title, one.plane, scale)


def _row(explained: Explained, number: int, name: str, panels: tuple[Panel, ...]) -> Row:
    run, precision, explanation = explained.runs[number]
    maps = explanation.of(name)
    if maps is None:
        return Row(number, f"{name} · {run}", (f"{name} is no class of this run.",), panels, None)
    said = "predicted" if name == explanation.predicted else f"it says {explanation.predicted}"
    title = f"{name} {100 * maps.probability:.1f} % ({said}) · {run}"
    attention = explanation.attention if name == explained.classes[0] else None
    return Row(number, title, tuple(_lines(maps, attention, precision)), panels, maps)


def has_heads(explained: Explained) -> bool:
    """Whether a run has several attention heads, which rows may show one by one."""
    return any(len(_weights(by_run.explanation)) > 1 for by_run in explained.runs)


def _weights(explanation: Explanation) -> tuple[Map, ...]:
    """A map for each attention head."""
    return () if explanation.attention is None else tuple(explanation.attention.weights)


def _attention_heads(explained: Explained) -> Iterator[Row]:
    """A row for each run that has several attention heads."""
    for number, (run, _, explanation) in enumerate(explained.runs):
        weights = _weights(explanation)
        if len(weights) > 1 and (scale := common_scale("attention", weights)):
            panels = tuple(Panel(f"head {at} of {len(weights)}", plane, scale) for at, plane in enumerate(weights, start=1))
            yield Row(number, f"each attention head · {run}", (), panels, None)


def _lines(maps: ClassMaps, attention: Attention | None, precision: str) -> Iterator[str]:
    if maps.offset is None:
        yield f"logit {decimal(maps.own_logit)}; the head is not linear in its map, so no sum of positions makes it"
    else:
        yield sum_line(maps, precision)
    if attention is not None:
        positions, rest = attention.mean.size, float(attention.rest.mean())
        line = f"attention: {100 * (1 - rest):.1f} % on {positions:,} positions, {1 / positions:.2g} each if all were equal"
        yield line + (f"; {100 * rest:.1f} % on their average, a token of its own" if attention.rest.any() else "")


def sum_line(maps: ClassMaps, precision: str) -> str:
    """The evidence in numbers: its sum, the offset, the logit that they make, and by how much they miss it."""
    assert maps.evidence is not None
    assert maps.offset is not None
    sign = "\N{MINUS SIGN}" if maps.offset < 0 else "+"
    total = decimal(float(maps.evidence.sum()))
    line = f"sum of the map {total} {sign} offset {abs(maps.offset):.4f} = logit {decimal(maps.logit)}"
    line += f" (off by {maps.residual:.0e} of the largest term)" if maps.residual else " (exactly)"
    if abs(maps.own_logit - maps.logit) > 1e-4 * max(1.0, abs(maps.logit)):
        line += f"; the run itself, in {precision}, rounds it to {decimal(maps.own_logit)}"
    return line


def decimal(number: float) -> str:
    """Four decimals, with a true minus sign."""
    return typographic(f"{number:.4f}")
