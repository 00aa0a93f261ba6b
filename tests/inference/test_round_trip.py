"""Train a step, save, load by directory, evaluate, predict, export: the same logits, of every head on every kind of backbone."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.cells import make
from tests.support.configs import composed
from tests.support.images import paint
from wisesr.cell.run import DONE
from wisesr.cell.run import run as run_cell
from wisesr.config.options import options
from wisesr.inference.exporting.export import export
from wisesr.inference.exporting.formats import Format
from wisesr.inference.exporting.onnx_format import OnnxFormat
from wisesr.inference.exporting.torch_format import TorchFormat
from wisesr.inference.load import load
from wisesr.inference.run import Run
from wisesr.results.predictions import read_predictions

HEADS = options("head")
BACKBONES = ("resnet18", "densenet121", "efficientnet_lite0", "vit_small", "swin_tiny")
SIZE = 64
AVERAGED = "head.pre_pool=2"
"""Where `auto` would leave maps of 2x2 and 4x4 alone."""
SETTINGS = {
    **dict.fromkeys(("wise", "wise_dropout", "flatten"), (AVERAGED,)),
    "fc": (AVERAGED, "head.hidden=16"),
    "attention": ("head.head_dim=32",),  # divides the toy's channels too
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 8 and 2 images."""
    root = tmp_path_factory.mktemp("pictures")
    for split, count in (("train", 8), ("test", 2)):
        for label, index in itertools.product(range(3), range(count)):
            paint(root / split / f"class{label}" / f"{index}.png", label, index + (100 if split == "test" else 0))
    return root


def trained(directory: Path, pictures: Path, head: str, *backbone: str) -> Path:
    """A cell that took a step, through the product's own path."""
    config = composed(
        *(
            *backbone,
            f"head={head}",
            *SETTINGS.get(head, ()),
            "dataset=folder",
            f"dataset.root={pictures}",
            f"resolution.size={SIZE}",
        ),
        *("recipe=quick", "recipe.epochs=1", "recipe.batch_size=64", "trainer=cpu", "trainer.threads=1", "logger=none"),
    )
    cell = make(config, directory / "cell")
    assert run_cell(cell) == DONE
    return cell


def assert_same_logits(cell: Path, pictures: Path, formats: tuple[Format, ...]) -> None:
    """Loaded, evaluated, predicted, exported."""
    run, stored = load(cell), read_predictions(cell)
    assert stored is not None
    files = [pictures / name for name in stored.ids]
    images = torch.stack([run.transform(run.open(file)) for file in files])
    logits = run.logits(images)
    assert np.abs(logits.softmax(dim=1).numpy() - stored.probabilities).max() <= 1e-5, "evaluated as when it was trained"
    predicted = np.stack([prediction.probabilities for prediction in run.predict(files)])
    assert np.abs(predicted - stored.probabilities).max() <= 1e-5
    for format in formats:
        assert_exported(run, cell.parent / f"model{format.suffix}", format, images, logits)


def assert_exported(run: Run, path: Path, format: Format, images: torch.Tensor, logits: torch.Tensor) -> None:
    assert max(export(run, path, format).differences.values()) <= format.tolerance
    squares = [torch.from_numpy(np.array(run.augmentation.picture(image))).permute(2, 0, 1) for image in images]
    answer = format.open(path)(torch.stack(squares))
    assert (answer - logits).abs().max().item() <= format.tolerance


@pytest.mark.parametrize("head", ["wise", "attention"])
def test_a_toy(head: str, pictures: Path, tmp_path: Path) -> None:
    cell = trained(tmp_path, pictures, head, "backbone=timm", "backbone.model=test_resnet")
    assert_same_logits(cell, pictures, (OnnxFormat(), TorchFormat()))


@pytest.mark.slow
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("head", HEADS)
def test_every_head_on_every_kind_of_backbone(backbone: str, head: str, pictures: Path, tmp_path: Path) -> None:
    cell = trained(tmp_path, pictures, head, f"backbone={backbone}")
    assert_same_logits(cell, pictures, (OnnxFormat(), TorchFormat()))
