"""What heads cost, against the figures that the records were written with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report.costs import Costs, table_costs
from wisesr.report.page.blocks import blocks
from wisesr.report.page.document import render_page
from wisesr.report.read import read_study
from wisesr.report.tables.cost_words import overhead

BATCH = 32
"""Of `cell_config`."""


def cost(**changes: Any) -> dict[str, Any]:
    parameters = {"backbone_parameters": 1000, "head_parameters": 70, "trainable_parameters": 70}
    known = {"parameters": parameters, "flops": {"backbone": 5000, "head": 300}, "images_per_second": 64.0}
    return {"cost": known | changes}


def write(root: Path, seed: int, *, threads: int = 2, device: str = "cpu", **changes: Any) -> None:
    hardware = {"host": "vm", "device": device, "cpu": "a processor", "system": "Linux"}
    made_by = {"threads": threads, "hardware": hardware}
    write_cell(cell_config(root, seed=seed), record=cost(**changes), provenance=made_by)


def costs(root: Path) -> Costs:
    return table_costs(read_study([root]).tables[0])


def test_parameters_operations_and_the_time_of_a_step(tmp_path: Path) -> None:
    write(tmp_path, 0, images_per_second=64.0)
    write(tmp_path, 1, images_per_second=16.0)
    (one,) = costs(tmp_path).costs
    assert (one.parameters, one.head_parameters, one.flops) == (1070, 70, 5300)
    assert one.step_ms == pytest.approx((1000 * BATCH / 64 + 1000 * BATCH / 16) / 2)
    assert costs(tmp_path).machine == "a processor, 2 threads"


@pytest.mark.parametrize("pace", [0, 0.0, None])
def test_an_attempt_that_trained_nothing_has_no_pace(pace: float | None, tmp_path: Path) -> None:
    write(tmp_path, 0, images_per_second=pace)
    assert costs(tmp_path).costs[0].step_ms is None
    write(tmp_path, 1, images_per_second=16.0)
    assert costs(tmp_path).costs[0].step_ms == pytest.approx(1000 * BATCH / 16)


@pytest.mark.parametrize("flops", [{"backbone": None, "head": 300}, {"backbone": 5000, "head": None}])
def test_operations_that_were_not_counted_are_not_guessed(flops: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, 0, flops=flops)
    assert costs(tmp_path).costs[0].flops is None


def test_times_are_those_of_the_machine_that_most_cells_ran_on(tmp_path: Path) -> None:
    write(tmp_path, 0, device="NVIDIA A100", threads=1, images_per_second=3200.0)
    write(tmp_path, 1, images_per_second=16.0)
    write(tmp_path, 2, images_per_second=32.0)
    found = costs(tmp_path)
    assert (found.machine, found.others) == ("a processor, 2 threads", ("NVIDIA A100, 1 thread",))
    assert found.costs[0].step_ms == pytest.approx((1000 * BATCH / 16 + 1000 * BATCH / 32) / 2)


def test_overheads_over_the_baseline_of_the_row(tmp_path: Path) -> None:
    parameters = {"backbone_parameters": 1000, "head_parameters": 71, "trainable_parameters": 71}
    write(tmp_path, 0, images_per_second=64.0, compute={"train_ms": 2.0, "inference_ms": 0.5})
    other = cost(parameters=parameters, images_per_second=51.2, compute={"train_ms": 1.5, "inference_ms": None})
    write_cell(cell_config(tmp_path, head="wise"), record=other, provenance={"threads": 2})
    gap, wise = costs(tmp_path).costs
    assert gap.over == {}
    wanted = {"parameters": 100 / 1070, "head_parameters": 100 / 70, "flops": 0.0, "step_ms": 25.0, "train_ms": -25.0}
    assert wise.over == pytest.approx(wanted)


def test_without_a_baseline_in_the_row_or_on_the_machine_nothing_is_over(tmp_path: Path) -> None:
    write(tmp_path, 0, device="NVIDIA A100")
    for seed in range(2):
        write_cell(cell_config(tmp_path, head="wise", seed=seed), record=cost())
    write_cell(cell_config(tmp_path, head="wise", backbone="resnet50"), record=cost())
    *_, wise, alone = sorted(costs(tmp_path).costs, key=lambda one: (one.entry.backbone, one.entry.head))
    assert alone.over == {} and alone.step_ms is not None
    assert set(wise.over) == {"parameters", "head_parameters", "flops"}, "no time is held against another machine's"


@pytest.mark.parametrize(
    ("percent", "counted", "measured"),
    [
        (0.0, "0 %", "0.0 %"),
        (0.0458, "+0.046 %", "0.0 %"),
        (0.000123, "+0.00012 %", "0.0 %"),
        (3.456, "+3.46 %", "+3.5 %"),
        (-25.04, "\N{MINUS SIGN}25.0 %", "\N{MINUS SIGN}25.0 %"),
        (1234.5, "+1,234 %", "+1,234 %"),
    ],
)
def test_overheads_in_words(percent: float, counted: str, measured: str) -> None:
    assert (overhead(percent, measured=False), overhead(percent, measured=True)) == (counted, measured)


def test_the_table_has_percent_and_the_figures_for_sorting_and_pointing(tmp_path: Path) -> None:
    write(tmp_path, 0, images_per_second=64.0)
    write_cell(cell_config(tmp_path, head="wise"), record=cost(images_per_second=51.2))
    study = read_study([tmp_path])
    page = render_page(study, (), made="", command="", script="", blocks=blocks(study, ()))
    table = page[page.index("Percent: what a head costs more than gap") :]
    assert '<td class="number" data-v="500.0">500.0</td>' in table
    assert '<td class="number" data-v="625.0" title="625.0 ms">+25.0 %</td>' in table
    assert '<td class="number" data-v="1070" title="1,070">0 %</td>' in table
    assert "Times are of a processor, 2 threads" in table
    assert ">train<" not in table, "no cell has it"
