"""Notebooks run from top to bottom on a study, as a user would run them; those in the repository hold what a run printed."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.paths import ROOT
from tests.support.studies import cell_config, write_cell, write_failed
from wisesr.cell.run import DONE, run
from wisesr.config.files import to_yaml
from wisesr.config.identity import cell_dir, fingerprint
from wisesr.config.options import load_option

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def execute(name: str, study: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """All that a notebook prints.

    Raises:
        CellExecutionError: a cell of it failed.
    """
    monkeypatch.setenv("WISESR_STUDY", str(study))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT / "notebooks")}}).execute()
    return "".join(text_of(output) for cell in notebook.cells for output in cell.get("outputs", ()))


def text_of(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    return "".join(str(text) for kind, text in output.data.items() if kind.startswith("text/"))


def test_there_are_two() -> None:
    assert [path.name for path in NOTEBOOKS] == ["01_heads.ipynb", "02_results.ipynb"]


@pytest.mark.slow
def test_heads(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for head in ("gap", "wise"):
        its = copy.deepcopy(config) | {
            "head": {**load_option("head", head), "name": head},
            "output_dir": str(tmp_path),
            "study": "toy",
        }
        directory = cell_dir(its, fingerprint(its))
        directory.mkdir(parents=True)
        (directory / "config.yaml").write_text(to_yaml(its))
        assert run(directory) == DONE
    printed = execute("01_heads.ipynb", tmp_path / "toy", monkeypatch)
    blind, able = (set(line.partition(":")[2].replace(" ", "").split(",")) for line in printed.splitlines()[:2])
    assert {"gap", "max", "gem", "avgmax", "lse", "gwap_attention"} <= blind
    assert {"wise", "depthwise", "depthwise_nonneg", "flatten", "gwap"} <= able
    assert "| wise | 163,910 |" in printed, "ResNet50's wise head for 70 classes, as the paper's notebooks have it"
    assert "row 2: wise" in printed


def test_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for head, top1 in (("gap", 0.7), ("wise", 0.8)):
        for seed in range(3):
            write_cell(cell_config(tmp_path, head=head, seed=seed), top1=top1 + 0.02 * seed, draw=len(head))
    write_failed(cell_config(tmp_path, head="depthwise"), "out of memory")
    printed = execute("02_results.ipynb", tmp_path / "study", monkeypatch)
    assert "82.00" in printed, "the mean of wise over its seeds"
    assert "out of memory" in printed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_kept_was_run_in_order(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert outputs
    assert all(output.output_type != "error" for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)
    assert str(Path.home()) not in "".join(map(text_of, outputs))
    assert path.stat().st_size < 600_000
