"""What a grid is told before it starts: what it cannot answer, what would, at what cost; nothing once that is followed."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.support.configs import change as changed
from tests.support.configs import composed
from tests.support.records import finish
from wisesr.config.options import load_option
from wisesr.grid.advice.advice import Advice, advice, print_advice
from wisesr.grid.advice.maps import way_text
from wisesr.grid.cell_dirs import Cell, make_cells, write_cell
from wisesr.grid.planning.map_heads import describe_heads, read_heads
from wisesr.grid.planning.plan import Plan
from wisesr.wording import duration

Config = dict[str, Any]
SMALL = ("backbone=timm", "backbone.name=toy", "backbone.model=test_resnet", "resolution=64", "logger=none", "study=advised")


@pytest.fixture(scope="module")
def base() -> Config:
    return composed(*SMALL, "resolution.size=256")  # a map of 8x8, on which averaging drops nothing


@pytest.fixture
def cell(base: Config, tmp_path: Path) -> Config:
    return base | {"output_dir": str(tmp_path / "outputs")}


def with_head(config: Config, name: str, **settings: Any) -> Config:
    return config | {"head": {"name": name, **load_option("head", name), **settings}}


def swept(configs: Sequence[Config], key: str, values: Sequence[Any]) -> list[Config]:
    """Every configuration at every value."""
    if key == "head":
        return [with_head(config, value) for config in configs for value in values]
    return [changed(config, key, value) for config in configs for value in values]


def told(configs: Sequence[Config], **of_plan: Any) -> list[str]:
    """Of a grid whose models are built; finished cells are no part of the plan."""
    cells = make_cells(configs)
    waiting = [cell for cell in cells if cell.read_record() is None]
    heads = describe_heads([cell.config for cell in waiting], [None] * len(waiting))
    return advice(cells, waiting, Plan([], [None] * len(waiting), heads), **of_plan).left_open


def unbuilt(configs: Sequence[Config], **of_plan: Any) -> list[str]:
    """Of a grid of which no model is known: what configurations say alone."""
    cells = make_cells(configs)
    return advice(cells, cells, Plan([], [None] * len(cells)), **of_plan).left_open


def followed(configs: Sequence[Config], sentence: str) -> list[Config]:
    """A grid as the first setting of an advice would have it."""
    found = re.search(r"([a-z][\w.]+)=(\S+?)[,;:.]*(?=\s|$)", sentence)
    assert found is not None, sentence
    key, text = found.groups()
    texts = text.split(",")
    values = texts if key == "head" else [float(value) if "." in value else int(value) for value in texts]
    more = swept(configs, key, values)
    return [cell.config for cell in make_cells(more)]


def test_a_grid_that_answers_is_told_nothing(cell: Config) -> None:
    grid = swept(swept([cell], "head", ["gap", "wise"]), "seed", [0, 1, 2, 3, 4])
    assert told(swept(grid, "recipe.optimizer.lr", [0.001, 0.01])) == []


def test_a_single_cell_is_no_grid(cell: Config) -> None:
    assert told([changed(with_head(cell, "wise"), "resolution.size", 32)]) == []


def test_every_advice_goes_when_it_is_followed(cell: Config) -> None:
    """From one seed at one rate on a small map without gap, one advice after another, until there is none."""
    grid = swept([changed(cell, "resolution.size", 64)], "head", ["wise", "depthwise"])
    seen = []
    for _ in range(5):
        sentences = told(grid)
        if not sentences:
            break
        seen.append(len(sentences))
        grid = followed(grid, sentences[0])
    assert seen == [4, 3, 2, 1]
    assert not sentences
    assert {config["head"]["name"] for config in grid} == {"gap", "wise", "depthwise"}
    assert {config["seed"] for config in grid} == {0, 1, 2, 3, 4}
    assert {config["resolution"]["size"] for config in grid} == {192}
    assert len({config["recipe"]["optimizer"]["lr"] for config in grid}) == 3


@pytest.mark.parametrize(("seeds", "count", "have"), [([0], 8, "One seed "), ([3], 8, "One seed "), ([0, 1], 6, "Two seeds ")])
def test_seeds(cell: Config, seeds: list[int], count: int, have: str) -> None:
    """So many cells as a command with the seeds that are told would run anew."""
    grid = swept(swept([cell], "head", ["gap", "wise"]), "seed", seeds)
    sentence = next(sentence for sentence in unbuilt(grid) if "seed" in sentence)
    assert sentence.startswith(have)
    assert f"{count} more cells" in sentence
    more = followed(grid, sentence)
    assert len(more) - len(grid) == count
    assert not any("seed" in sentence for sentence in unbuilt(more))


def test_what_is_finished_counts(cell: Config) -> None:
    """Five seeds of gap and wise are done; gem comes with one; then what is done is asked for again."""
    done = swept(swept([cell], "head", ["gap", "wise"]), "seed", [0, 1, 2, 3, 4])
    for one in make_cells(done):
        write_cell(one)
        finish(one.directory, one.config, seconds=600.0)
    new = swept([with_head(cell, "gem")], "seed", [0, 1])
    few, rate = unbuilt(new, slots=2)
    assert few.startswith("Two seeds ")
    assert "seed=0,1,2,3,4 can" in few
    assert "3 more cells, about 15 minutes" in few, "three of ten minutes on two slots"
    assert "one learning rate" in rate
    whole = unbuilt(swept([with_head(cell, "gem")], "seed", [0, 1, 2, 3, 4]))
    assert ["one learning rate" in sentence for sentence in whole] == [True]
    assert not any("seed" in sentence for sentence in unbuilt([*done[:1], *done[5:6]]))


def test_cells_of_other_settings_do_not_count(cell: Config) -> None:
    """Other epochs are another comparison, though they lie in the same folder."""
    for one in make_cells(swept(swept([changed(cell, "recipe.epochs", 9)], "head", ["gap", "wise"]), "seed", [1, 2, 3, 4])):
        write_cell(one)
        finish(one.directory, one.config)
    few = unbuilt(swept([cell], "head", ["gap", "wise"]))[0]
    assert few.startswith("One seed ")
    assert "8 more cells" in few


def test_a_broken_neighbour_is_passed_over(cell: Config) -> None:
    (one,) = make_cells([with_head(cell, "gem")])
    write_cell(one)
    finish(one.directory, one.config)
    (one.directory / "config.yaml").write_text("- no\n- configuration\n")
    assert unbuilt(swept([cell], "head", ["gap", "wise"]))[0].startswith("One seed ")


@pytest.mark.parametrize("key", ["dataset.split_seed", "dataset.fold"])
def test_splits_and_folds_are_repetitions(cell: Config, key: str) -> None:
    grid = swept(swept([cell], "head", ["gap", "wise"]), key, [0, 1, 2, 3, 4])
    assert not any("from chance" in sentence for sentence in unbuilt(grid))


def test_replicates_are_asked_for_where_they_are_used(cell: Config) -> None:
    """A replicate is the seed and the split of its number, however a cell that is done was called."""
    done = changed(cell, "dataset.split_seed", 1) | {"seed": 1}
    for one in make_cells(swept([done], "head", ["gap", "wise"])):
        write_cell(one)
        finish(one.directory, one.config)
    few, *_ = unbuilt(swept([cell | {"replicate": 0}], "head", ["gap", "wise"]))
    assert few.startswith("Two replicates cannot")
    assert "replicate=0,1,2,3,4 can" in few
    assert "6 more cells" in few


def test_folds_are_asked_for_where_they_are_used(cell: Config) -> None:
    """As many as there are, and never seeds, each of which would be all folds again."""
    heads = swept([changed(cell, "dataset.folds", 4)], "head", ["gap", "wise"])
    few, *_ = unbuilt(swept(heads, "dataset.fold", [0, 2]))
    assert few.startswith("Two folds cannot")
    assert "dataset.fold=0,1,2,3 can" in few and "4 more cells" in few
    all_of_them = unbuilt(swept(heads, "dataset.fold", [0, 1, 2, 3]))
    assert not any("cannot tell a better head" in sentence for sentence in all_of_them)


def test_rates(cell: Config) -> None:
    grid = swept(swept([cell], "head", ["gap", "wise"]), "seed", [0, 1, 2])
    (sentence,) = unbuilt(grid)
    assert "recipe.optimizer.lr=0.0003,0.001,0.003 would tell: 12 more cells, twice the work of these 6" in sentence
    assert len(followed(grid, sentence)) - len(grid) == 12
    assert unbuilt(swept(grid, "recipe.head_lr_scale", [1.0, 10.0])) == []
    (sentence,) = unbuilt([config | {"protocol": "paper"} for config in grid])
    assert "with protocol=holdout would tell: 18 more cells" in sentence, (
        "none serves again, and on the test images the search would be part of the result"
    )
    (sentence,) = unbuilt([changed(config, "recipe.optimizer.lr", 0.045) for config in grid])
    assert "recipe.optimizer.lr=0.015,0.045,0.135 would" in sentence, "as in conf/experiment/lr_by_head.yaml"
    foreign = [changed(config, "recipe.optimizer", {"_target_": "torch.optim.SGD"}) for config in grid]
    assert unbuilt(foreign) == []


def test_baseline(cell: Config) -> None:
    grid = swept(swept([cell], "head", ["wise", "gem"]), "seed", [0, 1, 2])
    sentence = unbuilt(grid)[-1]
    assert sentence.startswith(
        "Without gap, the baseline, nothing says what wise, gem gained; head=gap,wise,gem adds it: 3 more"
    )
    gap = swept(swept([with_head(cell, "gap")], "seed", [0]), "backbone.model", ["test_resnet", "test_efficientnet"])
    assert unbuilt(gap) == [], "whoever compares backbones asks nothing of heads"


def test_a_map_that_is_too_small_for_wise(cell: Config) -> None:
    """With the twin in the grid, too: how many cells are trained twice."""
    small = changed(cell, "resolution.size", 128)
    *_, sentence = told(swept([small], "head", ["gap", "wise"]))
    assert sentence.startswith(
        "On the 4x4 map of toy at 128 px, wise averages nothing before its kernel: it is depthwise_nonneg, one computation "
        "under two names. Not so with resolution.size=192 (6x6, "
    )
    *_, sentence = told(swept(swept([small], "head", ["gap", "depthwise_nonneg", "wise"]), "seed", [0, 1]))
    assert "one computation under two names; 2 cells fewer without the other. Not so with resolution" in sentence
    *_, sentence = told(swept([cell, small], "head", ["gap", "wise", "wise_dropout"]))
    assert "wise_dropout averages nothing before its kernel: it is depthwise_nonneg with head.dropout=0.5" in sentence
    assert sentence.count("resolution.size=192") == 1


def test_the_stride_where_timm_lets_one_choose(cell: Config) -> None:
    *_, sentence = told(swept([changed(cell, "resolution.size", 128)], "head", ["gap", "wise"]))
    (stride,) = re.findall(r"output_stride=(\d+) \(8x8", sentence)
    larger = changed(changed(cell, "resolution.size", 128), "backbone.output_stride", int(stride))
    assert not any("wise averages" in sentence for sentence in told(swept([larger], "head", ["gap", "wise"])))
    fixed = changed(changed(cell, "resolution.size", 128), "backbone.model", "test_vit")
    assert not any("output_stride" in sentence for sentence in told(swept([fixed], "head", ["gap", "wise"])))


def test_a_map_of_one_position(cell: Config) -> None:
    *_, sentence = told(swept([changed(cell, "resolution.size", 32)], "head", ["gap", "max", "gwap"]))
    assert sentence.startswith(
        "On the 1x1 map of toy at 32 px, no head can tell where a feature fires: there is one position; "
    )
    assert "gap is max, one computation under two names; 1 cell fewer" in sentence


def test_one_head_under_two_settings(cell: Config) -> None:
    """On 8x8 the window by the map's extent is 2: given or not, it is one head."""
    grid = [
        with_head(cell, "gap"),
        with_head(cell, "wise"),
        with_head(cell, "wise", pre_pool=2),
        with_head(cell, "wise", pre_pool=4),
    ]
    *_, sentence = told(grid)
    assert sentence == (
        "On the 8x8 map of toy at 256 px, wise with head.pre_pool=null is wise with head.pre_pool=2, one computation under two "
        "names; 1 cell fewer without the other."
    )


def test_many_maps_are_one_sentence(cell: Config) -> None:
    grid = swept(swept([cell], "resolution.size", [64, 96, 128]), "head", ["gap", "wise"])
    sentences = [sentence for sentence in told(grid) if "wise averages" in sentence]
    assert len(sentences) == 1
    assert "(and on the 3x3 map of toy at 96 px, 4x4 map of toy at 128 px)" in sentences[0]


def test_positions_that_averaging_drops(cell: Config) -> None:
    """Several heads and maps are one sentence; its first way out is right by its own word."""
    small = changed(cell, "resolution.size", 224)
    grid = swept(swept([small, changed(cell, "resolution.size", 352)], "head", ["gap", "wise", "flatten"]), "seed", [0, 1, 2])
    *_, sentence = told(grid)
    assert sentence == (
        "On the 7x7 map of toy at 224 px, wise and flatten average 2x2 windows and never see the last row and column, 26.5 % "
        "of the positions, as in the paper (and on the 11x11 map of toy at 352 px: 33.1 %). head.pre_pool_mode=ceil averages "
        "them too; resolution.size=256 (8x8, 1.3 times the work) has nothing to drop."
    )
    (larger,) = re.findall(r"(resolution.size)=(\d+)", sentence)
    for way in (changed(small, larger[0], int(larger[1])), changed(small, "head.pre_pool_mode", "ceil")):
        heads = [with_head(way, "gap"), with_head(way, "wise", pre_pool_mode=way["head"].get("pre_pool_mode", "valid"))]
        assert not any("never see" in sentence for sentence in told(heads))
    control = told(swept([small], "head", ["gap", "gap_valid", "wise_shuffled"]))
    assert not any("never see" in sentence for sentence in control), "one made for it, and one of whose map it is no edge"


def test_of_many_maps_those_that_lose_most_are_named(cell: Config) -> None:
    """Of a 5x5 map, as InceptionV3's at 224 px, windows of 2x2 hold 16 positions of 25."""
    sizes = swept([cell], "resolution.size", [224, 288, 416, 448, 160])
    *_, sentence = told(swept(sizes, "head", ["gap", "wise"]))
    named = "5x5 map of toy at 160 px: 36.0 %, 14x14 map of toy at 448 px: 26.5 %, 9x9 map of toy at 288 px: 21.0 %"
    assert f"26.5 % of the positions, as in the paper (and on the {named} and 1 more)." in sentence


def test_a_way_out_drops_nothing_or_says_so(cell: Config) -> None:
    """Of a backbone whose maps grow by odd steps, as the Inceptions' do, no size is named without what it would drop."""
    from wisesr.grid.planning.map_heads import Way

    assert way_text(Way("resolution.size=256", (7, 7), 1.5, 13 / 49)) == (
        "resolution.size=256 (7x7, 26.5 % of it dropped, 1.5 times the work)"
    )
    for model in ("test_resnet", "test_efficientnet"):
        small = changed(changed(cell, "backbone.model", model), "resolution.size", 96)
        heads = describe_heads([with_head(small, "wise")], [None])
        assert heads[0] is not None and heads[0].ways
        for way in heads[0].ways:
            assert (way.dropped == 0) == (way.extent[0] % (2 if way.extent[0] <= 10 else 3) == 0)


def test_controls_that_are_none_on_a_small_map(cell: Config) -> None:
    sentences = told(swept([changed(cell, "resolution.size", 128)], "head", ["gap", "wise_shuffled"]))
    (sentence,) = [sentence for sentence in sentences if "wise_shuffled" in sentence and "4x4" in sentence]
    assert "it is wise, drawn anew" in sentence
    assert "Not so with resolution.size=192 (6x6, " in sentence


def test_what_a_planner_answers_survives_its_way(cell: Config) -> None:
    """As JSON from the planner's process."""
    grid = [changed(cell, "resolution.size", size) for size in (64, 224)]
    heads = describe_heads(swept(grid, "head", ["wise", "wise_shuffled", "gap"]), [None] * 6)
    assert read_heads(json.loads(json.dumps(heads))) == heads


def test_no_word_is_broken_at_80_columns(cell: Config) -> None:
    sentences = told(swept([changed(cell, "resolution.size", 64)], "head", ["wise", "depthwise_nonneg", "flatten"]))
    assert len(sentences) == 4
    for width in (80, 60):
        screen = io.StringIO()
        print_advice(Advice(None, sentences), Console(width=width, file=screen, force_terminal=True, color_system=None))
        lines = screen.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        words = " ".join(line.strip().removeprefix("- ") for line in lines[1:]).split()
        assert words == " ".join(sentences).split()
    log = io.StringIO()
    print_advice(Advice(None, sentences), Console(width=80, file=log))
    assert len(log.getvalue().splitlines()) == 1 + len(sentences), "a line each where there is no terminal"


def test_durations() -> None:
    assert [duration(seconds) for seconds in (0.2, 1, 45, 100, 5000, 7200, 90000)] == [
        *("1 second", "1 second", "45 seconds", "2 minutes", "83 minutes", "2.0 hours", "25 hours")
    ]


def test_a_large_grid_takes_no_time(cell: Config) -> None:
    cells: list[Cell] = make_cells(swept(swept([cell], "head", ["gap", "wise"]), "seed", list(range(500))))
    began = time.monotonic()
    advice(cells, cells, Plan([], [None] * len(cells)))
    assert time.monotonic() - began < 10
