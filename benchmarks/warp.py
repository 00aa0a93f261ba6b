"""Time of the paper's warp (rotation, shift, zoom, flips in one matrix) beside scipy's, which Keras calls for each channel.

    python benchmarks/warp.py [--threads 1]      # 2 minutes

All ways are timed in turn within one run, on images of noise; the table shows the median, its ratio to scipy's and how far the
result is from scipy's. Then images/s of whole augmentations in training, decoding left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

import numpy as np  # noqa: E402
import scipy  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from scipy.ndimage import affine_transform  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn.functional import grid_sample  # noqa: E402

from benchmarks.measured import Row, medians, write_rows  # noqa: E402
from wisesr.build.parts import build_augmentation  # noqa: E402
from wisesr.config.options import load_option  # noqa: E402
from wisesr.data.keras_steps import Draw, affine, warp  # noqa: E402

DRAW = Draw(rotation=73.0, shift_rows=9.0, shift_columns=-14.0, zoom_rows=0.9, zoom_columns=1.15)


def with_scipy(pixels: Tensor, matrix: Any) -> Tensor:
    channels = [affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=1, mode="nearest") for channel in pixels.numpy()]
    return torch.from_numpy(np.stack(channels))


def in_single_precision(pixels: Tensor, matrix: Any) -> Tensor:
    size = pixels.shape[1]
    index = torch.arange(size, dtype=torch.float64)
    rows, columns = (by[0] * index[:, None] + by[1] * index + by[2] for by in torch.from_numpy(matrix[:2]))
    places = torch.stack((columns, rows), dim=-1)[None] * (2 / (size - 1)) - 1
    return grid_sample(pixels[None], places.float(), padding_mode="border", align_corners=True)[0]


WAYS: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "scipy": with_scipy,
    "wisesr (grid_sample, double)": warp,
    "grid_sample, single": in_single_precision,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--to", type=Path, help="JSON of the rows")
    parser.add_argument("--quick", action="store_true", help="three rounds")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rounds = 3 if arguments.quick else arguments.rounds
    rows, table = beside_scipy(rounds, arguments.threads)
    write_rows(arguments.to, rows, table=f"{table}\n\n{whole_augmentations(rounds)}")


def beside_scipy(rounds: int, threads: int) -> tuple[list[Row], str]:
    rows, lines = (
        [],
        ["| image | way | ms | ratio to scipy | largest difference, grey levels |", "| --- | --- | ---: | ---: | ---: |"],
    )
    for size in (224, 512):
        pixels = torch.randint(256, (3, size, size)).float()
        matrix = affine(DRAW, size, size, 0.5)
        reference = with_scipy(pixels, matrix)
        spent = medians({name: lambda way=way: way(pixels, matrix) for name, way in WAYS.items()}, rounds)  # noqa: B023
        for name, way in WAYS.items():
            off = (way(pixels, matrix) - reference).abs().max()
            ratio = spent[name] / spent["scipy"]
            lines.append(f"| {size}x{size}x3 | {name} | {spent[name] * 1e3:.2f} | {ratio:.2f} | {off:.2g} |")
            if way is warp:
                target = f"the warp of augment=paper at {size} px, time over scipy's, which Keras calls"
                note = f"{threads} thread; at most {off:.1g} grey levels apart"
                rows.append(Row(target, "<= 1.0 x", f"{ratio:.2f} x", ratio <= 1, f"scipy {scipy.__version__}", note))
    return rows, "\n".join(lines)


def whole_augmentations(rounds: int) -> str:
    lines = ["| pixels | augment, decoding left out | images/s | ratio to standard |", "| --- | --- | ---: | ---: |"]
    for size in (224, 512):
        image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
        made = {
            name: build_augmentation(load_option("augment", name), size, (0.5,) * 3, (0.5,) * 3)
            for name in ("none", "standard", "paper")
        }
        ways = {name: lambda augment=augment: augment(image, training=True) for name, augment in made.items()}  # noqa: B023
        for name, seconds in (spent := medians(ways, rounds)).items():
            lines.append(f"| {size} | {name} | {1 / seconds:.0f} | {spent['standard'] / seconds:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
