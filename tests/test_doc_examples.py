"""Every example of README and docs: Python blocks run, page by page and in order; command lines are parsed and composed.

docs/extending/ writes files and trains: tests/test_extending.py runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser

from tests.support.configs import change
from tests.support.doc_blocks import PAGES, Block, blocks, commands
from tests.support.images import paint
from tests.support.paths import ROOT
from wisesr.cell.run import DONE, run
from wisesr.cli import main
from wisesr.config.command_line import arrange
from wisesr.config.compose import compose_checked
from wisesr.config.files import to_yaml
from wisesr.config.identity import cell_dir, fingerprint
from wisesr.config.options import load_option

ELSEWHERE = "docs/extending"
"""Beginning of the pages whose examples other tests run."""
PYTHON = {
    str(page.relative_to(ROOT)): own
    for page in PAGES
    if not str(page.relative_to(ROOT)).startswith(ELSEWHERE)
    and (own := [block for block in blocks(page) if block.kind == "python"])
}
RUN = "wisesr.load("
"""What pages say that need a trained cell: `quickstart:efficientnet_lite0-wise-0` is there, and pictures in `photos/`."""


@pytest.fixture
def at_home(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, with a few pictures."""
    for index in range(2):
        paint(tmp_path / "photos" / f"{index}.jpg", index, index)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train_quickstart(config: dict[str, Any], home: Path) -> None:
    """`outputs/quickstart` with a cell of a toy backbone that is called efficientnet_lite0."""
    its = change(change(config, "backbone.name", "efficientnet_lite0"), "recipe.epochs", 1)
    its |= {"head": {**load_option("head", "wise"), "name": "wise"}, "study": "quickstart", "output_dir": str(home / "outputs")}
    directory = cell_dir(its, fingerprint(its))
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text(to_yaml(its), encoding="utf-8")
    assert run(directory) == DONE


@pytest.mark.parametrize("page", PYTHON)
def test_python_runs(page: str, at_home: Path, config: dict[str, Any]) -> None:
    if any(RUN in block.code for block in PYTHON[page]):
        train_quickstart(config, at_home)
    torch.manual_seed(0)
    names: dict[str, Any] = {"__name__": "__main__"}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as printed:
        warnings.filterwarnings("ignore", module="lightning.*")  # advice on workers, loggers and steps of a small example
        warnings.filterwarnings("ignore", message=".*isinstance\\(treespec, LeafSpec\\).*")
        for block in PYTHON[page]:
            if block.why_not_run is None:
                run_block(block, names)
    promised = [line for block in PYTHON[page] if block.why_not_run is None for line in printed_comments(block)]
    assert [line for line in promised if line not in printed.getvalue().splitlines()] == []


def run_block(block: Block, names: dict[str, Any]) -> None:
    """In the names of the page's blocks before it; a traceback names page and line."""
    exec(compile("\n" * (block.line - 1) + block.code, str(ROOT / block.page), "exec"), names)


def printed_comments(block: Block) -> list[str]:
    """What the comments of lines that print say is printed, up to a comma that begins a remark."""
    lines = [line for line in block.code.splitlines() if line.startswith("print(") and "  # " in line]
    return [line.partition("  # ")[2].partition(", as ")[0] for line in lines]


def test_few_blocks_are_left_out() -> None:
    left_out = [block for page in PAGES for block in blocks(page) if block.why_not_run is not None]
    assert [(block.page, block.line) for block in left_out if len(block.why_not_run or "") < 10] == [], "a reason is a sentence"
    assert len(left_out) <= 4, [(block.page, block.line, block.why_not_run) for block in left_out]
    assert {"docs/python.md"} <= PYTHON.keys()


WISESR = [(page, line, words) for page in PAGES for line, words in commands(page, "wisesr") if words[0] != "train"]
TRAIN = [
    (page, line, words)
    for page in PAGES
    for program in ("python train.py", "wisesr train")
    for line, words in commands(page, program)
    if not str(page.relative_to(ROOT)).startswith(ELSEWHERE)
]


def name_of(value: object) -> str | None:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value) if isinstance(value, int) else ""


@pytest.mark.parametrize(("page", "line", "words"), WISESR, ids=name_of)
def test_a_line_of_wisesr_is_parsed(page: Path, line: int, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_known_args

    def without_running(*arguments: Any, **settings: Any) -> Any:
        chosen, others = parse(*arguments, **settings)
        chosen.run = lambda _: 0
        return chosen, others

    monkeypatch.setattr(argparse.ArgumentParser, "parse_known_args", without_running)
    assert main(words) == 0


@pytest.mark.parametrize(("page", "line", "words"), TRAIN, ids=name_of)
def test_a_line_of_train_is_composed_and_checked(page: Path, line: int, words: list[str]) -> None:
    """Each value of a sweep once, beside the first ones of the others."""
    parser = OverridesParser.create()
    swept = []
    for word in (word for word in arrange(words).arguments if word not in ("-m", "--multirun")):
        override = parser.parse_override(word)
        key = override.get_key_element()
        if override.is_hydra_override() and key.startswith(("hydra/sweeper", "hydra.sweeper")):
            continue  # Optuna's, which need not be installed
        values = list(override.sweep_string_iterator()) if override.is_discrete_sweep() else []
        if override.is_sweep_override() and not values:  # an interval, whose ends a search may choose
            value = override.value()
            values = [str(value.start), str(value.end)]
        swept.append([f"{key}={value}" for value in values] or [word])
    assert any(len(values) > 1 for values in swept) == ("-m" in words) or any("experiment=" in word for word in words)
    first = [values[0] for values in swept]
    for index, values in enumerate(swept):
        for value in values if index == 0 else values[1:]:
            compose_checked([*first[:index], value, *first[index + 1 :]])
