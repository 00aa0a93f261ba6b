"""Cells that read maps of a frozen backbone are those that compute it in each epoch, to the bit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.cells import assert_same, make, spawn, weights
from tests.support.configs import change, composed
from tests.support.frozen import frozen, weights_file
from tests.support.images import paint
from wisesr.build.data import build_manifest
from wisesr.cell.experiment import train_and_record
from wisesr.cell.run import DONE, FAILED, run
from wisesr.config.options import load_option
from wisesr.data.rows.store import Rows, Store
from wisesr.errors import UserError
from wisesr.inference.evaluate import evaluate
from wisesr.inference.evaluation.own_data import own_pictures
from wisesr.inference.load import load
from wisesr.results.record_file import read_record
from wisesr.training.cost import forget_peak_memory, peak_memory
from wisesr.training.keep_maps import KeepMaps
from wisesr.training.map_computing import MapComputing

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
    records = [read_record(cell) for cell in cells]
    assert all(record is not None and record.cost.compute.train_ms and record.cost.compute.inference_ms for record in records)
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
    "some classes": {"dataset": {"classes": 2}},
    "workers": {"dataset": {"workers": 2}},
    "conventions of Keras": {"recipe": {"batch_norm": "keras", "structure": "keras"}},
    "normalisation of the paper": {"augment": load_option("augment", "paper"), "dataset": {"views": 2}},
    "two views": {"augment": load_option("augment", "standard"), "dataset": {"views": 2}},
}


_SLOW = (
    "two threads",
    "workers",
    "normalisation of the paper",
    "conventions of Keras",
    "no training accuracy",
    "not deterministic",
)


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.slow) if case in _SLOW else case for case in CASES])
def test_settings(config: Config, toy_weights: Path, tmp_path: Path, case: str) -> None:
    compare(config, toy_weights, tmp_path, **CASES[case])


@pytest.mark.parametrize("size", [11, 5, *(pytest.param(size, marks=pytest.mark.slow) for size in (54, 6, 2))])
def test_batches_in_which_places_may_differ(config: Config, toy_weights: Path, store: Path, tmp_path: Path, size: int) -> None:
    """Left to us, maps are read where no place changes them, and the numbers are the same in any case."""
    cells = [make(frozen(config, toy_weights, how, recipe={"batch_size": size}), tmp_path / how) for how in ("off", "auto")]
    assert [run(cell) for cell in cells] == [DONE, DONE]
    (path,) = store.glob("*/places.json")
    same = json.loads(path.read_text()) == [0, False]
    assert reads(cells[1])["training"] == ("maps" if same else "decoded")
    assert_same(*cells)


@pytest.mark.parametrize("model", ["test_vit", "test_resnet", "test_convnext", "test_byobnet"])
def test_backbones(config: Config, tmp_path: Path, model: str) -> None:
    """A transformer's maps, too, which lie between class tokens."""
    config["backbone"]["model"] = model
    config["head"] = {"name": "wise", **load_option("head", "wise")}
    compare(config, weights_file(tmp_path / "weights.pth", model), tmp_path)


def rows_of(store: Path) -> list[int]:
    """How many rows each segment of the one store has, in the order in which they were made."""
    (folder,) = {path.parent for path in store.glob("*/*.npz")}
    return [len(np.load(path)["keys"]) for path in sorted(folder.glob("*.npz"))]


def test_other_heads_splits_and_folders_share_the_rows(
    config: Config, toy_weights: Path, images: Path, store: Path, tmp_path: Path
) -> None:
    """A replicate adds its own last batches, and the images that have come into its training split."""
    compare(config, toy_weights, tmp_path / "one")
    first = rows_of(store)
    assert first == [54 + 16 + 6 + 2 + 54 % 16], "train, test in a full batch, the ends of val, test and of the measured images"
    compare(config | {"head": {"name": "gap", **load_option("head", "gap")}, "seed": 3}, toy_weights, tmp_path / "head")
    moved = tmp_path / "elsewhere" / "names"
    shutil.copytree(images, moved)
    compare(change(config, "dataset.root", str(moved)), toy_weights, tmp_path / "moved")
    assert rows_of(store) == first
    compare(change(config, "dataset.split_seed", 1) | {"seed": 1}, toy_weights, tmp_path / "replicate")
    assert len(rows_of(store)) == 2
    assert rows_of(store)[1] <= 6 + 6 + 6, "of val to train, its end, and that of the measured images"


@pytest.mark.parametrize("name", ["digits", "layouts", "arrays"])
def test_images_that_are_no_files(config: Config, toy_weights: Path, tmp_path: Path, name: str) -> None:
    settings = composed(f"dataset={name}", *["dataset.file=own.npz"] * (name == "arrays"))["dataset"]
    if name == "digits":
        settings["test_fraction"] = 0.9
    if name == "layouts":
        settings |= {"images": 90, "classes": 3, "pixels": 64}
    if name == "arrays":
        pixels = np.random.default_rng(0).integers(0, 256, (60, 20, 30, 3), dtype=np.uint8)
        np.savez(tmp_path / "own.npz", images=pixels, labels=np.arange(60) % 3)
        settings["root"] = str(tmp_path)
    compare(config | {"dataset": settings}, toy_weights, tmp_path, recipe={"epochs": 1})


OTHERS: dict[str, dict[str, Any]] = {
    "weights": {"backbone": {"weights": "other"}},
    "size": {"resolution": {"size": 72}},
    "resizing": {"augment": {"resize": "pad"}},
    "normalisation": {"augment": {**load_option("augment", "paper"), "normalization": "tf"}, "dataset": {"views": 1}},
    "precision": {"trainer": {"precision": "bf16-mixed"}},
    "layout": {"trainer": {"channels_last": False}},
    "threads": {"trainer": {"threads": 2}},
    "algorithms": {"trainer": {"deterministic": False}},
    "batch": {"recipe": {"batch_size": 8}},
    "type": {"dataset": {"features": "fp16"}},
    "strides": {"recipe": {"structure": "keras"}},
    "reading": {"dataset": {"range": 12}},
}


@pytest.mark.slow  # tests/build/test_maps.py has what a key holds
def test_maps_of_anything_else_are_never_found(
    config: Config, toy_weights: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError("not here")

    monkeypatch.setattr(KeepMaps, "_compute", none)
    for count, (name, changes) in enumerate([("itself", {}), *OTHERS.items()], start=1):
        other = frozen(config, toy_weights, "on", recipe={"epochs": 1})
        for group, settings in changes.items():
            other[group] = {**other[group], **settings}
        if name == "weights":
            other["backbone"]["weights"] = str(weights_file(tmp_path / "other.pth", seed=1))
        assert run(make(other, tmp_path / name)) == DONE
        assert len(list(store.iterdir())) == count, name


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_half_the_room(config: Config, toy_weights: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """float16 rounds maps the same, whether they are read or computed; its record says by how much."""
    cells = [make(frozen(config, toy_weights, "fp16"), tmp_path / name) for name in ("kept", "computed")]
    assert run(cells[0]) == DONE
    told = reads(cells[0])["maps"]
    assert told["dtype"] == "float16"
    assert 0 < told["rounding"]["relative_rms"] < 2**-11
    assert told["rounding"]["largest_error"] <= told["rounding"]["largest_value"] * 2**-11
    assert sum(path.stat().st_size for path in store.glob("*/*.rows")) == sum(rows_of(store)) * 2 * 256 * 2 * 2
    monkeypatch.setattr(Store, "_build", full)
    shutil.rmtree(store)
    assert run(cells[1]) == DONE
    assert reads(cells[1])["training"] == "files", "there was no room for anything"
    assert_same(*cells)
    exact = make(frozen(config, toy_weights, "off"), tmp_path / "exact")
    assert run(exact) == DONE
    (one, other), name = (weights(cell) for cell in (cells[0], exact)), "model.head.classifier.weight"
    assert not torch.equal(one[name], other[name]), "it is another computation"
    loaded = load(cells[0])
    agreement = evaluate(loaded, own_pictures(loaded, "test")).agreement
    assert agreement is not None and agreement.equal, "what is loaded rounds, too"


def test_what_half_the_room_cannot_hold(config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = weights_file(tmp_path / "large.pth")
    state = torch.load(path)
    last = [name for name, value in state.items() if value.ndim == 1 and name.endswith("weight")][-1]
    torch.save(state | {last: state[last] * 1e6}, path)
    assert run(make(frozen(config, path, "fp16"), tmp_path / "cell")) == FAILED
    assert "dataset.features=fp16 holds values up to 65504, and maps have" in caplog.text


def test_no_room(config: Config, toy_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong with what is kept, a cell computes what it would have read."""
    cells = [make(frozen(config, toy_weights, how), tmp_path / how) for how in ("off", "on")]
    assert run(cells[0]) == DONE

    monkeypatch.setattr(Store, "_build", full)
    assert run(cells[1]) == DONE
    assert reads(cells[1])["training"] != "maps"
    assert_same(*cells)


def test_maps_that_go_while_they_are_read(
    config: Config, toy_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [make(frozen(config, toy_weights, how), tmp_path / how) for how in ("off", "on")]
    assert run(cells[0]) == DONE
    read, count = Rows.read, iter(range(10**6))

    def once(rows: Rows, position: int, into: memoryview) -> None:
        if next(count) > 70:
            raise OSError("gone")
        read(rows, position, into)

    monkeypatch.setattr(Rows, "read", once)
    assert run(cells[1]) == DONE
    assert next(count) > 70
    assert_same(*cells)


def test_a_file_that_has_changed_since_it_was_listed(
    config: Config, toy_weights: Path, images: Path, store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its map would be found by what it was."""
    root = tmp_path / "images"
    shutil.copytree(images, root)
    config = frozen(change(config, "dataset.root", str(root)), toy_weights, "on")
    manifest = build_manifest(config)
    paint(root / "train" / "class0" / "03.png", 2, 77)
    with pytest.raises(UserError, match="has changed since its folder was listed"):
        train_and_record(make(config, tmp_path / "cell"), config, manifest)
    assert not list(store.glob("*/*.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("when", ["computing", "training"])
def test_a_kill(config: Config, toy_weights: Path, store: Path, tmp_path: Path, when: str) -> None:
    """At any moment: what is done again is what was done."""
    cells = [make(frozen(config, toy_weights, how, recipe={"epochs": 12}), tmp_path / how) for how in ("off", "on")]
    killed = cells[1]
    process = spawn(killed)
    begun = (lambda: list(store.glob("*/.building.rows"))) if when == "computing" else (killed / "last.ckpt").exists
    while not begun():
        assert process.poll() is None
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert read_record(killed) is None
    assert run(killed) == DONE
    assert reads(killed)["training"] == "maps"
    assert run(cells[0]) == DONE
    assert_same(*cells)


def test_peak_memory_is_of_the_training(
    config: Config, toy_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever computes maps for all others tells no more than those."""
    make_rows = MapComputing.rows

    def wasteful(*arguments: Any) -> Any:
        np.ones(2**28 // 8).sum()  # 256 MiB that no training takes
        return make_rows(*arguments)

    monkeypatch.setattr(MapComputing, "rows", wasteful)
    forget_peak_memory(torch.device("cpu"))
    before = peak_memory(torch.device("cpu"))
    cell = make(frozen(config, toy_weights, "on"), tmp_path / "cell")
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None and record.cost.peak_memory_bytes < before + 2**28
