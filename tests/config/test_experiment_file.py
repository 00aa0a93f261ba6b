"""Experiment files as people write them: each says what the one of Hydra's manual says, or which line to write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from tests.support.configs import composed
from wisesr.config.check import check
from wisesr.config.files import register_resolvers
from wisesr.config.grammar import read
from wisesr.config.options import conf_dir
from wisesr.config.yaml_syntax import quoted as yaml_quoted
from wisesr.errors import UserError

TOP = "# @package _global_\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


def whole(text: str | bytes, *overrides: str, name: str = "mine.yaml", asked: str = "mine") -> dict[str, Any]:
    """All that Hydra composes of an experiment, its own node included."""
    path = Path("own/experiment") / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    register_resolvers()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        searched = f"hydra.searchpath=['file://{Path('own').absolute()}']"
        config = compose("config", [f"experiment={asked}", searched, *overrides], return_hydra_config=True)
    plain = OmegaConf.to_container(config, resolve=False)
    assert isinstance(plain, dict)
    hydra = plain.pop("hydra")
    swept = {key: value for key, value in hydra["sweeper"]["params"].items() if value is not None}
    return {str(key): value for key, value in plain.items()} | {"mode": hydra["mode"] and str(hydra["mode"]), "swept": swept}


def refusal(text: str) -> str:
    with pytest.raises(UserError) as error:
        whole(text)
    return str(error.value)


CHOICES = f"{TOP}defaults:\n  - override /head: gap\n  - override /resolution: '112'\nstudy: mine\n"

SAME_CHOICES = [
    "defaults:\n  - override /head: gap\n  - override /resolution: 112\nstudy: mine\n",
    "defaults: [override /head: gap, override /resolution: 112]\nstudy: mine\n",
    "defaults:\n  - override head: gap\n  - override resolution: 112\nstudy: mine\n",
    "defaults:\n  - /head: gap\n  - /resolution: 112\nstudy: mine\n",
    "defaults:\n  - head: gap\n  - resolution: 112\nstudy: mine\n",
    "defaults:\n  head: gap\n  override /resolution: 112\nstudy: mine\n",
    "defaults:\n  - override /head: gap\n    override /resolution: 112\nstudy: mine\n",
    "defaults:\n  - override /head=gap\n  - /resolution:112\nstudy: mine\n",
    "defaults:\n  - override /head: gap.yaml\n  - override /resolution: 112.yaml\nstudy: mine\n",
    "defaults:\n  - override /head: gap\n  - _self_\n  - override /resolution: 112\nstudy: mine\n",
    "defaults:\n  - _self_\n  - override /head: gap\n  - override /resolution: 112\nstudy: mine\n",
    "# What it is for.\n\n# @package _global_\ndefaults:\n  - head: gap\n  - resolution: 112\nstudy: mine\n",
    "# @package: _global_\ndefaults:\n  - head: gap\n  - resolution: 112\nstudy: mine\n",
    "# @package _globals_ as all\ndefaults:\n  - head: gap\n  - resolution: 112\nstudy: mine\n",
    "# @package\ndefaults:\n  - head: gap\n  - resolution: 112\nstudy: mine\n",
    "defaults:\n  - head: gap\n  - resolution: 112\nstudy: mine\n# @package _global_\n",
]


@pytest.mark.parametrize("text", SAME_CHOICES)
def test_choices(text: str) -> None:
    meant = whole(CHOICES)
    assert (meant["study"], meant["resolution"]["size"]) == ("mine", 112)
    assert whole(text) == meant


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_first_line_counts_behind_a_byte_order_mark_too(encoding: str) -> None:
    assert whole(CHOICES.encode(encoding)) == whole(CHOICES)


def sweep(rows: str, mode: str = "  mode: MULTIRUN\n") -> str:
    return f"{TOP}study: mine\nhydra:\n{mode}  sweeper:\n    params:\n{rows}"


SWEEP = sweep("      head: gap,wise\n      seed: 0,1\n")
SAME_SWEEP = [
    sweep("      head: gap,wise\n      seed: 0,1\n", mode=""),
    sweep("      head: gap,wise\n      seed: 0,1\n", mode="  mode: multirun\n"),
    sweep("      head: gap,wise\n      seed: 0,1\n", mode="").removeprefix(TOP),
    sweep("      head: [gap, wise]\n      seed: [0, 1]\n"),
    sweep("      head:\n        - gap\n        - wise\n      seed: 0, 1\n"),
    sweep("      - head: gap,wise\n      - seed: 0,1\n"),
    sweep("      /head: '[gap, wise]'\n      seed: 0 , 1\n"),
    sweep("      override /head: gap , wise\n      seed: 0,1\n"),
    f"{TOP}study: mine\nhydra.sweeper.params:\n  head: gap,wise\n  seed: 0,1\n",
    f"{TOP}study: mine\nhydra.mode: MULTIRUN\nhydra:\n  sweeper.params:\n    head: gap,wise\n    seed: 0,1\n",
]


@pytest.mark.parametrize("text", SAME_SWEEP)
def test_what_a_file_sweeps_is_swept(text: str) -> None:
    meant = whole(SWEEP)
    assert (meant["mode"], meant["swept"]) == ("RunMode.MULTIRUN", {"head": "gap,wise", "seed": "0,1"})
    assert whole(text) == meant


def test_a_run_that_was_asked_for_stays_one() -> None:
    assert whole(sweep("      seed: 0,1\n", mode=""), "hydra.mode=RUN")["mode"] == "RunMode.RUN"
    assert whole(sweep("      seed: 0,1\n", mode="  mode: RUN\n"))["mode"] == "RunMode.RUN"
    assert whole("study: mine\n")["mode"] is None


def test_texts_of_a_list_are_what_yaml_says() -> None:
    """Backslashes among them; what is in quotes is a text, and no number or truth."""
    texts = ["a\\d+", "C:\\data\\x", "it's", "112", "true", "a,b", 'say "no"', "\\'"]
    rows = "      study:\n" + "".join(f"        - {yaml_quoted(text)}\n" for text in texts)
    found = read(f"study={whole(sweep(rows))['swept']['study']}")
    assert found is not None
    values = [getattr(value, "text", value) for value in found.sweep_iterator()]
    assert values == texts


def test_values_of_a_list_as_hydras_grammar_has_them() -> None:
    rows = """\
      recipe.ema: [null, 0.9]
      recipe:
        optimizer:
          lr: [1e-3, 0.01]
      backbone.weights: [imagenet, "/my weights/a,b.pth"]
      logger: [wandb, csv]
      trainer.channels_last: [true, false]
      seed: [7]
"""
    assert whole(sweep(rows))["swept"] == {
        "recipe.ema": "null,0.9",
        "recipe.optimizer.lr": "1e-3,0.01",
        "backbone.weights": 'imagenet,"/my weights/a,b.pth"',
        "logger": "[wandb,csv]",  # both, as nobody compares loggers
        "trainer.channels_last": "true,false",
        "seed": "7",
    }


def test_dotted_keys_are_what_they_say() -> None:
    meant = whole(f"{TOP}recipe:\n  optimizer:\n    lr: 0.5\n  epochs: 7\n")
    assert whole(f"{TOP}recipe.optimizer.lr: 0.5\nrecipe:\n  epochs: 7\n") == meant
    assert whole(f"{TOP}recipe:\n  optimizer.lr: 0.5\n  epochs: 7\n") == meant
    assert "recipe.optimizer.lr is given in this file twice" in refusal(
        f"{TOP}recipe.optimizer.lr: 0.5\nrecipe:\n  optimizer:\n    lr: 0.4\n"
    )


@pytest.mark.parametrize("default", ["quickstart", "quickstart.yaml", "experiment/quickstart", "/experiment: quickstart"])
def test_an_experiment_that_begins_with_another(default: str) -> None:
    meant = whole(f"{TOP}defaults:\n  - quickstart\n  - _self_\nrecipe:\n  epochs: 5\n")
    assert (meant["recipe"]["epochs"], meant["study"], len(meant["swept"])) == (5, "quickstart", 2)
    assert whole(f"defaults:\n  - {default}\nrecipe:\n  epochs: 5\n") == meant


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("mine.yaml", "mine.yaml"),
        ("mine.yaml", "experiment/mine"),
        ("mine.yaml", "own/experiment/mine.yaml"),
        ("mine.yaml", "./own/experiment/mine.yaml"),
        ("mine.yml", "mine"),
        ("mine.yml", "mine.yml"),
        ("mine.yml", "own/experiment/mine.yml"),
        ("../../elsewhere.yaml", "elsewhere.yaml"),
    ],
)
def test_an_experiment_by_its_path(name: str, asked: str) -> None:
    meant = whole(CHOICES, name="canonical.yaml", asked="canonical")
    assert whole(CHOICES, name=name, asked=asked) == meant


def test_an_experiment_whose_values_another_overrides() -> None:
    text = "defaults:\n  - _self_\n  - quickstart\nstudy: mine\n"
    assert "mine.yaml:2: `- _self_`: what quickstart says comes after it, so that study has no effect here" in refusal(text)
    assert whole("defaults:\n  - _self_\n  - quickstart\nseed: 3\n")["seed"] == 3


REFUSED = {
    "an option below its group": (f"{TOP}head: gap\n", 2, "defaults:\n  - override /head: gap"),
    "several options in one text": (
        f"{TOP}head: gap, wise\n",
        2,
        "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      head: gap,wise",
    ),
    "several loggers": (f"{TOP}logger: csv,wandb\n", 2, "defaults:\n  - override /logger: [csv,wandb]"),
    "several options": (
        f"{TOP}head: [gap, wise]\n",
        2,
        "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      head: gap,wise",
    ),
    "params at the top": (f"{TOP}params:\n  head: gap,wise\n", 2, "    params:\n      head: gap,wise"),
    "params below hydra": ("hydra:\n  params:\n    seed: 0,1\n", 2, "  sweeper:\n    params:\n      seed: 0,1"),
    "params below sweep": ("hydra:\n  sweep:\n    params:\n      seed: 0,1\n", 2, "  sweeper:\n    params:\n      seed: 0,1"),
    "no params": ("hydra:\n  sweeper:\n    seed: 0,1\n", 3, "  sweeper:\n    params:\n      seed: 0,1"),
    "sweeper at the top": ("sweeper:\n  params:\n    seed: 0,1\n", 1, "  sweeper:\n    params:\n      seed: 0,1"),
    "mode at the top": ("study: a\nmode: MULTIRUN\n", 2, "hydra:\n  mode: MULTIRUN"),
    "package as a key": ('"@package": _global_\n', 1, "`# @package _global_`"),
}


@pytest.mark.parametrize(("text", "line", "lines"), REFUSED.values(), ids=REFUSED)
def test_the_lines_that_are_to_be_written(text: str, line: int, lines: str) -> None:
    said = refusal(text)
    assert said.startswith(f"own/experiment/mine.yaml:{line}: `")
    assert said.endswith(lines)
    if "\n" in lines:
        whole(said.partition("write\n")[2])


SAID = {
    "nothing": ("", "own/experiment/mine.yaml is empty"),
    "nothing below a group": (f"{TOP}recipe:\nepochs: 3\n", "mine.yaml:2: `recipe:`: has nothing below it: indent"),
    "no blank below a group": (
        "recipe:\n  epochs:3\n",
        "mine.yaml:2: `epochs:3`: a blank is missing behind the colon: write `epochs: 3`",
    ),
    "a mode that is none": ("hydra:\n  mode: SWEEP\n", "mine.yaml:2: `mode: SWEEP`: hydra.mode is RUN or MULTIRUN"),
    "params without any": ("hydra:\n  sweeper:\n    params:\n", "mine.yaml:3: `params:`: what is swept stands below params:"),
    "a key without values": ("hydra:\n  sweeper:\n    params:\n      head:\n", "mine.yaml:4: `head:`: nothing is swept here"),
    "swept twice": ("hydra.sweeper.params:\n  /head: a,b\n  head: c,d\n", "mine.yaml:3: `head: c,d`: head is swept twice"),
    "chosen twice": (
        "defaults:\n  - head: gap\n  - override /head: wise\n",
        "mine.yaml:2: `- head: gap`: head is chosen twice",
    ),
    "a list of heads": ("defaults:\n  - override /head: [gap, wise]\n", "`head: gap,wise` below hydra: sweeper: params:"),
    "_self_ twice": ("defaults:\n  - _self_\n  - head: gap\n  - _self_\n", "mine.yaml:2: `- _self_`: _self_, the place"),
    "a value in defaults": (
        "defaults:\n  - head: gap\n    dropout: 0.3\n",
        "mine.yaml:3: `dropout: 0.3`: there is no group dropout",
    ),
    "values in defaults": (
        "defaults:\n  - recipe:\n      epochs: 3\n",
        "mine.yaml:3: `epochs: 3`: defaults choose options by their names",
    ),
    "a package that is none": (
        "# @package everything\nseed: 1\n",
        "mine.yaml:1: `# @package everything`: there is no such place",
    ),
}


@pytest.mark.parametrize(("text", "said"), SAID.values(), ids=SAID)
def test_what_means_nothing_is_told_with_its_line(text: str, said: str) -> None:
    assert said in refusal(text)


def test_nothing_is_done_in_silence() -> None:
    """Whatever is left of a broken file, either all its lines count or it is refused."""
    text = f"{TOP}defaults:\n  - override /head: gap\n  - override /recipe: modern\nstudy: mine\nrecipe:\n  epochs: 7\n"
    meant = whole(text)
    lines = text.splitlines()
    for index, line in enumerate(lines[1:], start=1):
        for broken in (line.replace(": ", ":"), "\t" + line.lstrip(), " " + line, re.sub("^ ", "", line), f"{line}\n{line}"):
            if broken == line:
                continue
            try:
                found = whole("\n".join([*lines[:index], broken, *lines[index + 1 :]]))
            except UserError:
                continue
            if found != meant:
                cell = {key: value for key, value in found.items() if key not in ("mode", "swept", "experiment", "grid")}
                assert check(cell) or found == meant, (line, broken)


def test_an_experiment_of_ones_own_in_a_cell() -> None:
    Path("own/experiment/mine.yaml").write_text("defaults:\n  - resolution: 112\n")
    assert composed("experiment=mine", f"hydra.searchpath=['file://{Path('own').absolute()}']")["resolution"]["size"] == 112
