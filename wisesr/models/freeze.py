"""Freezing a backbone, whole or from its input up to a stage."""

from __future__ import annotations

from typing import Any, Literal

from timm.models import group_parameters
from torch import nn

from wisesr.errors import UserError
from wisesr.types import FeatureShape


def freeze_stages(model: Any, stages: int | Literal["all"]) -> None:
    """Take the parameters of a model of timm's out of training: "all", or those of so many stages from the input.

    Stages, of which the stem is the first, are those that timm groups by for layer-wise rates (`group_matcher`, coarse).

    Raises:
        UserError: less than one stage, or as many as there are.
    """
    parameters = dict(model.named_parameters())
    if stages != "all":
        if not hasattr(model, "group_matcher"):
            raise UserError(f"backbone.freeze must be null or all for {type(model).__name__}, whose stages timm does not name")
        groups = group_parameters(model, model.group_matcher(coarse=True))
        if not 1 <= stages < len(groups):
            starts = ", ".join(f"{number} {names[0]}" for number, names in enumerate(groups.values(), start=1))
            rule = f"backbone.freeze must be null, all, or from 1 to {len(groups) - 1} of {len(groups)} stages, not {stages}"
            raise UserError(f"{rule}. They begin at: {starts}")
        parameters = {name: parameters[name] for group in list(groups.values())[:stages] for name in group}
    for parameter in parameters.values():
        parameter.requires_grad_(False)


class FreezableBackbone(nn.Module):
    """A backbone around a `model`, in whose frozen parts BatchNorm and dropout stay in eval mode."""

    feature_shape: FeatureShape
    model: Any
    weights_hash: str | None = None
    trained_inputs: dict[str, Any] | None = None

    def train(self, mode: bool = True) -> FreezableBackbone:
        """Training mode for all but the modules whose parameters are all frozen."""
        super().train(mode)
        for part in self.model.modules():
            parameters = list(part.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                part.eval()
        return self
