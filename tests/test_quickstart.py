"""`make quickstart`: a grid of heads on kept maps and the page of its report, small enough to end while one waits."""

from __future__ import annotations

import json
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hydra.core.hydra_config import HydraConfig

from tests.support.command import train
from tests.support.configs import composed
from tests.support.gpus import GRID
from tests.support.paths import ROOT
from wisesr.build.data import build_manifest
from wisesr.build.maps import why_no_maps
from wisesr.cli import main
from wisesr.config.check import check
from wisesr.grid.planning.cell_planner import CellPlanner
from wisesr.grid.slots import make_slots
from wisesr.models.heads.pre_average import pre_average
from wisesr.types import FeatureShape

QUICKSTART = "experiment=quickstart"


def swept() -> dict[str, list[str]]:
    """What the experiment sweeps over."""
    composed(QUICKSTART)
    hydra = HydraConfig.get()
    assert hydra.mode is not None
    assert hydra.mode.name == "MULTIRUN"
    return {key: str(values).split(",") for key, values in hydra.sweeper.params.items()}


def test_every_head_passes_the_plan_and_all_cells_share_their_maps() -> None:
    planner, shapes = CellPlanner(gpus=0), set()
    for head in swept()["head"]:
        config = composed(QUICKSTART, f"head={head}")
        assert check(config) == []
        assert why_no_maps(config) is None
        cost, problems = planner.plan_cell(config)
        assert problems == []
        assert cost is not None
        shapes.add(cost.feature_map)
    (shape,) = shapes
    assert pre_average(FeatureShape(*shape), None).dropped == 0, "wise loses no edge that the others have"


def test_no_batch_of_an_epoch_goes_through_the_backbone() -> None:
    """As the last one would, were it smaller than the others."""
    config = composed(QUICKSTART)
    manifest = build_manifest(config)
    training = manifest.indices("train")
    assert len(training) % config["recipe"]["batch_size"] == 0
    counts = np.bincount(np.asarray(manifest.labels)[training])
    assert len(set(counts)) == 1, "as many of each class"


def test_nothing_is_fetched_and_nothing_leaves_the_machine() -> None:
    config = composed(QUICKSTART)
    assert (config["backbone"]["weights"], config["dataset"]["name"], config["logger"]) == ("package", "layouts", {})


@pytest.mark.parametrize(("gpus", "cores"), [((), 2), (("GPU-1",), 2), (("GPU-1", "GPU-2"), 64)])
def test_it_runs_on_any_machine_of_two_cores(gpus: tuple[str, ...], cores: int) -> None:
    grid = yaml.safe_load((ROOT / "conf" / "experiment" / "quickstart.yaml").read_text(encoding="utf-8"))["grid"]
    slots = make_slots([composed(QUICKSTART)], GRID | grid, gpus=gpus, cores=cores)
    assert [(slot.gpus, slot.cores) for slot in slots] == [((), cores // 2)] * 2


def test_make_trains_and_then_reports() -> None:
    command = ["make", "--no-print-directory", "-n", "quickstart"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert told[-2].rstrip().endswith(f"train.py {QUICKSTART}")
    assert told[-1].endswith("wisesr report quickstart")


@pytest.mark.slow
def test_a_small_one_from_images_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Maps are computed once, every cell reads them, the second time nothing is trained, and the page is where it is said."""
    words = (QUICKSTART, "head=gap,depthwise", "seed=0,1,2", "dataset.images=180", "recipe.epochs=2")
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    first = train(*words, cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    records = {path: path.read_bytes() for path in tmp_path.rglob("result.json")}
    assert len(records) == 6
    assert {json.loads(text)["provenance"]["reads"]["training"] for text in records.values()} == {"maps"}
    computed = [log for log in tmp_path.rglob("log.txt") if "computing maps: done" in log.read_text()]
    assert len(computed) == 1
    again = train(*words, cwd=tmp_path)
    assert again.returncode == 0 and records == {path: path.read_bytes() for path in tmp_path.rglob("result.json")}
    monkeypatch.chdir(tmp_path)
    assert main(["report", "quickstart"]) == 0
    page = capsys.readouterr().out.split()[-1]
    assert Path(page).is_file()
    for head, seed in product(("gap", "depthwise"), range(3)):
        assert any(f"efficientnet_lite0-{head}/seed-{seed}-" in str(path) for path in records)
