"""What one command finds before its first cell begins, a single cell's too: a batch of one image, a disk that is only read."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.configs import change
from tests.support.gpus import GRID as COMMAND
from tests.support.studies import cell_config, write_cell
from wisesr.cell.run import DONE, run
from wisesr.config.options import load_option
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import check_cells
from wisesr.grid.console import make_console
from wisesr.grid.inspection import CellInspector
from wisesr.grid.planning.disk import unwritable
from wisesr.grid.run_grid import run_grid

GRID = {"force": False, "retry": "none"}


def deep(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """54 training images, and a map of 1x1."""
    config = copy.deepcopy(config) | {"head": {"name": "gap", **load_option("head", "gap")}}
    for name, value in {
        "backbone.model": "test_resnet",
        "resolution.size": 32,
        "trainer.accelerator": "cpu",
        **changes,
    }.items():
        config = change(config, name.replace("__", "."), value)
    return config


def smallest_by_counting(images: int, size: int, parts: int) -> int:
    """Images of the smallest part, dealt out one by one."""
    batches = [min(size, images - start) for start in range(0, images, size)]
    return min(max(1, batch // parts) for batch in batches)


@pytest.mark.parametrize(("size", "accumulate"), [(53, 1), (54, 1), (1, 1), (50, 5), (50, 2), (8, 4), (100, 1)])
def test_whether_a_part_has_one_image_is_known_without_torch(config: dict[str, Any], size: int, accumulate: int) -> None:
    cell = deep(config, recipe__batch_size=size, trainer__accumulate=accumulate)
    inspector = CellInspector(GRID)
    inspector.inspect(check_cells([cell]), make_console())
    assert inspector.has_single_images == (smallest_by_counting(54, size, accumulate) == 1)


@pytest.mark.slow
def test_a_single_cell_is_not_begun(config: dict[str, Any], tmp_path: Path) -> None:
    cell = deep(config, recipe__batch_size=53) | {"grid": COMMAND, "output_dir": str(tmp_path / "outputs")}
    with pytest.raises(UserError, match=r"(?s)Nothing was started:.*last batch of each epoch holds 1 .*recipe.batch_size=52"):
        run_grid([cell], live=False)
    assert not (tmp_path / "outputs").exists()


@pytest.fixture
def only_read(tmp_path: Path) -> Iterator[Path]:
    """A file system that is mounted to be read, with a finished and an interrupted cell; root may write anywhere else."""
    place = tmp_path / "mounted"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True, check=False).returncode:
        pytest.skip("no leave to mount a file system")
    try:
        write_cell(cell_config(place))
        (write_cell(cell_config(place, seed=1)) / "result.json").unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_an_output_dir_that_is_only_read(only_read: Path) -> None:
    cells = check_cells([cell_config(only_read, seed=seed) for seed in range(3)])
    (problem,) = unwritable(cells)
    assert problem.startswith(f"output_dir: {only_read} cannot be written: Read-only file system")
    assert problem.endswith("output_dir=DIR")
    with pytest.raises(UserError, match="Nothing was started:\noutput_dir: .*Read-only file system"):
        run_grid([cell_config(only_read / "new") | {"grid": COMMAND}], live=False)
    assert run_grid([cell_config(only_read) | {"grid": COMMAND}], live=False) == 0, "what is done needs no file"
    assert run(cells[0].directory) == DONE
    with pytest.raises(UserError, match=r"cannot be written.*output_dir=DIR"):
        run(cells[1].directory)


def test_where_it_can_be_written_nothing_stays(tmp_path: Path) -> None:
    assert unwritable(check_cells([cell_config(tmp_path / "new")])) == []
    assert list(tmp_path.iterdir()) == []
