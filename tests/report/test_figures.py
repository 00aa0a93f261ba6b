"""Figures as they are specified: figures of the records, colours that can be told apart, names that may be anything."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report.convergence import curves
from wisesr.report.figures import FILES, all_figures, for_files
from wisesr.report.figures.figure import Figure, Section, file_name, seed_list
from wisesr.report.figures.style import accuracy_scale, head_order, places
from wisesr.report.read import read_study
from wisesr.report.whole_study import Study
from wisesr.results.kernels import read_kernels, summarize, write_kernels
from wisesr.results.predictions import read_predictions, write_predictions

SECTIONS: tuple[Section, ...] = ("confusion", "kernels", "cost", "convergence")
HEADS_HERE = ("gap", "wise", "depthwise")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("figures")
    for index, head in enumerate(HEADS_HERE):
        for backbone, seeds in {"resnet18": 3, "resnet50": 1}.items():
            for seed in range(seeds):
                config = cell_config(root, head=head, backbone=backbone, seed=seed)
                write_cell(config, top1=0.7 + 0.02 * index, draw=index)
    write_cell(cell_config(root, dataset="many"), classes=41, images=410, top1=0.6)
    return read_study([root])


@pytest.fixture(scope="module")
def figures(study: Study) -> dict[str, Figure]:
    return {figure.key: figure for figure in all_figures(study)}


def rows(spec: Any) -> list[dict[str, Any]]:
    """What the parts of a spec show, without its `flatten`: columns as rows."""
    found = []
    for row in spec["data"]["values"]:
        columns = {name: value for name, value in row.items() if isinstance(value, list)}
        rest = {name: value for name, value in row.items() if name not in columns}
        found += [rest | dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return found


def test_every_part_of_a_study_has_its_figures(figures: dict[str, Figure]) -> None:
    group = [f"convergence-{name}" for name in ("resnet18", "resnet50")] + ["backbones", "cost-resnet18", "cost-resnet50"]
    group += [f"kernel-{name}-{head}" for name in ("resnet18", "resnet50") for head in ("depthwise", "wise")]
    group += ["kernels-resnet18-epochs", "kernels-resnet50-epochs"]
    group += [f"confusion-{name}-{head}" for name in ("resnet18", "resnet50") for head in HEADS_HERE]
    alone = ["convergence-resnet18", "cost-resnet18", "confusion-resnet18-gap"]
    wanted = [*(f"toy-64-{name}" for name in group), *(f"many-64-{name}" for name in alone), "toy-64-forest"]
    assert sorted(figures) == sorted(wanted)
    for figure in figures.values():
        assert figure.key.startswith(figure.table)
        assert figure.title
        assert figure.caption.endswith(".")


def test_specs_are_strict_json_without_the_look(figures: dict[str, Figure]) -> None:
    for figure in figures.values():
        text = json.dumps(figure.spec, allow_nan=False)
        assert "http" not in text
        assert "config" not in figure.spec


def test_a_curve_shows_the_means_of_the_records(study: Study, figures: dict[str, Figure]) -> None:
    shown = rows(figures["toy-64-convergence-resnet18"].spec)
    toy = next(table for table in study.tables if table.key == "toy-64")
    for curve in curves(toy.groups()["resnet18", ""]):
        own = [row for row in shown if row["head"] == curve.entry.head]
        assert [row["epoch"] for row in own] == [1, 2, 3]
        assert [row["mean"] for row in own] == pytest.approx(curve.mean, abs=0.005)
        assert {row["seeds"] for row in own} == {3}


def test_a_map_shows_the_kernel_of_the_lowest_seed(study: Study, figures: dict[str, Figure]) -> None:
    spec = figures["toy-64-kernel-resnet18-wise"].spec
    cells = [cell for cell in study.cells if (cell.place.backbone, cell.place.head) == ("resnet18", "wise")]
    cell = next(cell for cell in cells if cell.place.seed == 0)
    kernels = read_kernels(cell.directory)
    assert kernels is not None
    above, channels = spec["vconcat"]
    mean, spread, epochs = above["hconcat"]
    for part, wanted in ((mean, kernels.kernel.mean(axis=0)), (spread, kernels.kernel.std(axis=0))):
        assert [row["weight"] for row in rows(part)] == pytest.approx(wanted.ravel(), rel=6e-3)
    shown = {row["map"]: row["weight"] for row in channels["data"]["values"]}
    norms = {f"{index}": float(np.linalg.norm(plane)) for index, plane in enumerate(kernels.kernel)}
    assert list(shown) == sorted(norms, key=lambda name: -norms[name])[:8]
    for name, weights in shown.items():
        assert weights == pytest.approx(kernels.kernel[int(name)].ravel(), rel=6e-3)
    assert [row["map"] for row in epochs["data"]["values"]] == ["epoch 1", "epoch 2", "epoch 3"]


def test_a_kernel_of_one_weight_is_no_map(tmp_path: Path) -> None:
    directory = write_cell(cell_config(tmp_path, head="wise"))
    kernel = np.ones((4, 1, 1), np.float32)
    write_kernels(directory, kernel, (1, 2), [summarize(kernel)] * 2)
    assert not [figure for figure in all_figures(read_study([tmp_path])) if figure.section == "kernels"]


def test_a_matrix_shows_shares_of_the_true_class(figures: dict[str, Figure]) -> None:
    shown = rows(figures["toy-64-confusion-resnet18-gap"].spec)
    for name in {row["true"] for row in shown}:
        own = [row for row in shown if row["true"] == name]
        total = sum(row["images"] for row in own)
        assert total == 30  # 10 images of each of 5 classes, three seeds
        assert all(row["share"] == pytest.approx(100 * row["images"] / total, abs=0.05) for row in own)


def test_many_classes_become_a_list_of_pairs(figures: dict[str, Figure]) -> None:
    spec = figures["many-64-confusion-resnet18-gap"].spec
    values = spec["data"]["values"]
    assert len(values) == 40
    images = [row["images"] for row in values]
    assert images == sorted(images, reverse=True)
    assert all(row["pair"] == f"{row['true']} \N{RIGHTWARDS ARROW} {row['predicted']}" for row in values)


def test_a_head_has_its_place_among_colours_in_every_figure(study: Study, figures: dict[str, Figure]) -> None:
    def scales(part: Any) -> list[list[str]]:
        if isinstance(part, dict):
            own = [part["scale"]["domain"]] if part.get("field") == "head" and "scale" in part else []
            return own + [scale for value in part.values() for scale in scales(value)]
        return [scale for value in part for scale in scales(value)] if isinstance(part, list) else []

    found = [scale for figure in figures.values() for scale in scales(figure.spec)]
    assert len(found) > 20
    assert all(scale == list(places(HEADS_HERE)) for scale in found)
    assert head_order(study) == HEADS_HERE


@pytest.mark.parametrize(("low", "high"), [(0, 0), (100, 100), (33, 33), (99.5, 100), (50, 51), (0, 100), (98, 101.3)])
def test_a_scale_of_accuracies_shows_them_all_and_nothing_impossible(low: float, high: float) -> None:
    scale = accuracy_scale(low, high)
    if "domain" in scale:
        first, last = scale["domain"]
        assert 0 <= first <= low <= high <= last <= 100
        assert last - first == pytest.approx(2)
    else:
        assert scale.get("domainMax", 100) == 100


def test_names_of_files_hold_nothing_that_a_file_system_minds() -> None:
    allowed = set(string.ascii_lowercase + string.digits + "._-")
    for parts in [("toy-64", "wise dropout=0.5"), ("..", "/etc/passwd"), ("A b", "Ünï\x00", "c" * 300), ("", "=", "")]:
        name = file_name(*parts)
        assert set(name) <= allowed
        assert 0 < len(name) <= 100
        assert not name.startswith(".")


def test_names_that_become_the_same_file_are_numbered(tmp_path: Path) -> None:
    for weights in ("a/b", "a b", "a?b"):
        write_cell(cell_config(tmp_path, changes={"backbone.weights": weights}))
    keys = [figure.key for figure in all_figures(read_study([tmp_path]))]
    assert len(set(keys)) == len(keys) == 10


def expressions(part: Any) -> list[str]:
    """Texts that Vega reads as code, or as a path into the data."""
    if isinstance(part, list):
        return [text for one in part for text in expressions(one)]
    if not isinstance(part, dict):
        return []
    own = [
        text for key, text in part.items() if key in ("filter", "calculate", "expr", "field", "as") and isinstance(text, str)
    ]
    return own + [text for value in part.values() for text in expressions(value)]


def test_heads_may_be_called_anything(tmp_path: Path) -> None:
    """Nothing of a name is read as a path, a template or an expression: it stands in the data only."""
    name = "a.b[0] 'x' \"y\" ${z} </script>"
    for seed in range(2):
        write_cell(cell_config(tmp_path, seed=seed))
        write_cell(cell_config(tmp_path, head=name, seed=seed))
    figures = list(all_figures(read_study([tmp_path])))
    assert any(name in json.dumps(figure.spec["data"], ensure_ascii=False).replace('\\"', '"') for figure in figures)
    for figure in figures:
        assert set(figure.key) <= set(string.ascii_lowercase + string.digits + "._-")
        assert all(name not in text for text in expressions(figure.spec))


@pytest.mark.parametrize(
    ("seeds", "text"),
    [((3,), "seed 3"), ((0, 1), "2 seeds (0, 1)"), ((0, 1, 2), "3 seeds (0 to 2)"), ((0, 2, 7), "3 seeds (0, 2, 7)")],
)
def test_seeds_in_text(seeds: tuple[int, ...], text: str) -> None:
    assert seed_list(seeds) == text


def test_files_that_are_damaged_have_no_figure(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        directory = write_cell(cell_config(tmp_path, head=head))
        for name in ("metrics.csv", "predictions.npz", "kernels.npz"):
            (directory / name).write_bytes(b"\x00no")
    assert [figure.section for figure in all_figures(read_study([tmp_path]))] == ["overview", "cost"]


def test_heads_that_became_the_same_are_told(tmp_path: Path) -> None:
    """One curve hides the other: a reader would look for it."""
    for head, curve in {"gap": (0.1, 0.2, 0.3), "wise": (0.2, 0.3, 0.4), "depthwise_nonneg": (0.2, 0.3, 0.4)}.items():
        write_cell(cell_config(tmp_path, head=head), curve=curve)
    caption = next(figure for figure in all_figures(read_study([tmp_path])) if figure.section == "convergence").caption
    assert "wise and depthwise_nonneg are the same" in caption
    assert "gap and" not in caption


def test_of_many_figures_those_of_convergence_are_files_first(figures: dict[str, Figure]) -> None:
    figure = next(iter(figures.values()))
    many = [figure._replace(key=f"{section}{index}", section=section) for index in range(25) for section in SECTIONS]
    drawn = for_files(many)
    assert len(drawn) == FILES
    assert [figure.section for figure in drawn] == ["convergence"] * 25 + ["cost"] * 25 + ["kernels"] * (FILES - 50)
    assert sorted(figure.key for figure in for_files(figures.values())) == sorted(figures)


def test_long_names_of_classes_keep_their_ends(tmp_path: Path) -> None:
    directory = write_cell(cell_config(tmp_path))
    predictions = read_predictions(directory)
    assert predictions is not None
    classes = tuple(f"a photograph of a room in a house, of kind {index}" for index in range(5))
    write_predictions(directory, predictions._replace(classes=classes))
    figure = next(figure for figure in all_figures(read_study([tmp_path])) if figure.section == "confusion")
    names = {row["true"] for row in rows(figure.spec)}
    assert len(names) == 5
    assert all(len(name) < 36 and name[-1].isdigit() for name in names)


def test_a_list_of_no_mistakes_is_not_drawn(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path), classes=41, images=82, top1=1.0)
    assert "confusion" not in {figure.section for figure in all_figures(read_study([tmp_path]))}


def test_what_is_told_of_a_cost_is_not_rounded(figures: dict[str, Figure]) -> None:
    tooltip = figures["toy-64-cost-resnet18"].spec["concat"][0]["layer"][1]["encoding"]["tooltip"]
    formats = {line["field"]: line.get("format") for line in tooltip}
    assert {formats[name] for name in ("parameters", "head_parameters", "flops", "seeds")} == {",d"}  # ~r keeps six digits
    assert {formats[name] for name in ("top1", "low", "high", "step_ms")} == {".2f"}


def test_a_confusion_is_told_where_its_figure_stands(figures: dict[str, Figure]) -> None:
    spec = figures["toy-64-confusion-resnet18-wise"].spec
    drawn = [layer["encoding"] for layer in spec["layer"] if "encoding" in layer]
    assert len(drawn) == 3  # colours, figures on faint ones, figures on strong ones
    assert all(encoding["tooltip"] == drawn[0]["tooltip"] for encoding in drawn)
