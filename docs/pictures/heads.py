"""Pictures and costs of the heads for docs/heads.md, from the code itself: `python -m docs.pictures.heads`.

Each head is trained on toy maps whose class is what fires and on which side; the pictures show how it then weighs positions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import wisesr
from docs.pictures.gradients import CLASSES, SHAPE, of_maps, relative_gradient
from wisesr.config.options import options
from wisesr.models.heads.base import Head
from wisesr.training.cost import forward_flops, parameters

PAGE = Path(__file__).parents[1] / "heads.md"
COSTS = re.compile(r"(<!-- costs: .*? -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_GRADIENT = re.compile(r"^\| \[`(\w+)`\](?:[^|]*\|){4} *([\d.e+-]*) *\|", re.MULTILINE)
_TOY: dict[str, dict[str, Any]] = {"attention": {"head_dim": 8}, "fc": {"hidden": 64}}
_CHANNELS, _SIDE, _CELL = 16, 7, 20
_BLUE, _ORANGE, _VIOLET = (31, 90, 160), (202, 98, 32), (103, 67, 160)
_FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"


def main() -> None:
    """Write every picture, and the table of costs into the page; one thread, as the maps are tiny."""
    torch.set_num_threads(1)
    for name in options("head"):
        (Path(__file__).parent / "heads" / f"{name}.svg").write_text(picture(name), encoding="utf-8")
    gradients = {name: f"{relative_gradient(name):.3g}" for name in options("head")}
    PAGE.write_text(with_costs(PAGE.read_text(encoding="utf-8"), gradients), encoding="utf-8")


def with_costs(page: str, gradients: Mapping[str, str] | None = None) -> str:
    """The page with its table anew; without gradients, which take a minute, those that stand there."""
    kept = gradients_of(page) if gradients is None else gradients
    lines = ["", "| head | parameters | beyond gap | million operations | gradient at the start | evidence |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | --- |")
    base = cost("gap")[0]
    for name in options("head"):
        count, operations, exact = cost(name)
        numbers = f"{count:,} | {count - base:,} | {operations / 1e6:.2f} | {kept.get(name, '')}"
        lines.append(f"| [`{name}`](#{name}) | {numbers} | {'exact' if exact else ''} |")
    return COSTS.sub(lambda found: "\n".join((found[1].strip(), *lines, "", found[3])), page)


def gradients_of(page: str) -> dict[str, str]:
    """The column of gradients, by head, as it stands in the page."""
    table = COSTS.search(page)
    return dict(_GRADIENT.findall(table[2])) if table else {}


def cost(name: str) -> tuple[int, int, bool]:
    """Parameters, floating-point operations of one image, and whether evidence is exact, on `SHAPE` and `CLASSES`."""
    with torch.device("meta"):
        head = wisesr.create_head(name, SHAPE, CLASSES)
        operations, _ = forward_flops(_Alone(head), torch.empty(1, *SHAPE))
    return parameters(head), operations, is_exact(head)


def is_exact(head: Head) -> bool:
    """Whether it has evidence for each position."""
    try:
        head.offset()
    except NotImplementedError:
        return False
    return True


class _Alone(nn.Module):
    """A head on maps without images."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def forward(self, maps: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, classes)."""
        return of_maps(self.head, maps)


def toy_maps(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Maps (count, 16, 7, 7) with a blob each, and classes: 2 x (second half of the channels) + (right side)."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.randint(0, 4, (count,), generator=generator)
    rows = torch.randint(1, _SIDE - 1, (count,), generator=generator)
    columns = torch.randint(0, 2, (count,), generator=generator) + 1 + 3 * (classes % 2)
    grid = torch.arange(_SIDE)
    near = (grid[None, :, None] - rows[:, None, None]) ** 2 + (grid[None, None, :] - columns[:, None, None]) ** 2
    kind = (torch.arange(_CHANNELS)[None] // (_CHANNELS // 2) == (classes // 2)[:, None]).float()
    strength = kind * torch.rand(count, _CHANNELS, generator=generator).add(0.5)
    noise = torch.rand(count, _CHANNELS, _SIDE, _SIDE, generator=generator) * 0.3
    return strength[:, :, None, None] * torch.exp(-near / 1.5)[:, None] + noise, classes


def trained(name: str) -> tuple[Head, float]:
    """A head after 1,000 steps on toy maps, and its share of right answers on others."""
    torch.manual_seed(0)
    head = wisesr.create_head(name, (_CHANNELS, _SIDE, _SIDE), 4, **_TOY.get(name, {}))
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    wisesr.constrain(optimizer, head)
    for step in range(1000):
        maps, classes = toy_maps(64, step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(of_maps(head, maps), classes).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    maps, classes = toy_maps(2000, 10_000)
    return head.eval(), float((of_maps(head, maps).argmax(1) == classes).float().mean())


def picture(name: str) -> str:
    """Three panels as SVG: a channel of a map, how much its positions count, what each position adds to the logit."""
    head, right = trained(name)
    maps, classes = toy_maps(64, 20_000)
    index = int((classes == 1).nonzero()[0])  # the first kind, on the right side
    image = maps[index : index + 1].requires_grad_()
    (gradient,) = torch.autograd.grad(of_maps(head, image)[0, 1], image)
    channel = int(gradient[0, : _CHANNELS // 2].sum(dim=(1, 2)).argmax())
    exact = is_exact(head)
    evidence = head.evidence(image)[0, 1] if exact else (gradient * image)[0].sum(0)
    panels = (
        (image[0, channel], "one channel of the map", _BLUE),
        (gradient[0, channel], "how much its positions count", _ORANGE),
        (evidence, "evidence, exact" if exact else "gradient times map", _ORANGE),
    )
    body = "".join(_panel(values.detach(), 20 + 200 * at, title, colour) for at, (values, title, colour) in enumerate(panels))
    words = f"{name}: {100 * right:.0f} % of new maps right"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 580 226" width="580" height="226" font-family="{_FONT}" '
        f'role="img" aria-label="{escape(words)}"><rect width="580" height="226" fill="#ffffff"/>\n'
        f'<text x="20" y="24" font-size="14" fill="#1f2933">{escape(words)}</text>\n{body}</svg>\n'
    )


def _panel(values: Tensor, left: int, title: str, colour: tuple[int, int, int]) -> str:
    largest = float(values.abs().max()) or 1.0
    cells = [
        f'<rect x="{left + _CELL * column}" y="{40 + _CELL * row}" width="{_CELL}" height="{_CELL}" '
        f'fill="{_shade(float(value) / largest, colour)}" stroke="#c4c9d0"/>\n'
        for row, line in enumerate(values)
        for column, value in enumerate(line)
    ]
    middle, extent = left + _CELL * _SIDE // 2, _CELL * _SIDE
    frame = f'<rect x="{left}" y="40" width="{extent}" height="{extent}" fill="none" stroke="#5a6470" stroke-width="1.5"/>\n'
    words = f'<text x="{middle}" y="{62 + extent}" font-size="12" text-anchor="middle" fill="#52606d">{escape(title)}</text>\n'
    return "".join(cells) + frame + words


def _shade(share: float, colour: tuple[int, int, int]) -> str:
    """From white at 0 to the colour at 1, to violet at -1."""
    ends: Iterable[int] = colour if share >= 0 else _VIOLET
    return "#" + "".join(f"{round(250 + (end - 250) * abs(share)):02x}" for end in ends)


if __name__ == "__main__":
    main()
