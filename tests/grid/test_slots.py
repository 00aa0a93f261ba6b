"""Slots: no GPU shared unless asked for, none left out, cores divided."""

from __future__ import annotations

import os
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.support.gpus import FOUR, GRID
from tests.support.gpus import on_any_device as cell
from wisesr.cell.attempt import RANKS, is_main
from wisesr.errors import UserError
from wisesr.grid.cell_process import environment
from wisesr.grid.cores import study_cores
from wisesr.grid.slots import make_slots, visible_gpus


@pytest.mark.parametrize(
    ("trainer", "grid", "expected"),
    [
        ({}, {}, [("GPU-a",), ("GPU-b",), ("GPU-c",), ("GPU-d",)]),
        ({"devices": 2}, {}, [("GPU-a", "GPU-b"), ("GPU-c", "GPU-d")]),
        ({"devices": 3}, {}, [("GPU-a", "GPU-b", "GPU-c")]),
        ({"devices": "auto", "strategy": "ddp"}, {}, [tuple(FOUR)]),
        ({"devices": "auto", "strategy": "ddp"}, {"gpus_per_cell": 2}, [("GPU-a", "GPU-b"), ("GPU-c", "GPU-d")]),
        ({}, {"cells_per_gpu": 2}, [(gpu,) for gpu in FOUR * 2]),
        ({}, {"slots": 2}, [("GPU-a",), ("GPU-b",)]),
        ({"accelerator": "cpu"}, {}, [()]),
    ],
)
def test_four_gpus(config: dict[str, Any], trainer: dict[str, Any], grid: dict[str, Any], expected: list[Any]) -> None:
    slots = make_slots([cell(config, **trainer)], GRID | grid, gpus=FOUR, cores=16)
    assert [slot.gpus for slot in slots] == expected
    assert [slot.cores for slot in slots] == [16 // len(slots)] * len(slots)


@pytest.mark.parametrize(
    ("trainer", "grid", "words"),
    [
        ({"devices": 8}, {}, "trainer.devices=8: there are 4 GPUs"),
        ({}, {"gpus_per_cell": 5}, "grid.gpus_per_cell=5: there are 4 GPUs"),
        ({}, {"gpus_per_cell": 2}, "grid.gpus_per_cell=2 and trainer.devices=1 exclude each other: trainer=ddp"),
        ({"devices": 2}, {"cells_per_gpu": 2}, "one of the two must be 1"),
        ({}, {"slots": 5}, "4 GPUs with 1 a cell are 4 slots"),
        ({"accelerator": "cpu"}, {"cells_per_gpu": 2}, "need GPUs, and these cells run on the CPU: use grid.slots"),
        ({"accelerator": "cpu"}, {"slots": 17}, "grid.slots=17 with 1 thread a cell need 17 cores, and there are 16"),
        ({"threads": 8}, {}, "grid.slots=4 with 8 threads a cell need 32 cores"),
        ({"accelerator": "cpu", "threads": 4}, {"slots": 5}, "At most grid.slots=4"),
        ({"accelerator": "cpu", "threads": 4, "devices": 2}, {"slots": 3}, "At most grid.slots=2"),
    ],
)
def test_what_cannot_be_had(config: dict[str, Any], trainer: dict[str, Any], grid: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        make_slots([cell(config, **trainer)], GRID | grid, gpus=FOUR, cores=16)


def test_cores_are_shared(config: dict[str, Any]) -> None:
    cpu = cell(config, accelerator="cpu")
    assert [slot.cores for slot in make_slots([cpu], GRID | {"slots": 3}, gpus=[], cores=8)] == [2, 2, 2]
    assert [slot.cores for slot in make_slots([cpu], GRID, gpus=[], cores=8)] == [8], "one cell at a time takes them all"
    assert make_slots([cell(config, threads=64)], GRID, gpus=[], cores=8)[0].cores == 8, "one cell may do as it likes"


@pytest.mark.parametrize(
    ("named", "gpus"), [("0,2", ["0", "2"]), ("GPU-x, GPU-y", ["GPU-x", "GPU-y"]), ("", []), ("1,-1,2", ["1"])]
)
def test_what_the_user_made_visible(named: str, gpus: list[str]) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": named}) == gpus


def test_what_the_driver_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho GPU-6d0f2a3c-1\necho GPU-77aa0001-2\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert visible_gpus({}) == ["GPU-6d0f2a3c-1", "GPU-77aa0001-2"]
    tool.write_text("#!/bin/sh\necho NVIDIA-SMI has failed >&2\nexit 9\n")
    assert visible_gpus({}) == []
    tool.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus({}) == [], "no driver"


def test_a_torch_without_cuda_has_no_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").touch()
    version = tmp_path / "torch" / "version.py"
    monkeypatch.setattr(
        "wisesr.grid.slots.find_spec", lambda _: spec_from_file_location("torch", version.with_name("__init__.py"))
    )
    version.write_text("__version__ = '2.9.0+cpu'\ncuda: Optional[str] = None\nhip: Optional[str] = None\n")
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "0,1"}) == []
    version.write_text("__version__ = '2.9.0'\ncuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n")
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "0,1"}) == ["0", "1"]


def test_cells_do_not_inherit_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Srun and pods number the process that runs a grid; its cells are ranks of nothing."""
    for name in RANKS:
        monkeypatch.setenv(name, "1")
    assert not set(RANKS) & set(environment())
    monkeypatch.setenv("RANK", "worker-1")
    assert not is_main()


def test_the_cores_of_a_study_stay(tmp_path: Path) -> None:
    assert study_cores(tmp_path / "study", 2) == 2
    assert study_cores(tmp_path / "study", 1) == 2
    assert study_cores(tmp_path / "other", 1) == 1
