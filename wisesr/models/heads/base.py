"""The contract of all heads: a feature map in, logits out, in four stages that a reader can name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from wisesr.models.heads.initialisation import check_start, start_linear
from wisesr.types import FeatureShape


class Head(nn.Module):
    """pre-average -> spatial aggregation -> dropout -> linear: (batch, channels, height, width) -> (batch, classes).

    Subclasses compute an aggregation and hand it over; forward is the same for all.

    Args:
        feature_shape: channels, height and width of one image's feature map; any 3-tuple.
        num_classes: logits.
        aggregation: (batch, channels, height', width') -> (batch, features).
        dropout: share of the features that is dropped in training, in [0, 1).
        pre_average: (batch, channels, height, width) -> the same with a smaller map; None for the map as it is.
        features: what the aggregation leaves for the linear classifier; None for one a channel.
        init: how the classifier starts, "normal" for N(0, 0.01) or "torch" for nn.Linear's own (`Start`); the aggregation
            comes with its start.

    Raises:
        ValueError: a shape, a count, the dropout or the start is out of its range.
    """

    starts: ClassVar[tuple[str, ...]] = ("normal", "torch")
    """What `init` may be."""

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        aggregation: nn.Module,
        dropout: float,
        pre_average: nn.Module | None = None,
        features: int | None = None,
        init: str = "normal",
    ) -> None:
        super().__init__()
        check_start(init, self.starts)
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2, not {num_classes}")
        check_dropout(dropout)
        self.feature_shape = check_shape(feature_shape)
        self.init = init
        self.pre_average = pre_average or nn.Identity()
        self.aggregation = aggregation
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.feature_shape.channels if features is None else features, num_classes)
        start_linear(self.classifier, init)

    def forward(self, features: Tensor) -> Tensor:
        """Logits, (batch, classes), of feature maps, (batch, channels, height, width).

        Raises:
            ValueError: the maps are not of the shape that the head was made for.
        """
        self.check_maps(features)
        logits: Tensor = self.classifier(self.dropout(self.pooled(features)))
        return logits

    def pooled(self, features: Tensor) -> Tensor:
        """The first two stages: (batch, channels, height, width) -> (batch, features)."""
        answer: Tensor = self.aggregation(self.pre_average(features))
        return answer

    def of_images(self, features: Tensor, images: Tensor) -> Tensor:
        """Logits, (batch, classes), of feature maps and the images that they come from, (batch, 3, size, size).

        What every model calls. Only a head that draws something for each image looks at them.
        """
        del images
        logits: Tensor = self(features)
        return logits

    def check_maps(self, features: Tensor) -> None:
        """Refuse feature maps, (batch, ...), that the head was not made for.

        Raises:
            ValueError: they are of another shape.
        """
        if tuple(features.shape[1:]) != tuple(self.feature_shape):
            raise ValueError(f"the head was made for maps of {tuple(self.feature_shape)}, not {tuple(features.shape[1:])}")

    def resized_state(self, state: Mapping[str, Tensor], trained: FeatureShape) -> dict[str, Tensor]:
        """A state dict of this head, trained on maps of another extent, for maps of its own.

        Heads whose weights belong to positions and can be resized say how; what a weight means must stay (the sum of a kernel).

        Args:
            state: by the names of `state_dict`.
            trained: shape of the maps that it was trained on.

        Raises:
            ValueError: a weight for each position, which has no counterpart on a map of another extent.
        """
        for name, value in self.state_dict().items():
            if name in state and state[name].shape != value.shape:
                raise ValueError(
                    f"{type(self).__name__} learns {name} for maps of {trained.height}x{trained.width} positions, and cannot "
                    f"be used on {self.feature_shape.height}x{self.feature_shape.width}"
                )
        return dict(state)

    def evidence(self, features: Tensor) -> Tensor:
        """What each position of the map adds to each logit: (batch, classes, height, width).

        Its sum over the map plus `offset()` equals the logits (in eval mode), for every head that is linear in the map.

        Raises:
            NotImplementedError: the head is not linear.
        """
        raise NotImplementedError(f"{type(self).__name__} is not linear in the feature map: it has no evidence per position")

    def offset(self) -> Tensor:
        """What no position brings to the logits, (classes,): the classifier's bias, and the aggregation's through it."""
        raise NotImplementedError(f"{type(self).__name__} is not linear in the feature map: it has no offset")


def check_shape(feature_shape: FeatureShape | tuple[int, int, int]) -> FeatureShape:
    """A 3-tuple of positive numbers as `FeatureShape`.

    Raises:
        ValueError: it is not one.
    """
    values = tuple(feature_shape)
    if len(values) != 3 or min(values) < 1:
        raise ValueError(f"feature_shape must be (channels, height, width), all at least 1, not {values}")
    return FeatureShape(*values)


def check_dropout(dropout: float) -> None:
    """Refuse a share that is out of its range.

    Raises:
        ValueError: it is not in [0, 1).
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"head.dropout must be at least 0 and below 1, not {dropout}")
