"""What images are normalised with: told by the augmentation, kept with the weights, held against the next augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wisesr import create_model
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.build.parts import build_augmentation
from wisesr.config.check import check
from wisesr.config.options import load_option
from wisesr.data.augmentation import Augmentation
from wisesr.errors import UserError
from wisesr.grid.planning.cell_planner import CellPlanner
from wisesr.models.keras_structure import STRUCTURES, has_keras_structure

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
HALVES = {"mean": [0.5] * 3, "std": [0.5] * 3}
CAFFE = {"mean": [123.68 / 255, 116.779 / 255, 103.939 / 255], "std": [1 / 255] * 3, "order": "BGR"}
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
ALL: list[dict[str, Any]] = [
    load_option("augment", "none"),
    load_option("augment", "standard"),
    *(load_option("augment", "paper") | {"normalization": name} for name in ("caffe", "imagenet", "tf", "backbone")),
]


def named(node: dict[str, Any]) -> str:
    return node["_target_"].rpartition(".")[2] + "-" + node.get("normalization", "")


@pytest.fixture
def image() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))


def test_inputs_by_name() -> None:
    own = {"mean": list(MEAN), "std": list(STD)}
    expected = [own, own, CAFFE, IMAGENET, HALVES, own]
    assert [build_augmentation(node, 32, MEAN, STD).inputs for node in ALL] == expected, "to the last bit, as files hold them"


@pytest.mark.parametrize("node", ALL, ids=named)
def test_inputs_are_what_is_done(node: dict[str, Any], image: Image.Image) -> None:
    augment = build_augmentation(node, 32, MEAN, STD)
    channels = np.asarray(image, dtype=np.float64).transpose(2, 0, 1) / 255
    mean, std = (np.array(augment.inputs[key])[:, None, None] for key in ("mean", "std"))
    expected = (channels - mean) / std
    if augment.inputs.get("order") == "BGR":
        expected = expected[::-1]
    made = augment(image, training=False)
    torch.testing.assert_close(made.double(), torch.from_numpy(expected.copy()), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("node", ALL, ids=named)
def test_a_picture_is_the_image_again(node: dict[str, Any], image: Image.Image) -> None:
    augment = build_augmentation(node, 32, MEAN, STD)
    tensor = augment(image, training=False)
    assert np.array_equal(np.asarray(augment.picture(tensor)), np.asarray(image))
    assert np.asarray(augment.picture(torch.full_like(tensor, 1e4))).min() == 255
    assert np.asarray(augment.picture(torch.full_like(tensor, -1e4))).max() == 0


def checkpoint(config: dict[str, Any], path: Path) -> Path:
    """What a cell of this configuration leaves, as Lightning would save it."""
    module = build(config, build_manifest(config)).module
    saved: dict[str, Any] = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(saved)
    torch.save(saved, path)
    return path


def test_a_checkpoint_is_held_against_the_augmentation(config: dict[str, Any], tmp_path: Path) -> None:
    manifest, standard = build_manifest(config), config["augment"]
    paper = load_option("augment", "paper")
    config["augment"] = paper
    config["backbone"]["weights"] = str(checkpoint(config, tmp_path / "paper.ckpt"))
    module = build(config, manifest).module
    assert module.inputs == module.model.backbone.trained_inputs == CAFFE
    for node, words in (
        (paper | {"normalization": "backbone"}, r"trained on images normalised with .*BGR.*: set augment.normalization=caffe$"),
        (standard, "augment=paper augment.normalization=caffe does as was done there$"),
    ):
        with pytest.raises(UserError, match=words):
            build(config | {"augment": node}, manifest)
    model = create_model("test_efficientnet", "gap", 3, 64, weights=config["backbone"]["weights"])
    assert model.backbone.trained_inputs == CAFFE, "in Python the caller normalises, and is told"


def test_a_checkpoint_of_another_tag(config: dict[str, Any], tmp_path: Path) -> None:
    file = checkpoint(config, tmp_path / "standard.ckpt")
    assert torch.load(file, weights_only=True)["inputs"] == IMAGENET, "as checkpoints always had it"
    config["backbone"]["weights"] = str(file)
    assert build(config, build_manifest(config)).module.inputs == IMAGENET
    torch.save(torch.load(file, weights_only=True) | {"inputs": HALVES}, file)
    assert check(config) == []
    (problem,) = CellPlanner(0).plan_cell(config)[1]
    told = "mean 0.5, 0.5, 0.5 and std 0.5, 0.5, 0.5", "mean 0.485, 0.456, 0.406 and std 0.229, 0.224, 0.225"
    assert (
        f"{file} was trained on images normalised with {told[0]}, and here they would be normalised with {told[1]}" in problem
    )
    tag = "name backbone.model as it was named there, its tag included"
    assert problem.endswith(f": {tag}; or else augment=paper augment.normalization=tf does as was done there")
    config["augment"] = load_option("augment", "paper")
    (problem,) = CellPlanner(0).plan_cell(config)[1]
    assert problem.endswith("set augment.normalization=tf")
    config["augment"]["normalization"] = "tf"
    assert CellPlanner(0).plan_cell(config)[1] == []


def test_weights_from_elsewhere_are_never_refused(config: dict[str, Any], tmp_path: Path) -> None:
    torch.save(create_model("test_efficientnet", "gap", 3, 64).backbone.model.state_dict(), tmp_path / "w.pth")
    config["backbone"]["weights"] = str(tmp_path / "w.pth")
    config["augment"] = load_option("augment", "paper")
    assert build(config, build_manifest(config)).module.inputs == CAFFE


class Bare:
    """No `Augmentation`."""

    def __init__(self, size: int, mean: object, std: object) -> None: ...


class Mine(Augmentation):
    """One outside of wisesr."""

    def __init__(self, size: int, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__(mean, std)

    def __call__(self, image: Image.Image, *, training: bool) -> torch.Tensor:
        return torch.zeros(3, 4, 4)


def test_a_foreign_augmentation_must_tell_its_inputs() -> None:
    assert build_augmentation({"_target_": "tests.test_inputs.Mine"}, 4, MEAN, STD).inputs["mean"] == list(MEAN)
    with pytest.raises(UserError, match=r"tests.test_inputs.Bare is no Augmentation; .*docs/extending"):
        build_augmentation({"_target_": "tests.test_inputs.Bare"}, 4, MEAN, STD)


@pytest.mark.parametrize("name", ["standard", "paper"])
def test_images_to_measure_on_are_not_augmented(config: dict[str, Any], name: str) -> None:
    config["augment"] = load_option("augment", name)
    manifest = build_manifest(config)
    data = build(config, manifest).data
    augment = build_augmentation(config["augment"], 64, IMAGENET["mean"], IMAGENET["std"])
    for loader in (*data.val_dataloader(), data.test_dataloader()):
        for batch in loader:
            for image, position in zip(batch.images, batch.positions.tolist(), strict=True):
                assert torch.equal(image, augment(manifest.load(position), training=False))


def test_a_checkpoint_knows_the_epsilon_of_its_batch_norm(config: dict[str, Any], tmp_path: Path) -> None:
    """No state dict does, and with another one the same weights compute something else."""
    config["recipe"]["batch_norm"] = "keras"
    file = str(checkpoint(config, tmp_path / "keras.ckpt"))
    again = create_model("test_efficientnet", "gap", 3, 64, weights=file).backbone
    assert {layer.eps for layer in again.modules() if isinstance(layer, torch.nn.BatchNorm2d)} == {1e-3}
    torch.save({key: value for key, value in torch.load(file).items() if key != "epsilons"}, file)
    other = create_model("test_efficientnet", "gap", 3, 64, weights=file).backbone
    assert {layer.eps for layer in other.modules() if isinstance(layer, torch.nn.BatchNorm2d)} == {1e-5}
    torch.save(torch.load(file) | {"epsilons": [1e-3]}, file)
    with pytest.raises(UserError, match="must tell an epsilon for each of"):
        create_model("test_efficientnet", "gap", 3, 64, weights=file)
    images = torch.randn(2, 3, 64, 64)
    assert not torch.allclose(again.eval()(images), other.eval()(images))


def test_a_checkpoint_knows_whose_strides_it_was_trained_with(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No state dict does, and with others the same weights compute something else."""
    monkeypatch.setitem(STRUCTURES, "test_efficientnet", STRUCTURES["efficientnet_b0"])
    own = torch.load(checkpoint(config, tmp_path / "timm.ckpt"))
    assert "structure" not in own
    config["recipe"]["structure"] = "keras"
    file = str(checkpoint(config, tmp_path / "keras.ckpt"))
    assert has_keras_structure(create_model("test_efficientnet", "gap", 3, 64, weights=file).backbone.model)
    torch.save({key: value for key, value in torch.load(file).items() if key != "structure"}, file)
    assert not has_keras_structure(create_model("test_efficientnet", "gap", 3, 64, weights=file).backbone.model)
