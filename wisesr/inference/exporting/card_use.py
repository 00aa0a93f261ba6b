"""What a card says of how to use a file: what to feed, a program, and how far its resizing is from the training's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from wisesr.data.whole_view import Resizing
from wisesr.inference.exporting.formats import Format
from wisesr.inference.exporting.network import Network
from wisesr.inference.exporting.plain_resize import is_plain, plain_square
from wisesr.inference.exporting.trial import Checked, Trial
from wisesr.inference.exporting.usage import usage
from wisesr.inference.run import Run
from wisesr.results.provenance import installed_version


class PlainDistance(NamedTuple):
    """Pillow's resizing held against the training's, on some pictures."""

    levels: int
    """The largest distance of two pixels, of 255."""
    share: float
    """Of values that differ at all."""
    probability: float
    """The largest distance of two probabilities."""


def plain_distance(run: Run, trial: Trial, resizing: Resizing) -> PlainDistance:
    """How far Pillow's squares are from those that the run makes of the same pictures, and its answers with them."""
    squares = torch.stack([_pixels(plain_square(picture, run.image_size, resizing)) for picture in trial.pictures])
    apart = (squares.int() - trial.pixels.int()).abs()
    with torch.inference_mode():
        logits = Network(run, inside=True, probabilities=False)(squares)
    far = (logits.softmax(dim=1) - trial.logits.float().softmax(dim=1)).abs().max().item()
    return PlainDistance(int(apart.max()), (apart > 0).float().mean().item(), far)


def _pixels(square: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


def use_lines(run: Run, file: str, format: Format, checked: Checked, *, inside: bool) -> list[str]:
    """The section's lines."""
    program = usage(run, file, format, inside=inside)
    lines = [_input(run, inside=inside), "", *_resizing(run, checked.trials)]
    if program is not None:
        lines += ["", "```python", program, "```"]
    rules = "Files became RGB in training as Pillow reads them" + (
        ", turned upright by EXIF" if run.rules.upright else ", as stored"
    )
    lines += [
        "",
        f"{rules}; transparency was laid on black, and grey of more than 8 bits scaled to 8, which the program leaves out."
        if program
        else f"{rules}.",
    ]
    if format.name == "torch":
        lines += ["", f"Written by torch {torch.__version__}: an older one may not read it."]
    return lines


def _input(run: Run, *, inside: bool) -> str:
    inputs = run.augmentation.inputs
    mean, std = (", ".join(f"{number:.6g}" for number in inputs[key]) for key in ("mean", "std"))
    last = ", then their channels were swapped to BGR" if inputs.get("order") == "BGR" else ""
    said = f"(x / 255 - mean) / std with mean {mean} and std {std} for red, green and blue{last}"
    if inside:
        return f"Feed uint8 pixels, RGB, of squares of {run.image_size} px. The file normalises them as in training: {said}."
    return f"Feed squares of {run.image_size} px, normalised as in training: {said}."


def _resizing(run: Run, trials: Sequence[Trial]) -> list[str]:
    resizing = run.augmentation.resizing
    if resizing is None:
        return [
            "How pictures of other shapes were made squares in training is unknown: the run's augmentation is not one of "
            "wisesr's, and does not say. Feed what it makes of them."
        ]
    lines = [f"Resizing is not in the file. In training: {resizing.words}, filter {resizing.filter}."]
    if not is_plain(resizing):
        return [*lines, "Pillow has no filter near to it."]
    if "Pillow" in resizing.filter:
        return [*lines, "The program does the same."]
    return [*lines, _distance(run, trials, resizing)]


def _distance(run: Run, trials: Sequence[Trial], resizing: Resizing) -> str:
    real = [trial for trial in trials if any(picture.size != (run.image_size,) * 2 for picture in trial.pictures)]
    if not real:
        return (
            "The program resizes with Pillow instead; how far that is from it was not measured, as no test images were there."
        )
    apart = plain_distance(run, real[0], resizing)
    return (
        f"The program resizes with Pillow instead. On {real[0].what} (Pillow {installed_version('pillow')}, torchvision "
        f"{installed_version('torchvision')}, {torch.backends.cpu.get_cpu_capability()}) its pixels were within "
        f"{apart.levels} of 255 grey levels of the training's, {apart.share:.2%} of them differed, and probabilities within "
        f"{apart.probability:.1e}. Other processors round otherwise, by a level."
    )
