"""Pretrained weights into a backbone: read as tensors and nothing else, held strictly against the model's names and shapes."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from timm.models import clean_state_dict
from torch import Tensor, nn

from wisesr.errors import UserError
from wisesr.models.keras_conventions import set_epsilons
from wisesr.models.keras_structure import structure_as_keras
from wisesr.models.plain_file import read_plain
from wisesr.models.weight_sources import rename_packaged
from wisesr.wording import some_of

State = dict[str, Tensor]

# A cell's own checkpoint: its averaged backbone where it has one, as that is what was measured.
_OWN = ("ema.module.backbone.model.", "model.backbone.model.")
_SHOWN = 6


def load_file(
    model: nn.Module, path: Path, *, packaged: bool, ignore: Collection[str] = ()
) -> tuple[str, dict[str, Any] | None]:
    """Fill a timm model from a file, in place; all of it or nothing.

    The classifier's tensors are left aside, as the head takes its place. Position embeddings are resized to the model's
    where timm does that for its own weights.

    Args:
        model: without its classifier.
        path: .safetensors, or a file of torch.save: a state dict, or a dictionary with one under "state_dict" or "model";
            best.ckpt of a cell too.
        packaged: whether the names are those of the PyPI packages.
        ignore: names that the model no longer has, though its file may.

    A cell's checkpoint also sets the epsilon of BatchNorm, and strides and padding, without which its weights compute
    something else.

    Returns:
        A hash as of `fill`, and what the images that it was trained on were normalised with: None unless a cell's checkpoint.

    Raises:
        UserError: the file is damaged, holds anything but tensors and plain data, or does not fit the model.
    """
    held = read_plain(path, "backbone.weights: ", advice=". Save the state dict alone, best as .safetensors")
    state = state_dict(held, path)
    if packaged:
        state = rename_packaged(state, [len(stage) for stage in model.blocks])  # type: ignore[union-attr]
    state = as_of_this_size(model, state, f"backbone.weights: {path}")
    digest = fill(model, state, str(path), ignore)
    set_epsilons(model, held.get("epsilons"))
    if held.get("structure") == "keras":
        structure_as_keras(model)
    inputs = held.get("inputs")
    return digest, dict(inputs) if isinstance(inputs, Mapping) else None


def as_of_this_size(model: nn.Module, state: State, source: str) -> State:
    """A state dict as timm converts one for a model of its own: position embeddings resized to the model's, old names changed.

    Raises:
        UserError: that cannot be done; the message begins with the source.
    """
    convert = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)  # where timm keeps it, by convention
    if convert is None:
        return state
    try:
        with torch.device("cpu"):  # where the file's tensors are, whatever the model is being built on
            converted: State = convert(state, model)
    except (KeyError, RuntimeError, AttributeError, ValueError) as error:
        raise UserError(f"{source} does not fit {type(model).__name__}: {error}") from error
    return converted


def fill(model: nn.Module, state: Mapping[str, Tensor], source: str, ignore: Collection[str] = ()) -> str:
    """Put tensors, by timm's names, into a model, all of them or none. See `load_file`; `source` is for messages.

    Returns:
        A hash over what was loaded, 64 hexadecimal digits.

    Raises:
        UserError: names or shapes differ.
    """
    aside = _classifiers(model)
    state = {name: value for name, value in state.items() if name not in ignore and not name.startswith(aside)}
    if problems := _differences(model.state_dict(), state):
        name = model.pretrained_cfg.get("architecture") or type(model).__name__  # type: ignore[union-attr, operator]
        raise UserError(f"backbone.weights: {source} does not fit {name}: " + "; ".join(problems))
    if not any(parameter.is_meta for parameter in model.parameters()):  # those hold nothing: torch would only warn
        counters = {name: value for name, value in model.state_dict().items() if name not in state}
        model.load_state_dict(counters | state)
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode() + state[name].cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def state_dict(held: Any, path: Path) -> State:
    """The backbone's tensors by name, from whatever wraps them.

    Raises:
        UserError: there are none.
    """
    for key in ("state_dict_ema", "model_ema", "state_dict", "model"):
        if isinstance(held, Mapping) and isinstance(held.get(key), Mapping):
            held = held[key]
            break
    if not isinstance(held, Mapping) or not held or not all(isinstance(value, Tensor) for value in held.values()):
        raise UserError(f"backbone.weights: {path} holds no state dict: names with their tensors")
    state: State = clean_state_dict(dict(held))
    for prefix in _OWN:
        if own := {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}:
            return own
    return state


def _classifiers(model: nn.Module) -> tuple[str, ...]:
    """Beginnings of the names that belong to timm's classifier; Inception v3 has a second one for training."""
    names = model.pretrained_cfg.get("classifier") or ()  # type: ignore[union-attr, operator]
    return (*(f"{name}." for name in ([names] if isinstance(names, str) else names)), "AuxLogits.")


def _differences(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """What keeps a state dict from fitting. Counters of BatchNorm's batches, which old files lack, are of no consequence."""
    missing = [name for name in wanted if name not in given and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in given if name not in wanted]
    shapes = [
        f"{name} is {tuple(given[name].shape)}, not {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    kinds = (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
    return [f"{len(names)} {kind}: {some_of(names, _SHOWN)}" for kind, names in kinds if names]
