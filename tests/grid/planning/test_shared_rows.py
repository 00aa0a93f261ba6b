"""What cells make once for all of them, as the plan has it: counted by hand, held against cells that were run."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from tests.support.configs import change as changed
from wisesr.build.cell import build_model
from wisesr.build.data import build_manifest
from wisesr.cell.run import DONE, run
from wisesr.config.options import load_option
from wisesr.data.rows import room
from wisesr.grid.cell_dirs import make_cells, write_cell
from wisesr.grid.planning import disk, timing
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.hours import Estimate
from wisesr.grid.planning.kept import Kept, kept_sentences, making, start_sentence, with_room
from wisesr.grid.planning.plan import Plan
from wisesr.grid.planning.plan_table import print_plan
from wisesr.grid.planning.planner import plan_grid
from wisesr.training.cost import flops

Config = dict[str, Any]


def planned(*configs: Config) -> tuple[list[Cost], list[Kept]]:
    plans, kept = plan_grid(configs, 0, lambda *_: None)
    assert [problem for _, problems in plans for problem in problems] == []
    return [cost for cost, _ in plans if cost], kept


@pytest.fixture
def frozen(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A toy whose backbone is frozen, of 60 + 18 images, 54 + 6 + 18 in batches of 16; nothing is kept yet."""
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    plain = changed(config, "augment", load_option("augment", "none"))
    return changed(changed(plain, "backbone.freeze", "all"), "dataset.features", "on")


def of_head(config: Config, name: str) -> Config:
    return config | {"head": {"name": name, **load_option("head", name)}}


def test_work_of_cells_on_maps(frozen: Config) -> None:
    """An epoch costs the head alone, but for its last 6 of 54 images; the maps are computed once for heads and rates."""
    grid = [frozen, of_head(frozen, "gap"), changed(frozen, "recipe.optimizer.lr", 0.5)]
    costs, kept = planned(*grid)
    real = flops(build_model(frozen, 3), 64)
    backbone, head = real["backbone"], real["head"]
    assert costs[0].reads == "maps" and costs[0] == costs[2] and costs[0].flops == backbone + head
    assert costs[0].training(3) == 3 * (54 * 3 * head + 6 * backbone)
    assert costs[0].work(3) == costs[0].training(3) + (3 * (6 + 54) + 18) * head
    (maps,) = kept
    rows = (54 + 16) + 6 + 54 % 16 + 18 % 16  # full batches of training and test; the last ones of validation, its part, test
    assert (maps.images, maps.missing, maps.cells) == (rows, rows, [0, 1, 2])
    assert maps.flops == rows * backbone and maps.bytes == rows * 256 * 2 * 2 * 4


def test_seeds_share_no_random_backbone_and_all_share_weights(frozen: Config, tmp_path: Path) -> None:
    """Of backbones at random, one for each seed; sizes, too, have maps of their own."""
    _, kept = planned(*(frozen | {"seed": seed} for seed in (0, 1, 1)), changed(frozen, "resolution.size", 96))
    assert [store.cells for store in kept] == [[0], [1, 2], [3]]
    assert len({store.row_flops for store in kept}) == 2


def test_replicates_count_the_images_that_they_share_once(frozen: Config) -> None:
    """Other splits of the same images: rows are those of any of them, not their sum."""
    splits = [changed(frozen, "dataset.split_seed", seed) for seed in range(3)]
    alone = [planned(split)[1][0] for split in splits]
    (together,) = planned(*splits)[1]
    assert max(store.images for store in alone) <= together.images < sum(store.images for store in alone)
    assert 78 - 2 <= together.images <= 78 + 3 * (6 + 6 + 2), "images, and of each replicate its last batches"


def test_half_precision_takes_half(frozen: Config) -> None:
    full, half = (planned(changed(frozen, "dataset.features", way))[1][0] for way in ("on", "fp16"))
    assert half.row_bytes * 2 == full.row_bytes and half.images == full.images


def test_what_is_there_is_found(frozen: Config) -> None:
    """After one cell nothing is missing for another head; decoded images are not kept beside maps."""
    (cell,) = make_cells([frozen])
    write_cell(cell)
    assert run(cell.directory) == DONE
    assert cell.read_record().provenance.reads["training"] == "maps"  # type: ignore[union-attr]
    _, (maps,) = planned(of_head(frozen, "gap"))
    assert (maps.kind, maps.missing, maps.bytes, maps.flops) == ("maps", 0, 0, 0)
    assert "are there already" in kept_sentences([maps])[0] and start_sentence([maps]) is None
    _, (other,) = planned(frozen | {"seed": 1})
    assert other.missing == other.images, "another backbone at random"


def test_decoded_images_are_counted_once(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 78 at one size for all heads and seeds; none of augment=standard; a cell's own word for what it read agrees."""
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    assert [cost.reads for cost in planned(config)[0]] == ["files"] and planned(config)[1] == []
    plain = changed(config, "augment", load_option("augment", "none"))
    costs, (images,) = planned(plain, of_head(plain, "gap"), plain | {"seed": 1})
    assert {cost.reads for cost in costs} == {"decoded"}
    assert (images.kind, images.images, images.missing, images.bytes) == ("decoded", 78, 78, 78 * 3 * 64 * 64)
    (cell,) = make_cells([plain])
    write_cell(cell)
    assert run(cell.directory) == DONE
    assert cell.read_record().provenance.reads["training"] == "decoded"  # type: ignore[union-attr]
    assert planned(plain)[1][0].missing == 0
    off = changed(plain, "dataset.cache", "off")
    assert planned(off)[0][0].reads == "files" and planned(off)[1] == []


def store(tmp_path: Path, cells: list[int], *, asked: bool = False, bytes: int = 100) -> Kept:  # as it is told
    return Kept("maps", "toy at 64 px", str(tmp_path), 10, 10, bytes // 10, 10**9, asked, cells)


def test_what_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what is free, of what is left after the first; nine tenths where it was asked for; never beyond the limit."""
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: SimpleNamespace(free=200))
    monkeypatch.delenv(room.LIMIT, raising=False)
    stores = {
        "second": store(tmp_path, [1]),
        "first": store(tmp_path, [0]),
        "asked": store(tmp_path, [2], asked=True, bytes=90),
    }
    fits = with_room(stores)
    assert {name: one.fits for name, one in fits.items()} == {"first": True, "second": False, "asked": True}
    assert "too much" in kept_sentences([fits["second"]])[0] and fits["second"].flops == 0
    monkeypatch.setenv(room.LIMIT, "95")
    assert {name: one.fits for name, one in with_room(stores).items()} == {"first": False, "second": False, "asked": True}


def test_cells_without_room_compute_as_ever(frozen: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    (cost,), (maps,) = planned(frozen)
    assert not maps.fits and cost.reads == "files" and cost.measure_flops is None and cost.tail_flops == 0


def test_kept_rows_and_checkpoints_of_one_disk(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid whose rows would take the room of its checkpoints is refused; on another disk it is not."""
    needs = [(make_cells([config])[0], 80, 0)]
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=150))
    here = store(tmp_path, [0], bytes=70)
    assert disk.disk_problems(needs, 1, [here]) == []
    (problem,) = disk.disk_problems(needs, 1, [here._replace(row_bytes=8)])
    assert "80 B" in problem and "(maps)" in problem and "dataset.cache_dir" in problem
    assert disk.disk_problems(needs, 1, [here._replace(row_bytes=8, fits=False)]) == []
    assert disk.disk_problems(needs, 1, [here._replace(row_bytes=8, place="/proc")]) == []


def test_the_plan_tells_it(frozen: Config) -> None:
    """Figures of a cell are its own; the total has what is computed once, once."""
    cells = make_cells([frozen, of_head(frozen, "gap")])
    costs, kept = planned(*(cell.config for cell in cells))
    kept = [one._replace(seconds=600.0) for one in kept]
    plan = Plan([], list(costs), (), [Estimate(60.0, "timed")] * 2, kept=kept)
    console = Console(width=160, record=True, file=io.StringIO())
    print_plan(console, cells, plan)
    text = " ".join(console.export_text().split())
    assert f"{sum(cost.training(3) for cost in costs):.2e} FLOPs of training and {kept[0].flops:.2e} of what is" in text
    assert "The maps of toy at 64 px are computed once for 2 cells: 84 maps, " in text
    assert "About 12 minutes, by a timed step" in text, "two cells of a minute, and ten of making"
    assert making(kept) == [([0, 1], 600.0)]


def test_a_frozen_backbone_that_goes_through_each_epoch_says_why(frozen: Config) -> None:
    config = changed(changed(frozen, "dataset.features", "auto"), "recipe.mixup", 0.2)
    cells = make_cells([config])
    costs, kept = planned(config)
    assert kept and kept[0].kind == "decoded"
    console = Console(width=300, record=True, file=io.StringIO())
    print_plan(console, cells, Plan([], list(costs), kept=kept))
    assert "is computed in each epoch: recipe.mixup and recipe.cutmix make other images" in console.export_text()


def test_each_head_on_maps_is_timed(frozen: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads by themselves, the backbone once; decoded images without making any of the rows; nothing is written."""
    monkeypatch.setattr("wisesr.grid.planning.steps._ENOUGH", 0.0)
    gap = of_head(frozen, "gap")
    plain = changed(changed(frozen, "backbone.freeze", None), "dataset.features", "auto")
    cells = [frozen, gap, changed(gap, "recipe.optimizer.lr", 0.1), plain]
    costs, kept = planned(*cells)
    told: list[int] = []
    settings: dict[str, Any] = {"cores": 1, "imports": 5.0, "tell": told.append}
    paces, made = timing.time_cells(cells, costs, build_manifest, kept=kept, **settings)
    assert sorted(told) == [0, 1, 3] and paces[1] == paces[2]
    on_maps, other, whole = paces[0], paces[1], paces[3]
    assert on_maps is not None and other is not None and whole is not None
    assert 0 < on_maps.measure < on_maps.train < whole.train and on_maps != other
    assert on_maps.epoch > 6 * on_maps.measure, "the last six images of an epoch go through the backbone"
    assert [store.kind for store in kept] == ["maps", "decoded"]
    assert all(seconds is not None and seconds > 0 for seconds in made)
    place = Path(kept[0].place)
    assert not (place / "maps").exists() and not (place / "decoded").exists()


def test_what_was_asked_for_and_cannot_be_is_told_before_anything_starts(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the cell itself would say it; and a bound that is no size."""

    def problems(**settings: Any) -> list[str]:
        cell = config | {"dataset": config["dataset"] | settings}
        return [problem for _, own in plan_grid([cell], 0, lambda *_: None)[0] for problem in own]

    assert problems() == []
    (maps,) = problems(features="on")
    assert maps == "dataset.features=on: backbone.freeze=null trains it; leave it at auto"
    (images,) = problems(cache="on", fingerprint="listing")
    assert images.startswith("dataset.cache=on: dataset.fingerprint=listing")
    monkeypatch.setenv(room.LIMIT, "much")
    (bound,) = problems()
    assert "WISESR_CACHE_LIMIT must be a size" in bound
