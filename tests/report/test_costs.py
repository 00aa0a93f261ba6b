"""What heads cost, against the figures that the records were written with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report.costs import Costs, table_costs
from wisesr.report.read import read_study

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
