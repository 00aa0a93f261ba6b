"""Contact sheets: what they show is what training is fed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.support.images import noise, paint
from wisesr.build.data import build_manifest
from wisesr.build.parts import build_view
from wisesr.cli import main
from wisesr.cli.names import file_names
from wisesr.config.options import load_option
from wisesr.data.augmentation import Standard
from wisesr.data.datamodule import ImageData
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.data.sampling import TrainBatches
from wisesr.data.sheet import Strip, Views, display_scale, draw_sheet
from wisesr.types import Steps

MEAN, STD = (0.4, 0.5, 0.3), (0.2, 0.3, 0.1)
Pixels = NDArray[np.uint8]


@pytest.fixture
def manifest(config: dict[str, Any]) -> Manifest:
    """Three classes of 20 training images, of which 2 are held out."""
    return build_manifest(config)


def test_a_draw_is_the_very_image_that_an_epoch_of_training_gets(manifest: Manifest) -> None:
    augment = Standard(48, MEAN, STD)
    views = Views(manifest, augment, seed=7)
    shown = {strip.caption: strip for label in range(3) for strip in views.strips(label, images=99, draws=3)}
    assert sorted(shown) == sorted(manifest.ids[index] for index in manifest.indices(TRAIN)) and len(shown) == 54
    data = ImageData(manifest, augment, protocol="holdout", steps=Steps(54, 16, 3), seed=7, accumulate=1)
    for epoch in range(3):
        loader = data.train_dataloader()
        assert isinstance(loader.batch_sampler, TrainBatches)
        loader.batch_sampler.set_epoch(epoch)
        for batch in loader:
            for tensor, position in zip(batch.images, batch.positions.tolist(), strict=True):
                grey = (tensor * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None]) * 255
                picture = np.asarray(shown[manifest.ids[position]].pictures[1 + epoch], dtype=np.float64)
                assert np.abs(grey.permute(1, 2, 0).numpy() - picture).max() <= 0.501
    for strip in shown.values():
        assert not np.array_equal(strip.pictures[1], strip.pictures[2])


def test_the_test_view_is_the_image_itself(manifest: Manifest) -> None:
    (strip,) = Views(manifest, Standard(40, MEAN, STD), seed=0).strips(1, images=1, draws=1)
    np.testing.assert_array_equal(strip.pictures[0], manifest.load(list(manifest.ids).index(strip.caption)))


def test_channels_that_a_pipeline_swaps_are_shown_in_their_order(manifest: Manifest, config: dict[str, Any]) -> None:
    augment = build_view(config | {"augment": load_option("augment", "paper"), "resolution": {"size": 40}})
    assert augment.inputs.get("order") == "BGR"
    (strip,) = Views(manifest, augment, seed=0).strips(1, images=1, draws=1)
    np.testing.assert_array_equal(strip.pictures[0], manifest.load(list(manifest.ids).index(strip.caption)))


def test_images_of_a_class_are_evenly_spaced(manifest: Manifest) -> None:
    views = Views(manifest, Standard(40, MEAN, STD), seed=0)
    every = [strip.caption for strip in views.strips(2, images=18, draws=1)]
    assert views.count(2) == 18 and all("/class2/" in name for name in every)
    assert [strip.caption for strip in views.strips(2, images=4, draws=1)] == [every[at] for at in (0, 4, 9, 13)]
    assert len(views.strips(2, images=50, draws=1)) == 18


@pytest.mark.parametrize(
    ("size", "wanted"), [(32, (4, 1)), (64, (2, 1)), (65, (1, 1)), (224, (1, 1)), (320, (1, 1)), (512, (1, 2))]
)
def test_the_scale_of_pictures(size: int, wanted: tuple[int, int]) -> None:
    assert display_scale(size) == wanted


def tile(sheet: Image.Image, picture: Pixels) -> tuple[int, int]:
    """Where a picture stands on a sheet: left and top."""
    pixels, (side, _, _) = np.asarray(sheet), picture.shape
    for top, left in np.argwhere((pixels[: -side + 1, : -side + 1] == picture[0, 0]).all(axis=2)):
        if np.array_equal(pixels[top : top + side, left : left + side], picture):
            return int(left), int(top)
    raise AssertionError("it is not there")


@pytest.mark.parametrize("size", [40, 150, 322])
def test_all_pictures_stand_in_rows_and_columns(size: int) -> None:
    strips = [Strip(f"row {row}", [noise(10 * row + column, (size, size)) for column in range(3)]) for row in range(2)]
    sheet = draw_sheet("title", ["one note"], strips)
    larger, smaller = display_scale(size)

    def shown(image: Image.Image) -> Pixels:
        pixels = np.asarray(image)
        if smaller > 1:
            rows = pixels.reshape(size // smaller, smaller, size // smaller, smaller, 3)
            return np.floor(rows.mean(axis=(1, 3)) + 0.5).astype(np.uint8)
        return pixels.repeat(larger, 0).repeat(larger, 1)

    places = [[tile(sheet, shown(picture)) for picture in strip.pictures] for strip in strips]
    side = size * larger // smaller
    assert [[left for left, _ in row] for row in places] == [[28, 28 + side + 22, 28 + 2 * side + 28]] * 2
    tops = [{top for _, top in row} for row in places]
    assert len(tops[0]) == len(tops[1]) == 1 and tops[1].pop() - tops[0].pop() == side + 31
    assert sheet.width >= 28 + 3 * side + 28 + 28


def test_long_titles_and_names_stay_within_the_sheet() -> None:
    strips = [Strip("folder/" * 40 + "1.png", [noise(0, (40, 40))] * 2)]
    for title in ("word " * 60, "é中\n" * 80):
        sheet = np.asarray(draw_sheet(title, [title], strips))
        assert sheet.shape[1] == 480 + 56
        assert (sheet[:, -20:] == 255).all() and (sheet[-10:] == 255).all()


def test_names_of_files() -> None:
    names = ["a b", "a/b", "A_B", "index", "..", ".x", "plain", "café"]
    assert file_names(names, ["index"]) == ["a_b", "a_b-2", "A_B-3", "index-2", "_.", "_x", "plain", "café"]


def test_the_view_has_the_normalisation_of_the_cells_backbone(config: dict[str, Any]) -> None:
    own = config["backbone"] | {"model": "test_resnet", "weights": "/not/looked/at.pth", "freeze": "all"}
    assert build_view(config | {"backbone": own}).inputs == {"mean": [0.5] * 3, "std": [0.5] * 3}
    assert build_view(config).inputs["mean"] == [0.485, 0.456, 0.406]


TOY = ("backbone=timm", "backbone.model=test_efficientnet", "resolution.size=40")


def show(*arguments: object) -> int:
    return main(["data", "show", *map(str, arguments), *TOY])


def listed(root: Path, *classes: str) -> Path:
    """Five images a class, named by a CSV file."""
    lines = ["filename,class"]
    for label, name in enumerate(classes):
        for index in range(5):
            paint(root / f"{label}-{index}.png", label, index)
            lines.append(f'{label}-{index}.png,"{name}"')
    (root / "labels.csv").write_text("\n".join(lines))
    return root


def test_a_sheet_for_each_class_and_one_of_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, to = listed(tmp_path / "images", "a b/c", "../x, y", "index"), tmp_path / "new" / "sheets"
    common = ("folder", f"dataset.root={root}", "dataset.csv=labels.csv", "augment=standard", "--to", to, "--images", 2)
    assert show(*common, "--draws", 3) == 0
    assert sorted(path.name for path in to.iterdir()) == ["_._x__y.png", "a_b_c.png", "index-2.png", "index.png"]
    assert "3 sheets and index.png in" in capsys.readouterr().out
    with Image.open(to / "a_b_c.png") as sheet:
        assert sheet.width == 28 + 4 * 120 + 22 + 2 * 6 + 28
    assert show(*common, "--draws", 1, "--classes", "../x, y") == 0
    assert "1 sheet and" in capsys.readouterr().out
    assert show(*common, "--classes", "index,a b/d") == 1
    assert "no class is called 'a b/d'. Did you mean a b/c? There are: ../x, y, a b/c, index" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_to_is_told_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wisesr.build.data.build_manifest", None)  # it is not come to
    (tmp_path / "file").touch()
    assert show("digits", "--to", tmp_path / "file") == 1
    assert f"--to must be a folder, and {tmp_path / 'file'} is a file" in capsys.readouterr().err
    assert show("digits", "--to", "/proc/sheets") == 1
    assert "--to: /proc/sheets/index.png cannot be written" in capsys.readouterr().err


def test_epochs_are_counted_from_1_as_in_a_trainings_log(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("wisesr.data.sheet._write", lambda sheet, at, text, *_: written.append(text))
    draw_sheet("title", [], [Strip("row", [noise(0)] * 3)])
    assert [text for text in written if text.startswith(("epoch", "test"))] == ["test view", "epoch 1", "epoch 2"]


@pytest.mark.parametrize("name", ["digits", "layouts"])
def test_images_that_are_no_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    label = {"digits": "7", "layouts": "R.T S.. C.."}[name]
    assert show(name, "--classes", label, "--images", 1, "--draws", 1) == 0
    wanted = [f"{label.replace(' ', '_')}.png", "index.png"]
    assert sorted(path.name for path in (tmp_path / f"outputs/sheets/{name}-none-40").iterdir()) == wanted


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = listed(tmp_path / "images", "a", "b")
    for path in root.glob("1-*.png"):
        path.write_text("x")
    assert show("folder", f"dataset.root={root}", "dataset.csv=labels.csv", "--to", tmp_path / "sheets") == 1
    assert "not an image that can be read" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        show("digits", "--images", 0)
    assert "must be a whole number, at least 1, not '0'" in capsys.readouterr().err
