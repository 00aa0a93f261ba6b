"""Train a step, save, load by directory, evaluate, predict, export: every head on every backbone's kind."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from tests.support.cells import make
from tests.support.configs import composed
from tests.support.images import paint
from wisesr.cell.run import DONE
from wisesr.cell.run import run as run_cell
from wisesr.config.options import options
from wisesr.inference.evaluate import evaluate
from wisesr.inference.evaluation.own_data import own_pictures
from wisesr.inference.export import export
from wisesr.inference.exporting.formats import capture
from wisesr.inference.exporting.network import Network
from wisesr.inference.exporting.onnx_format import OnnxFormat
from wisesr.inference.exporting.torch_format import TorchFormat
from wisesr.inference.load import load
from wisesr.inference.run import Run
from wisesr.results.predictions import read_predictions

HEADS = options("head")
BACKBONES = ("resnet18", "densenet121", "efficientnet_lite0", "vit_small", "swin_tiny")
TOY = ("backbone=timm", "backbone.model=test_resnet")
SIZE = 64
AVERAGED = "head.pre_pool=2"
"""Where `auto` would leave maps of 2x2 and 4x4 alone."""
SETTINGS = {
    **dict.fromkeys((name for name in HEADS if name.startswith("wise") or name in ("flatten", "gap_valid")), (AVERAGED,)),
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
        *(f"head={head}", *SETTINGS.get(head, ()), "dataset=folder", f"dataset.root={pictures}"),
        *(f"resolution.size={SIZE}", *backbone, "recipe=quick", "recipe.epochs=1", "recipe.batch_size=64"),
        *("trainer=cpu", "trainer.threads=1", "logger=none"),
    )
    cell = make(config, directory / head)
    assert run_cell(cell) == DONE
    return cell


def assert_evaluated(run: Run, pictures: Path) -> tuple[Tensor, Tensor]:
    """Loaded, it says of the test images what it said when it was trained. Its images and logits."""
    measured = evaluate(run, own_pictures(run, "test")).agreement
    assert measured is not None and measured.equal, measured
    stored = read_predictions(run.directory)
    assert stored is not None
    files = [pictures / name for name in stored.ids]
    images = torch.stack([run.transform(run.open(file)) for file in files])
    logits = run.logits(images)
    assert np.abs(logits.softmax(dim=1).numpy() - stored.probabilities).max() <= 1e-5
    predicted = np.stack([prediction.probabilities for prediction in run.predict(files)])
    assert np.abs(predicted - stored.probabilities).max() <= 1e-5
    return images, logits


def pixels_of(run: Run, images: Tensor) -> Tensor:
    squares = [torch.from_numpy(np.array(run.augmentation.picture(image))) for image in images]
    return torch.stack(squares).permute(0, 3, 1, 2).contiguous()


class Together(nn.Module):
    """All heads on one backbone: to convert it for each of them would take a quarter of an hour."""

    def __init__(self, networks: list[Network]) -> None:
        super().__init__()
        self.normalize, self.backbone = networks[0].normalize, networks[0].backbone
        self.heads = nn.ModuleList(network.head for network in networks)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        normal = self.normalize(images)
        features = self.backbone(normal)
        return tuple(head.of_images(features, normal) for head in self.heads)  # type: ignore[operator]


def assert_round_trip(heads: list[str], pictures: Path, directory: Path, *backbone: str) -> None:
    """Heads that are trained on the same frozen backbone, loaded, evaluated, predicted, exported."""
    runs = [load(trained(directory, pictures, head, *backbone, "backbone.freeze=all")) for head in heads]
    evaluated = [assert_evaluated(run, pictures) for run in runs]
    bodies = [run.model.backbone.state_dict() for run in runs]
    assert all(torch.equal(value, body[name]) for body in bodies for name, value in bodies[0].items())
    together = Together([Network(run, inside=True, probabilities=False) for run in runs]).eval()
    pixels = pixels_of(runs[0], evaluated[0][0])
    program = capture(together, pixels[:2])  # type: ignore[arg-type]
    onnx, torch_ = OnnxFormat(), TorchFormat()
    onnx.outputs = tuple(heads)
    onnx.write(program, {}, directory / "heads.onnx")
    torch_.write(program, {}, directory / "heads.pt2")
    session = onnxruntime.InferenceSession(directory / "heads.onnx", providers=["CPUExecutionProvider"])
    by_onnx = [torch.from_numpy(answer) for answer in session.run(heads, {"images": pixels.numpy()})]
    by_torch = torch_.open(directory / "heads.pt2")(pixels)
    for head, (_, logits), one, other in zip(heads, evaluated, by_onnx, by_torch, strict=True):
        largest = min(1.0, logits.abs().max().item())  # after one step they are small
        assert (one - logits).abs().max().item() <= 1e-4 * largest, head
        assert (other - logits).abs().max().item() <= 1e-5 * largest, head


def test_a_head_of_each_kind_on_a_toy(pictures: Path, tmp_path: Path) -> None:
    """One that averages, one with a kernel, one with a weight for each position, one that attends, one that permutes images."""
    assert_round_trip(["gap", "wise", "flatten", "attention", "wise_shuffled_images"], pictures, tmp_path, *TOY)


@pytest.mark.slow
def test_windows_that_the_edge_cuts_as_a_file(pictures: Path, tmp_path: Path) -> None:
    """In the file they are ONNX's, whose runtime averages them: on a map of 3x3 all but the first are cut."""
    for head in ("flatten", "fc", "wise"):
        cut = ("head.pre_pool=2", "head.pre_pool_mode=ceil", "resolution.size=96")
        run = load(trained(tmp_path, pictures, head, *TOY, *cut, "backbone.freeze=all"))
        assert run.model.backbone.feature_shape[1:] == (3, 3)
        for format in (OnnxFormat(), TorchFormat()):
            export(run, tmp_path / f"{head}{format.suffix}", format)


@pytest.mark.slow
@pytest.mark.parametrize("preprocessing", ["inside", "metadata"])
def test_a_head_that_permutes_each_image_as_a_file(preprocessing: str, pictures: Path, tmp_path: Path) -> None:
    """It is the run's in both formats, wherever pixels are normalised: `export` asks each file for 5 pictures of its own."""
    run = load(trained(tmp_path, pictures, "wise_shuffled_images", *TOY, "backbone.freeze=all"))
    for format in (OnnxFormat(), TorchFormat()):
        made = export(run, tmp_path / f"model{format.suffix}", format, preprocessing=preprocessing)  # type: ignore[arg-type]
        assert max(made.differences.values()) <= format.tolerance


@pytest.mark.slow
def test_every_head_on_a_toy(pictures: Path, tmp_path: Path) -> None:
    assert_round_trip(HEADS, pictures, tmp_path, *TOY)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_head_on_every_kind_of_backbone(backbone: str, pictures: Path, tmp_path: Path) -> None:
    assert_round_trip(HEADS, pictures, tmp_path, f"backbone={backbone}")


@pytest.mark.slow
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_kind_of_backbone_trained_and_exported_as_a_user_does(backbone: str, pictures: Path, tmp_path: Path) -> None:
    run = load(trained(tmp_path, pictures, "wise", f"backbone={backbone}"))
    images, logits = assert_evaluated(run, pictures)
    for format in (OnnxFormat(), TorchFormat()):
        path = tmp_path / f"model{format.suffix}"
        assert max(export(run, path, format).differences.values()) <= format.tolerance
        answer = format.open(path)(pixels_of(run, images))
        assert (answer - logits).abs().max().item() <= format.tolerance
