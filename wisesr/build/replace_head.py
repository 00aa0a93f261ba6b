"""A head by its name of the configuration on a model that somebody has already; nothing of a cell is needed."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex

from wisesr.build.create import head_node
from wisesr.build.parts import build_head
from wisesr.config.schema import Config
from wisesr.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from wisesr.models.heads.base import Head
    from wisesr.models.replace_backbone import ModelBackbone, ModelWithHead


def replace_head(
    model: nn.Module, head: str, *, num_classes: int, image_size: int | tuple[int, int], **settings: Any
) -> ModelWithHead:
    """A model that you have, with one of our heads in place of its pooling and classifier.

    The map is found by a forward pass on the meta device, which computes no numbers. What comes back has the model's weights,
    the very parameters and buffers, on their device, of their dtype, in their mode: an optimizer of them goes on, with the
    head's added (`optimizer.add_param_group({"params": new.head.parameters()})`). The model given is left as it is, and as it
    shares its weights with the other, only one of the two should be trained or moved.

    Images are normalised as they were for the model; nothing changes there.

    Args:
        model: of timm, torchvision or `create_model`, or another that torch.fx can trace; with or without its classifier.
        head: a name in `conf/head`, variants included: `wise`, `gap`, `depthwise_nonneg`, ...
        num_classes: logits.
        image_size: pixels, a number or height and width. The kernel of the head is as large as the map at this size.
        settings: of the head, in place of the YAML's: `pre_pool=3`, `dropout=0.2`.

    Returns:
        A module (batch, channels, image height, image width) -> (batch, classes) with `backbone` (images -> map, and
        `backbone.feature_shape`) and `head`: `new.head.evidence(new.backbone(images))`.

    Raises:
        UserError: no such head or setting, a value that does not fit; the model refuses the size, or no map is found in it.
    """
    from wisesr.models.replace_backbone import ModelWithHead, backbone_of

    node = head_node(head, settings)
    classes = _whole(num_classes)
    if classes is None or classes < 2:
        raise UserError(f"num_classes must be a whole number of at least 2, not {num_classes!r}")
    backbone = backbone_of(model, _height_and_width(image_size))
    return ModelWithHead(backbone, _build_beside(backbone, node, classes))


def _build_beside(backbone: ModelBackbone, node: Config, num_classes: int) -> Head:
    """A head for a backbone's map, on its device, of its dtype, in its mode; its start is drawn on the CPU."""
    import torch

    last = list(backbone.parameters())[-1:]
    device, dtype = next(((parameter.device, parameter.dtype) for parameter in last), (torch.device("cpu"), torch.float32))
    with torch.inference_mode(False), torch.device("meta" if device.type == "meta" else "cpu"):
        head = build_head(node, backbone.feature_shape, num_classes)
    return head.to(device, dtype).train(backbone.training)


def _height_and_width(image_size: object) -> tuple[int, int]:
    match [_whole(side) for side in (image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size))]:
        case [int(height), int(width)] if height > 0 and width > 0:
            return height, width
    raise UserError(f"image_size must be a whole number of pixels above 0, or height and width, not {image_size!r}")


def _whole(value: object) -> int | None:
    """A whole number, NumPy's (as of `labels.max() + 1`) among them; None for what is none."""
    return None if isinstance(value, bool) or not isinstance(value, SupportsIndex) else index(value)
