"""Pictures on which an exported file is held against its run, and how far the two are apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from wisesr.errors import UserError
from wisesr.inference.run import Run
from wisesr.results.predictions import read_predictions
from wisesr.wording import count_of

COUNT = 5
"""Pictures of a kind: the larger of two batch sizes, as a graph that was captured with one may hold for that one alone."""


class Trial(NamedTuple):
    """Pictures with the run's own answer."""

    what: str
    """`5 random pictures`."""
    pictures: tuple[Image.Image, ...]
    """RGB, of any size."""
    images: Tensor
    """(pictures, 3, size, size), float32, normalised."""
    pixels: Tensor
    """The same before normalisation: uint8 RGB."""
    logits: Tensor
    """(pictures, classes): of the run's model in its own precision, without autocast."""


class Checked(NamedTuple):
    """How a file passed."""

    differences: dict[str, float]
    """By what was fed: the largest distance of its logits from the run's."""
    tolerance: float
    """Times the largest logit where that is above 1."""
    trials: tuple[Trial, ...]


def make_trial(run: Run, what: str, pictures: Sequence[Image.Image]) -> Trial:
    """What the run says of pictures, resized as in its testing."""
    images = torch.stack([run.transform(picture) for picture in pictures])
    squares = np.stack([np.asarray(run.augmentation.picture(image)) for image in images])
    return Trial(
        what, tuple(pictures), images, torch.from_numpy(squares).permute(0, 3, 1, 2).contiguous(), expected(run, images)
    )


def expected(run: Run, images: Tensor) -> Tensor:
    """The run's logits of normalised images, without autocast: mixed precision is a way of computing, not of storing."""
    weight = next(run.model.parameters())
    with torch.inference_mode():
        logits: Tensor = run.model(images.to(weight.device, weight.dtype))
    return logits.cpu()


def noise_trial(run: Run) -> Trial:
    """Noise of the run's size, the same each time."""
    generator = np.random.default_rng(0)
    shape = (COUNT, run.image_size, run.image_size, 3)
    noise = generator.integers(0, 256, shape, dtype=np.uint8)
    return make_trial(run, f"{COUNT} random pictures", [Image.fromarray(pixels) for pixels in noise])


def split_trial(run: Run) -> Trial | None:
    """Some of the run's test images; None where they are no files, or lie elsewhere now."""
    pictures = []
    for path in _test_files(run):
        try:
            pictures.append(run.open(path))
        except UserError:
            continue
    return make_trial(run, count_of(len(pictures), "test image"), pictures) if pictures else None


def _test_files(run: Run) -> list[Path]:
    """Files of the test split, evenly from all of it: it is in the order of its classes."""
    predictions, root = read_predictions(run.directory), run.config["dataset"].get("root")
    if predictions is None or not isinstance(root, str):
        return []
    files = [path for path in (Path(root, str(name)) for name in predictions.ids) if path.is_file()]
    places = np.linspace(0, len(files) - 1, min(COUNT, len(files))).round().astype(int)
    return [files[place] for place in places]


def scale_of(trial: Trial) -> float:
    """What a tolerance is multiplied with: the largest logit, at least 1, as single precision is relative to it."""
    return max(1.0, trial.logits.abs().max().item())


def largest_difference(trial: Trial, answer: Callable[[Tensor], Tensor], *, inside: bool) -> float:
    """The largest distance of a file's logits from the run's, over the first picture alone and all together.

    NaN where the file answers with one, or with another shape: it is below no tolerance.
    """
    fed = trial.pixels if inside else trial.images
    worst = 0.0
    for count in {1, len(fed)}:
        logits = answer(fed[:count])
        if logits.shape != trial.logits[:count].shape:
            return float("nan")
        apart = (logits.double() - trial.logits[:count].double()).abs().max().item()
        worst = apart if np.isnan(apart) else max(worst, apart)
        if np.isnan(worst):
            break
    return worst
