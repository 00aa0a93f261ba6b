"""Where a run looks: exact evidence, Grad-CAM and attention of pictures, as plain arrays that reports draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from wisesr.errors import UserError
from wisesr.inference.explanation.attention import attention
from wisesr.inference.explanation.exact import exact
from wisesr.inference.explanation.grad_cam import MISSING, grad_cam, has_grad_cam
from wisesr.inference.run import Picture, Run
from wisesr.results.explanation import Attention, ClassMaps, Explanation


class Seen(NamedTuple):
    """A picture in the run's eyes."""

    view: Tensor
    """As the model sees it, (3, size, size)."""
    features: Tensor
    """What the head gets, (1, channels, height, width)."""
    logits: Tensor
    """(classes,), float32, on the CPU."""


def see(run: Run, picture: Picture | Tensor) -> Seen:
    """The run's map and logits of a picture.

    Args:
        run: of `wisesr.load`.
        picture: a file, a PIL image, RGB pixels, or what `Run.transform` makes of one, (3, size, size).

    Raises:
        UserError: it cannot be read.
    """
    view = picture if isinstance(picture, Tensor) else run.transform(run.open(picture))
    features = run.maps(view[None])
    return Seen(view, features, run.logits_of(features, view[None])[0].cpu())


def most_probable(run: Run, seen: Seen, count: int) -> list[str]:
    """The most probable classes of a picture, the first one first."""
    return [run.class_names[index] for index in seen.logits.topk(min(count, len(seen.logits))).indices.tolist()]


def explain(run: Run, picture: Picture | Seen, class_names: Sequence[str] | None = None) -> Explanation:
    """Which positions of the map spoke for which class.

    What the head is able to tell: a linear head its exact evidence, an attention head its weights, every head Grad-CAM where
    TorchCAM is installed.

    Args:
        run: of `wisesr.load`.
        picture: a file, a PIL image, RGB pixels, or what `see` gave.
        class_names: that are explained; None for the most probable one.

    Raises:
        UserError: the picture cannot be read, a class is not the run's, or the head has nothing but Grad-CAM to show and
            TorchCAM is not installed.
    """
    seen = picture if isinstance(picture, Seen) else see(run, picture)
    (predicted,) = most_probable(run, seen, 1)
    chosen = [run.index_of(name) for name in dict.fromkeys([predicted] if class_names is None else class_names)]
    weights = _attention(run, seen.features)
    return Explanation(
        view=np.asarray(run.augmentation.picture(seen.view)),
        predicted=predicted,
        probability=float(seen.logits.softmax(dim=0).max()),
        classes=_classes(run, seen, chosen, has_attention=weights is not None),
        attention=weights,
    )


def _classes(run: Run, seen: Seen, chosen: Sequence[int], *, has_attention: bool) -> tuple[ClassMaps, ...]:
    head, logits, probabilities = run.model.head, seen.logits, seen.logits.softmax(dim=0)
    found = exact(head, seen.features, chosen) if chosen else None
    if chosen and found is None and not has_attention and not has_grad_cam():
        raise UserError(f"the head {run.labels.head} has no evidence per position, and no attention to show: {MISSING}")
    cams = grad_cam(head, seen.features, seen.view[None], chosen) if chosen and has_grad_cam() else None
    return tuple(
        ClassMaps(
            class_name=run.class_names[index],
            probability=float(probabilities[index]),
            logit=float(logits[index] if found is None else found.logits[at]),
            own_logit=float(logits[index]),
            evidence=None if found is None else found.maps[at].numpy(),
            offset=None if found is None else float(found.offsets[at]),
            grad_cam=None if cams is None else cams[at].double().numpy(),
        )
        for at, index in enumerate(chosen)
    )


def _attention(run: Run, features: Tensor) -> Attention | None:
    head = run.model.head
    with torch.inference_mode():
        dtype = next(head.parameters()).dtype
        return attention(head.aggregation, head.pre_average(features.to(dtype)))


def name_of(run: Run) -> str:
    """`wise · efficientnet_lite0 · houses · 512 px · seed 0`, for who reads pictures of several runs."""
    its = run.labels
    return f"{its.head} · {its.backbone} · {its.study} · {run.image_size} px · seed {its.seed}"
