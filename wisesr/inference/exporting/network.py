"""What is exported: the run's network in float32 for inference alone, its normalisation inside if wanted, its head folded."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from wisesr.data.augmentation import Augmentation, Inputs
from wisesr.inference.run import Run
from wisesr.models.heads.base import Head
from wisesr.models.heads.depthwise import DepthwiseKernelHead
from wisesr.models.heads.shuffled import ShuffledWiseHead

_WAYS = ((255.0, True), (255.0, False), (127.5, False), (1.0, False))
"""By what trainings divide grey levels before they subtract a mean, and whether they multiply with its inverse, as torchvision
does; the others are of `wisesr.data.normalization`. The last bits depend on it."""


class Normalize(nn.Module):
    """RGB pixels, uint8, as the backbone was trained on them: (x / divisor - mean) / std, then BGR where it was.

    Args:
        inputs: as of `Augmentation.inputs`, of images in [0, 1].
        divisor: of grey levels; mean and std are scaled to it.
        inverse: whether levels are multiplied with 1 / divisor.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, inputs: Inputs, divisor: float, *, inverse: bool) -> None:
        super().__init__()
        for name in ("mean", "std"):
            numbers = torch.tensor(inputs[name], dtype=torch.float64)[:, None, None] * (255 / divisor)
            self.register_buffer(name, numbers.float())
        self.divisor, self.inverse = divisor, inverse
        self.swapped = inputs.get("order") == "BGR"

    def forward(self, pixels: Tensor) -> Tensor:
        """(batch, 3, size, size) of uint8 -> the same of float32."""
        scaled = pixels.float() * (1 / self.divisor) if self.inverse else pixels.float() / self.divisor
        images = (scaled - self.mean) / self.std
        return images[:, [2, 1, 0]] if self.swapped else images


def normalize_as(augmentation: Augmentation, size: int) -> Normalize:
    """The order of arithmetic that comes nearest to the training's, for wisesr's own augmentations equal to the bit.

    Through a whole network a last bit of its input grows to 1e-5 of a logit.
    """
    levels = (np.arange(size * size * 3) % 256).astype(np.uint8).reshape(size, size, 3)
    image = augmentation(Image.fromarray(levels), training=False)
    pixels = torch.from_numpy(np.array(augmentation.picture(image))).permute(2, 0, 1)[None]
    ways = [Normalize(augmentation.inputs, divisor, inverse=inverse) for divisor, inverse in _WAYS]
    return min(ways, key=lambda way: float((way(pixels)[0] - image).abs().max()))


class FoldedHead(nn.Module):
    """A head with a kernel as one kernel on the full map: pre-averaging is in it, softplus is done, and dropout gone.

    As product and sum rather than as a convolution: all runtimes have both, and onnxruntime computes it no slower on a CPU
    (1280x16x16, 16 images, one thread of an AMD EPYC: 2.9 ms, a depthwise convolution 8.7 ms, the einsum of training 8.5 ms).
    """

    kernel: Tensor
    bias: Tensor

    def __init__(self, head: DepthwiseKernelHead) -> None:
        super().__init__()
        self.register_buffer("kernel", head.full_kernel().detach().clone())
        self.register_buffer("bias", head.aggregation.bias.detach().clone())
        self.classifier = head.classifier

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, classes)."""
        logits: Tensor = self.classifier((features * self.kernel).sum(dim=(2, 3)) + self.bias)
        return logits

    def of_images(self, features: Tensor, images: Tensor) -> Tensor:
        """As `Head.of_images`, of which none that is folded looks at images."""
        del images
        logits: Tensor = self(features)
        return logits


def folded(head: Head) -> Head | FoldedHead:
    """A head that computes the same with less. `flatten` and `fc` keep their average: without it they would be far larger.

    So does one that permutes the positions of each image, and has a kernel on none of them.
    """
    if isinstance(head, ShuffledWiseHead) and head.shuffle == "image":
        return head
    return FoldedHead(head) if isinstance(head, DepthwiseKernelHead) else head


class Network(nn.Module):
    """A copy of a run's model for one file.

    Args:
        run: loaded, wherever it computes: the copy is on the CPU.
        inside: whether it normalises: pixels go in, uint8 RGB; or else what `run.transform` makes of them.
        probabilities: whether they are a second answer, after the logits.
    """

    def __init__(self, run: Run, *, inside: bool, probabilities: bool) -> None:
        super().__init__()
        model = copy.deepcopy(run.model).cpu()
        self.normalize = normalize_as(run.augmentation, run.image_size) if inside else nn.Identity()
        self.backbone = without_dropout(model.backbone)
        self.half_maps = model.half_maps
        self.head: Any = without_dropout(folded(model.head))  # folded as it was trained, in double precision too
        self.probabilities = probabilities
        self.float().eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """(batch, 3, size, size) -> logits (batch, classes), and their softmax if it was asked for."""
        normal = self.normalize(images)
        maps = self.backbone(normal)
        logits: Tensor = self.head.of_images(maps.half().float() if self.half_maps else maps, normal)
        return (logits, logits.softmax(dim=1)) if self.probabilities else logits


def without_dropout(module: nn.Module) -> nn.Module:
    """The same without its dropout layers, which do nothing in inference; in place."""
    for owner in list(module.modules()):
        for name, part in list(owner.named_children()):
            if isinstance(part, nn.modules.dropout._DropoutNd):
                setattr(owner, name, nn.Identity())
    return module
