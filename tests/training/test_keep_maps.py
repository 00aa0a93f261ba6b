"""Cells that read maps of a frozen backbone are those that compute it in each epoch, to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import assert_same, make
from tests.support.frozen import frozen, weights_file
from wisesr.cell.run import DONE, run
from wisesr.config.options import load_option

Config = dict[str, Any]


@pytest.fixture(scope="module")
def toy_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights_file(tmp_path_factory.mktemp("weights") / "toy.pth")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept" / "maps"


def reads(cell: Path) -> Any:
    return json.loads((cell / "result.json").read_text())["provenance"]["reads"]


def compare(config: Config, weights: Path, place: Path, **changes: Any) -> tuple[Path, Path]:
    """A cell without maps and one with, equal to the bit; the second has used them."""
    cells = [make(frozen(config, weights, how, **changes), place / how) for how in ("off", "on")]
    assert [run(cell) for cell in cells] == [DONE, DONE]
    assert reads(cells[0])["training"] != "maps"
    assert reads(cells[1])["training"] == "maps"
    assert reads(cells[1])["maps"]["differs"] == 0
    assert_same(*cells)
    return cells[0], cells[1]


HEADS = [
    *("gap", "wise", "depthwise", "gem", "lse", "max", "avgmax", "flatten", "fc", "attention", "simpool", "wise_shuffled"),
    *("gwap", "wise_frozen"),
]


@pytest.mark.parametrize("head", HEADS)
def test_heads(config: Config, toy_weights: Path, tmp_path: Path, head: str) -> None:
    settings = {"name": head, **load_option("head", head)}
    if head == "fc":
        settings["hidden"] = 6
    compare(config | {"head": settings}, toy_weights, tmp_path)


CASES: dict[str, dict[str, Any]] = {
    "ema and smoothing": {"recipe": {"ema": 0.9, "label_smoothing": 0.1, "class_weights": "balanced"}},
    "accumulated": {"trainer": {"accumulate": 2, "clip": 0.5}},
    "no training accuracy": {"trainer": {"train_eval_images": 0}},
    "training accuracy": {"trainer": {"train_eval_images": 17}},
    "protocol of the paper": {"protocol": "paper"},
    "bf16": {"trainer": {"precision": "bf16-mixed"}},
    "double": {"trainer": {"precision": "64-true"}},
    "channels first": {"trainer": {"channels_last": False}},
    "not deterministic": {"trainer": {"deterministic": False}},
    "two threads": {"trainer": {"threads": 2}},
    "no last batch of one kind": {"recipe": {"batch_size": 2}},
    "some classes": {"dataset": {"classes": 2}},
    "workers": {"dataset": {"workers": 2}},
    "conventions of Keras": {"recipe": {"batch_norm": "keras", "structure": "keras"}},
    "normalisation of the paper": {"augment": load_option("augment", "paper"), "dataset": {"views": 2}},
    "two views": {"augment": load_option("augment", "standard"), "dataset": {"views": 2}},
}


@pytest.mark.parametrize("case", CASES)
def test_settings(config: Config, toy_weights: Path, tmp_path: Path, case: str) -> None:
    compare(config, toy_weights, tmp_path, **CASES[case])


@pytest.mark.parametrize("size", [54, 11, 6, 5])
def test_batches_in_which_places_may_differ(config: Config, toy_weights: Path, store: Path, tmp_path: Path, size: int) -> None:
    """Left to us, maps are read where no place changes them, and the numbers are the same in any case."""
    cells = [make(frozen(config, toy_weights, how, recipe={"batch_size": size}), tmp_path / how) for how in ("off", "auto")]
    assert [run(cell) for cell in cells] == [DONE, DONE]
    (check,) = store.glob("*/check.json")
    assert (reads(cells[1])["training"] == "maps") == (json.loads(check.read_text()) == 0)
    assert_same(*cells)


@pytest.mark.parametrize("model", ["test_vit", "test_resnet", "test_convnext", "test_byobnet"])
def test_backbones(config: Config, tmp_path: Path, model: str) -> None:
    """A transformer's maps, too, which lie between class tokens."""
    config["backbone"]["model"] = model
    config["head"] = {"name": "wise", **load_option("head", "wise")}
    compare(config, weights_file(tmp_path / "weights.pth", model), tmp_path)
