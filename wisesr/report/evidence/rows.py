"""What is shown of a picture: a row of panels for each class and run, and one scale for all maps of a kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from wisesr.report.evidence.scales import Kind, Scale, common_scale
from wisesr.results.explanation import Attention, ClassMaps, Explanation, Map

_TITLES: dict[Kind, str] = {"evidence": "evidence", "grad_cam": "Grad-CAM", "attention": "attention"}


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
    kind: Kind
    plane: Map


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
    """Of the class; None of a row that shows attention heads, or where the run has no such class."""


def rows(explained: Explained, *, each_head: bool = False) -> list[Row]:
    """All rows of a picture: class by class, in each the runs one below the other; then each attention head, where wanted."""
    found = [row for name in explained.classes for row in _of_class(explained, name)]
    if each_head:
        for number, by_run in enumerate(explained.runs):
            attention = by_run.explanation.attention
            if attention is not None and len(attention.weights) > 1:
                panels = tuple(
                    Panel(f"head {at} of {len(attention.weights)}", "attention", plane)
                    for at, plane in enumerate(attention.weights, start=1)
                )
                found.append(Row(number, f"each attention head · {by_run.run}", (), panels, None))
    return found


def _of_class(explained: Explained, name: str) -> Iterator[Row]:
    for number, (run, precision, explanation) in enumerate(explained.runs):
        maps = explanation.of(name)
        if maps is None:
            yield Row(number, f"{name} · {run}", (f"{name} is no class of this run.",), (), None)
            continue
        said = "predicted" if name == explanation.predicted else f"it says {explanation.predicted}"
        title = f"{name} {100 * maps.probability:.1f} % ({said}) · {run}"
        attention = explanation.attention if name == explained.classes[0] else None
        yield Row(number, title, tuple(_lines(maps, attention, precision)), tuple(_panels(maps, attention)), maps)


def _panels(maps: ClassMaps, attention: Attention | None) -> Iterator[Panel]:
    if maps.evidence is not None:
        yield Panel(f"evidence for {maps.class_name}", "evidence", maps.evidence)
    if maps.grad_cam is not None:
        yield Panel(f"Grad-CAM for {maps.class_name}", "grad_cam", maps.grad_cam)
    if attention is not None:
        heads = len(attention.weights)
        yield Panel("attention" + (f", mean of {heads} heads" if heads > 1 else ""), "attention", attention.mean)


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
    return f"{number:.4f}".replace("-", "\N{MINUS SIGN}")


def scales(shown: Sequence[Row]) -> Mapping[Kind, Scale]:
    """One scale for all maps of a kind."""
    maps = {kind: [panel.plane for row in shown for panel in row.panels if panel.kind == kind] for kind in _TITLES}
    found = {kind: common_scale(kind, planes) for kind, planes in maps.items()}
    return {kind: scale for kind, scale in found.items() if scale is not None}
