"""How long a grid will take, by hand and by brute force: from finished cells, timed steps, FLOPs; as it is told."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from rich.console import Console

from tests.support.configs import change as changed
from tests.support.records import finish
from wisesr.build.data import build_manifest
from wisesr.config.options import load_option
from wisesr.grid.advice.costs import Costs
from wisesr.grid.cell_dirs import make_cells, write_cell
from wisesr.grid.eta import OVERHEAD
from wisesr.grid.planning import timing
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.finished import finished_seconds
from wisesr.grid.planning.hours import Estimate, Pace, estimate_all, forecast, total_hours
from wisesr.grid.planning.hours_text import hours_sentence
from wisesr.grid.planning.plan import Plan
from wisesr.grid.planning.plan_table import print_plan
from wisesr.grid.planning.planner import plan_cells
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.cell_files import RESULT
from wisesr.types import FeatureShape

Config = dict[str, Any]
ONE = Cost(1000, 100, 10**9, FeatureShape(8, 7, 7), 90, 12, 10**6, 10**5, 3 * 10**9, 20, 30)
"""Three epochs of 90 images with 20 that are measured, then 30 of the test."""
WORK = 3 * (90 * 3 + 20) * 10**9 + 30 * 10**9
PACE = Pace(start=10.0, epoch=1.0, train=0.1, measure=0.01)


def estimates(config: Config, **known: Any) -> list[Estimate | None]:
    settings = {"finished": [None, None], "paces": [None, None], "tflops": 20.0, **known}
    return estimate_all([config, config], [ONE, ONE], **settings)


def test_the_surest_source_is_taken(config: Config) -> None:
    assert ONE.work(3) == WORK
    by_hand = 10 + 3 * (1 + 90 * 0.1 + 20 * 0.01) + 30 * 0.01
    assert PACE.seconds(ONE, 3) == pytest.approx(by_hand)
    assert estimates(config) == [Estimate(WORK / 20e12, "flops")] * 2
    assert estimates(config, tflops=None) == [None, None], "nobody knows"
    first, second = estimates(config, paces=[PACE, None])
    assert first == Estimate(PACE.seconds(ONE, 3), "timed")
    assert second is not None and second.by == "scaled" and second.seconds == pytest.approx(by_hand), "equal work"
    assert estimates(config, paces=[PACE, PACE], finished=[7.0, None])[0] == Estimate(7.0, "finished")
    assert estimate_all([config], [None], finished=[None], paces=[None], tflops=20.0) == [None]


def test_slots_take_cells_in_their_order() -> None:
    """Against a simulation in steps of a second."""
    draw = random.Random(0)
    for slots in (1, 2, 3, 7):
        seconds = [draw.randint(1, 9) for _ in range(12)]
        waiting, running, now = list(seconds), [], 0
        while waiting or running:
            while waiting and len(running) < slots:
                running.append(waiting.pop(0))
            now += 1
            running = [left - 1 for left in running if left > 1]
        hours = total_hours([Estimate(float(own), "timed") for own in seconds], slots=slots)
        assert hours == (sum(seconds), now)
    two = total_hours([Estimate(8.0, "flops"), None, Estimate(8.0, "flops")], slots=2, gpus=4)
    assert two == (16.0, 2.0), "a cell is divided over the GPUs of its slot"
    assert total_hours([None]) is None


def test_what_is_made_once_is_waited_for() -> None:
    """Against a simulation in steps of a second: a slot that wants a thing makes it, or waits until it is made."""
    draw = random.Random(1)
    for slots in (1, 2, 4):
        seconds, making = [draw.randint(1, 9) for _ in range(10)], [([0, 1, 2, 5], 20.0), ([3, 9], 7.0)]
        left = {number: taken for number, (_, taken) in enumerate(making)}
        waiting, running, now, makers = list(range(10)), list[int](), 0, dict[int, int]()
        train = list(seconds)
        while waiting or running:
            while waiting and len(running) < slots:
                running.append(waiting.pop(0))
            for index in list(running):
                wants = [number for number, (cells, _) in enumerate(making) if index in cells and left[number] > 0]
                if not wants:
                    train[index] -= 1
                elif makers.setdefault(wants[0], index) == index:
                    left[wants[0]] -= 1
            now += 1
            running = [index for index in running if train[index] > 0]
        hours = total_hours([Estimate(float(own), "timed") for own in seconds], slots=slots, making=making)
        assert hours is not None and hours.work == sum(seconds) + 27
        assert hours.wall == pytest.approx(now, abs=1 if slots > 1 else 0)


def test_cells_on_maps_are_no_guide_to_others(config: Config) -> None:
    """Heads are slow for their FLOPs: one that was timed tells of heads alone. On a GPU what a cell takes beside counts."""
    maps = ONE.of_maps(0)._replace(reads="maps")
    guess = estimate_all([config] * 2, [maps, ONE], finished=[None] * 2, paces=[PACE, None], tflops=20.0)
    assert [each.by for each in guess if each] == ["timed", "flops"]
    (alone,) = estimate_all([config], [maps], finished=[None], paces=[None], tflops=20.0)
    assert alone is not None and alone.seconds == OVERHEAD + maps.work(3) / 20e12


def test_finished_cells_that_read_the_same_tell(config: Config) -> None:
    """Records of before have no word on it: files. Of maps each head is told by its own."""
    done, other = make_cells([config, config | {"seed": 1}])
    write_cell(done)
    finish(done.directory, done.config, seconds=60.0)
    gap = config | {"head": {"name": "gap", **load_option("head", "gap")}}
    asked = make_cells([each | {"seed": seed} for seed, each in enumerate([config, gap, config, gap], 2)])
    before = finished_seconds(asked, ["files", "files", "decoded", "maps"])
    assert [took is not None for took in before] == [True, True, False, False]
    write_cell(other)
    finish(other.directory, other.config, seconds=6.0)
    content = read_json(other.directory / RESULT)
    content["provenance"]["reads"] = {"training": "maps"}
    write_json(other.directory / RESULT, content)
    after = finished_seconds(asked, ["files", "files", "maps", "maps"])
    assert after[:2] == before[:2] and after[2] is not None and after[2] < OVERHEAD + 7 and after[3] is None


def test_sentences() -> None:
    timed, flops = Estimate(360.0, "timed"), Estimate(7200.0, "flops")
    hour = 3600 * 20 * 10**12
    by, assumed = "by a timed step of each model on this machine's CPU", "at 20 TFLOP/s, which is an assumption (grid.tflops)"
    assert hours_sentence([timed] * 2, hour, tflops=20.0) == f"About 12 minutes, {by}"
    assert hours_sentence([timed] * 2, hour, tflops=20.0, slots=2) == (
        f"About 12 minutes of work, 6 minutes with 2 cells at a time, {by}"
    )
    assert hours_sentence([flops] * 3, 6 * hour, tflops=20.0, slots=3) == (
        f"About 6 GPU hours of work, 2.0 hours with 3 cells at a time, {assumed}"
    )
    assert hours_sentence([flops] * 2, 4 * hour, tflops=20.0, gpus=4) == (
        f"About 4 GPU hours of work, 60 minutes with 1 cell at a time on 4 GPUs each, {assumed}"
    )
    several = hours_sentence([Estimate(90000.0, "timed"), Estimate(90000.0, "scaled")], 6 * hour, tflops=20.0)
    assert several == f"About 50 hours, 1 cell {by}, 1 cell by the FLOPs of those models. With GPUs, 6 GPU hours {assumed}"
    assert hours_sentence([None], 0, tflops=20.0) is None


def test_what_no_cpu_will_do_is_told_in_gpu_hours(config: Config) -> None:
    """A pace at which the two cells would take 1,100 hours; at an eighth of it, it stands."""
    slow, rest = Pace(0.0, 550 * 1200.0, 0.0, 0.0), {"finished": [None, None], "tflops": 20.0}
    times = forecast([config, config], [ONE, ONE], paces=[slow, None], **rest)
    assert times.estimates == estimates(config)
    assert times.on_cpu == pytest.approx(1100 * 3600)
    text = hours_sentence(times.estimates, 2 * WORK, tflops=20.0, on_cpu=times.on_cpu)
    assert text is not None and text.endswith("(grid.tflops). On this machine's CPU it would be about 1,100 hours")
    quicker = forecast([config, config], [ONE, ONE], paces=[slow._replace(epoch=550 * 150.0), None], **rest)
    assert quicker.on_cpu is None and [each.by for each in quicker.estimates if each] == ["timed", "scaled"]


def test_what_finished_cells_took(config: Config) -> None:
    """By epochs; of another head as well, and not of other images, batches or backbones."""
    (done,) = make_cells([config])
    write_cell(done)
    finish(done.directory, done.config, seconds=60.0)
    pace = 60.0 / done.read_record().budget.trained_epochs  # type: ignore[union-attr]
    gap = config | {"head": {"name": "gap", **load_option("head", "gap")}, "seed": 3}
    longer, larger = changed(gap, "recipe.epochs", 30), changed(gap, "recipe.batch_size", 8)
    other = changed(gap, "backbone.model", "test_resnet")
    found = finished_seconds(make_cells([gap, longer, larger, other]), ["files"] * 4)
    assert found == [OVERHEAD + pace * 3, OVERHEAD + pace * 30, None, None]


def test_a_frozen_backbone_counts_forward_only(config: Config) -> None:
    costs = [plan_cells([changed(config, "backbone.freeze", freeze)], 0, lambda *_: None)[0][0] for freeze in (None, "all")]
    trained, frozen = costs
    assert trained is not None and frozen is not None
    assert trained.train_flops == 3 * trained.flops == 3 * frozen.flops
    assert trained.flops < frozen.train_flops < 1.01 * trained.flops, "and its head three times"
    assert (trained.measured_images, trained.test_images) == (6 + 54, 18)
    paper = config | {"protocol": "paper"}
    ((on_test, _),) = plan_cells([paper], 0, lambda *_: None)
    assert on_test is not None and on_test.measured_images == 18 + 60, "of 60 images all, where 200 are wanted"


def test_a_model_is_timed_once_whatever_its_head_and_rate(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real steps of a toy, in a moment; what cannot be timed is left out; no more is begun when time is up."""
    gap = {"name": "gap", **load_option("head", "gap")}
    cells = [
        config,
        config | {"head": gap, "seed": 1},
        changed(config, "recipe.optimizer.lr", 0.1),
        changed(config, "resolution.size", 96),
        changed(config, "trainer.devices", 2),
    ]
    costs = [cost for cost, _ in plan_cells([*cells[:4], config], 0, lambda *_: None)]
    told: list[int] = []

    def timed() -> list[Pace | None]:
        told.clear()
        return timing.time_cells(cells, costs, build_manifest, cores=1, imports=5.0, tell=told.append)[0]

    monkeypatch.setattr("wisesr.grid.planning.steps._ENOUGH", 0.0)
    first, *others = timed()
    assert told == [0, 3]
    assert others[:2] == [first, first] and others[3] is None
    assert first is not None and others[2] is not None
    assert first.start > 5 and 0 < first.measure < first.train < 1
    monkeypatch.setattr(timing, "_SECONDS", -1.0)
    assert timed() == [None] * 5


def test_more_cells_cost_what_the_plan_says(config: Config) -> None:
    known = {id(config): ONE}
    timed = Costs([config], known, slots=2, estimates={id(config): Estimate(600.0, "timed")})
    assert timed.text([(config, 4)]) == "4 more cells, about 20 minutes"
    flops = Costs([config], known, estimates={id(config): Estimate(36000.0, "flops")})
    assert flops.text([(config, 4)]) == "4 more cells, 4 times the work of this 1 (about 40 GPU hours)"
    assert Costs([config], known).text([(config, 4)]) == "4 more cells, 4 times the work of this 1"


def test_a_large_plan_has_a_row_for_all_heads(config: Config) -> None:
    """144 cells of 24 backbones at a size: sums by hand, no word broken at 80 columns."""
    heads = ("gap", "gap_dropout", "depthwise", "depthwise_nonneg", "wise", "wise_dropout")
    configs = [
        changed(changed(changed(config, "head.name", head), "backbone.name", backbone), "resolution.size", size)
        for size in range(64, 88, 4)
        for backbone in ("a", "b", "c", "d")
        for head in heads
    ]
    cells = make_cells(configs)
    costs = [ONE._replace(head_parameters=100 + heads.index(each["head"]["name"])) for each in configs]
    plan = Plan([], list(costs), (), [Estimate(600.0, "timed")] * len(cells))
    for width in (160, 80):
        console = Console(width=width, record=True, file=io.StringIO())
        print_plan(console, cells, plan)
        text = console.export_text()
        rows = [line.split() for line in text.splitlines() if line.lstrip().startswith("corners-64")]
        assert all(len(line) <= width for line in text.splitlines() if "corners" in line)
        if width == 160:
            assert rows[0] == [
                *("corners-64", "a", "8x7x7", "1", "12", "6", "100", "to", "105"),
                *(f"{6 * 3 * 90 * 3 * 10**9:.2g}", "5.4", "MB", "60", "minutes"),
            ]
            assert len(rows) == 4
        assert "In total: 144 cells" in text
        assert "About 24 hours, by a timed step" in " ".join(text.split())
