"""A trained model with what belongs to it: how files become its input, what its logits are called, how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from wisesr.config.schema import Config
from wisesr.data.augmentation import Augmentation
from wisesr.data.folder_tree import same_name
from wisesr.data.images import PixelRules, open_rgb, to_rgb
from wisesr.errors import UserError, unknown
from wisesr.inference.explanation.exact import exact
from wisesr.models.classifier import Classifier
from wisesr.results.labels import Labels, parse_labels
from wisesr.results.record import Record

Picture: TypeAlias = "str | Path | Image.Image | NDArray[np.uint8]"
"""A file, a PIL image, or RGB pixels (height, width, 3)."""


class Prediction(NamedTuple):
    """What a run says of one picture."""

    class_name: str
    """The most probable class."""
    probability: float
    probabilities: NDArray[np.float32]
    """(classes,), in the order of the run's `class_names`."""


class Evidence(NamedTuple):
    """Which positions of the map spoke for a class."""

    class_name: str
    map: NDArray[np.float64]
    """(height, width): what each position adds to the logit."""
    offset: float
    """What no position brings; its sum with the map is the logit."""
    logit: float
    """Of the head in float64, on the map as the run has it: a run in bf16 rounds its own to three digits."""


@dataclass(frozen=True, eq=False)
class Run:
    """A finished cell, loaded by `wisesr.load`."""

    directory: Path
    config: Config
    record: Record
    """How it was made, and what it reached."""
    class_names: tuple[str, ...]
    """In the order of the logits."""
    image_size: int
    """Pixels, height and width."""
    model: Classifier
    """In eval mode: normalised images (batch, 3, size, size) -> logits (batch, classes)."""
    augmentation: Augmentation
    rules: PixelRules
    """By which files become RGB."""

    @property
    def labels(self) -> Labels:
        """What it is called: dataset, backbone, head, seed, ..."""
        return parse_labels(self.config)

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(self.model.parameters()).device

    def open(self, picture: Picture) -> Image.Image:
        """An RGB image, read by the rules of the training.

        Raises:
            UserError: a file that cannot be read, or an array that is no picture.
        """
        if isinstance(picture, (str, Path)):
            return open_rgb(Path(picture), self.rules, advice="")
        if isinstance(picture, Image.Image):
            return to_rgb(picture, self.rules)
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise UserError(f"a picture as an array must be uint8 of (height, width, 3), not {picture.dtype} {picture.shape}")
        return Image.fromarray(picture)

    def transform(self, image: Image.Image) -> Tensor:
        """An RGB image as the model sees it in testing: resized and normalised, float32 (3, size, size)."""
        return self.augmentation(image, training=False)

    def logits(self, images: Tensor) -> Tensor:
        """Float32 logits (batch, classes) of normalised images (batch, 3, size, size), computed as the cell was tested."""
        with torch.inference_mode(), self.precision():
            logits: Tensor = self.model(self._placed(images))
        return logits.float()

    def maps(self, images: Tensor) -> Tensor:
        """What the head gets of normalised images (batch, 3, size, size), (batch, channels, height, width), as in testing."""
        with torch.inference_mode(), self.precision():
            return self.model.maps_of(self._placed(images))

    def logits_of(self, maps: Tensor, images: Tensor) -> Tensor:
        """Float32 logits (batch, classes) of what `maps` gives, and of the normalised images that they come from."""
        with torch.inference_mode(), self.precision():
            logits: Tensor = self.model.head.of_images(maps, self._placed(images))
        return logits.float()

    def predict(self, pictures: Picture | Sequence[Picture], *, batch_size: int = 32) -> list[Prediction]:
        """The classes of pictures, in their order.

        Args:
            pictures: one or several: files, PIL images, arrays.
            batch_size: that go through the model together.

        Raises:
            UserError: one of them cannot be read.
        """
        several = [pictures] if isinstance(pictures, (str, Path, Image.Image, np.ndarray)) else list(pictures)
        predictions = []
        for start in range(0, len(several), batch_size):
            batch = torch.stack([self.transform(self.open(picture)) for picture in several[start : start + batch_size]])
            for row in self.logits(batch).softmax(dim=1).cpu().numpy():
                best = int(row.argmax())
                predictions.append(Prediction(self.class_names[best], float(row[best]), row))
        return predictions

    def evidence(self, picture: Picture, class_name: str | None = None) -> Evidence:
        """What each position of the map adds to the logit of a class; the most probable one where none is named.

        Raises:
            UserError: the picture cannot be read, there is no such class, or the head is not linear in the map.
        """
        images = self.transform(self.open(picture))[None]
        maps = self.maps(images)
        index = int(self.logits_of(maps, images)[0].argmax()) if class_name is None else self.index_of(class_name)
        found = exact(self.model.head, maps, [index])
        if found is None:
            raise UserError(
                f"{type(self.model.head).__name__} has no evidence per position, as it is not linear in the feature map or "
                "permutes each image's; wisesr explain has Grad-CAM for such heads"
            )
        return Evidence(self.class_names[index], found.maps[0].numpy(), float(found.offsets[0]), float(found.logits[0]))

    def index_of(self, class_name: str) -> int:
        """The logit of a class; names are compared in Unicode's normal form C.

        Raises:
            UserError: there is none of that name.
        """
        known = [same_name(name) for name in self.class_names]
        if same_name(class_name) not in known:
            raise UserError(unknown("class of this run", class_name, self.class_names))
        return known.index(same_name(class_name))

    def precision(self) -> AbstractContextManager[Any]:
        """The precision in which the cell was tested, as far as the device has it: mixed ones as autocast.

        float16 on a CPU, which Lightning refuses to train in, is left at float32.
        """
        name, kind = self.config["trainer"]["precision"], self.device.type
        dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(name)
        on = dtype is not None and not (dtype == torch.float16 and kind == "cpu")
        return torch.autocast(kind, dtype=dtype or torch.bfloat16, enabled=on)

    def _placed(self, images: Tensor) -> Tensor:
        return images.to(self.device, self._dtype).contiguous(memory_format=memory_format(self.config))

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.model.parameters()).dtype


def memory_format(config: Config) -> torch.memory_format:
    """In which order a cell's weights and images lie, which last bits depend on."""
    return torch.channels_last if config["trainer"]["channels_last"] else torch.contiguous_format
