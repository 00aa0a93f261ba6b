"""What is kept, on a card: cells from decoded images and from maps have the bits of cells without, after a kill too."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.cells import assert_same, kill_after_two_epochs, make, spawn
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.build.maps import map_keeper
from wisesr.cell.run import DONE
from wisesr.results.status_file import read_status
from wisesr.training.fit import fit

pytestmark = pytest.mark.gpu


def changed(config: dict[str, Any], **dataset: Any) -> dict[str, Any]:
    """With the same view of an image in every epoch."""
    config = copy.deepcopy(config)
    config["augment"] = {"_target_": "wisesr.data.augmentation.Plain"}
    config["dataset"] |= dataset
    if "features" in dataset:
        config["backbone"]["freeze"] = "all"
    return config


def done(cell: Path) -> Any:
    """What the record of a cell says of how it read its images, once it has run."""
    assert spawn(cell).wait(300) == DONE, read_status(cell).get("reason")
    return json.loads((cell / "result.json").read_text())["provenance"]["reads"]


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed", "64-true"])
def test_cells_from_maps_are_cells_without(on_gpu: dict[str, Any], tmp_path: Path, precision: str) -> None:
    on_gpu["trainer"]["precision"] = precision
    cells = {features: make(changed(on_gpu, features=features), tmp_path / features) for features in ("off", "on")}
    reads = {features: done(cell) for features, cell in cells.items()}
    assert [reads[features]["training"] == "maps" for features in ("off", "on")] == [False, True]
    assert reads["on"]["maps"]["differs"] == 0
    assert_same(cells["off"], cells["on"])


def test_cells_from_decoded_images_are_cells_without(on_gpu: dict[str, Any], tmp_path: Path) -> None:
    cells = {cache: make(changed(on_gpu, cache=cache), tmp_path / cache) for cache in ("off", "on")}
    reads = [done(cell)["training"] for cell in cells.values()]
    assert reads == ["files", "decoded"]
    assert_same(*cells.values())


@pytest.mark.parametrize("kept", [{"cache": "on"}, {"features": "on"}])
def test_killed_and_resumed_to_the_bit(on_gpu: dict[str, Any], tmp_path: Path, kept: dict[str, str]) -> None:
    on_gpu["recipe"]["epochs"] = 60 if "features" in kept else 6
    whole, cut = (make(changed(on_gpu, **kept), tmp_path / name) for name in ("whole", "cut"))
    undisturbed = spawn(whole)
    kill_after_two_epochs(cut, on_gpu["recipe"]["epochs"])
    assert undisturbed.wait(300) == DONE
    done(cut)
    assert_same(whole, cut)


def test_batches_of_maps_lie_in_pinned_memory(on_gpu: dict[str, Any], tmp_path: Path) -> None:
    """From where they are copied to the card while it computes."""
    on_gpu["dataset"]["workers"] = 0
    config = changed(on_gpu, features="on")
    parts = build(config, build_manifest(config))
    fit(parts.module, parts.data, parts.trainer, directory=tmp_path, loggers=[], maps=map_keeper(config, parts))
    batch = next(iter(parts.data.train_dataloader()))
    assert batch.images.shape[1:] == tuple(parts.module.model.backbone.feature_shape)
    assert batch.images.is_pinned()
    assert torch.equal(batch.images.cuda(non_blocking=True).cpu(), batch.images)
