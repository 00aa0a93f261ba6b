"""Which pictures an evaluation is about: the run's own dataset wherever it is, other folders by the names of their classes."""

from __future__ import annotations

import importlib
import shutil
import socket
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.inference.evaluate_support import trained
from tests.support.images import paint
from wisesr.errors import UserError
from wisesr.inference.evaluate import evaluate
from wisesr.inference.evaluation.class_figures import confusion_of
from wisesr.inference.evaluation.other_folder import folder_pictures
from wisesr.inference.evaluation.own_data import own_pictures
from wisesr.inference.load import load
from wisesr.inference.run import Run
from wisesr.results.find import find_cell


@pytest.fixture(scope="module")
def outputs(_composed_once: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    trained(_composed_once, folder)
    return folder


@pytest.fixture
def run(outputs: Path) -> Run:
    return load("toy", outputs=outputs)


def folder(root: Path, labels: dict[str, int], count: int = 4) -> Path:
    for name, label in labels.items():
        for index in range(count):
            paint(root / name / f"{index}.png", label, 200 + index)
    return root


def test_classes_are_matched_by_name_whatever_their_order(run: Run, tmp_path: Path, images: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(images / "test", copied)
    own, other = evaluate(run, own_pictures(run, "test")), evaluate(run, folder_pictures(run, copied))
    assert other.source.split == "all" and other.agreement is None
    assert other.figures == own.figures
    assert other.predictions.classes == own.predictions.classes
    assert [f"test/{name}" for name in other.predictions.ids] == own.predictions.ids.tolist()
    listed = tmp_path / "listed.csv"
    rows = [f"{name},{name.split('/')[0]}" for name in reversed(other.predictions.ids.tolist())]
    listed.write_text("filename,class\n" + "\n".join(rows) + "\n")
    by_list = evaluate(run, folder_pictures(run, copied, layout={"csv": str(listed)}))
    assert by_list.figures["top1"] == own.figures["top1"]
    assert by_list.predictions.ids.tolist() == other.predictions.ids.tolist()[::-1]


def test_a_subset_is_measured_over_the_classes_that_it_has(run: Run, tmp_path: Path) -> None:
    done = evaluate(run, folder_pictures(run, folder(tmp_path / "some", {"class2": 2, "class0": 0})))
    assert done.present == ("class0", "class2")
    counts = confusion_of(done.predictions)
    assert counts.sum(axis=1).tolist() == [4, 0, 4]
    recalls = [counts[label, label] / 4 for label in (0, 2)]
    assert done.figures["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    assert done.figures["top1"] == pytest.approx(np.mean(recalls))
    alone = evaluate(run, folder_pictures(run, folder(tmp_path / "one", {"class1": 1})))
    assert alone.present == ("class1",)


def test_names_that_unicode_calls_equal_are_one_class(config: dict[str, Any], tmp_path: Path) -> None:
    train = folder(tmp_path / "named" / "train", {"Küche": 0, "Bad": 1}, 12)
    folder(tmp_path / "named" / "test", {"Küche": 0, "Bad": 1}, 3)
    cell = trained(config, tmp_path / "outputs", {"dataset.root": str(train.parent), "recipe.epochs": 1})
    other = folder(tmp_path / "apart", {unicodedata.normalize("NFD", "Küche"): 0})
    found = load(cell)
    assert folder_pictures(found, other).labels.tolist() == [found.index_of("Küche")] * 4


def test_classes_that_the_run_does_not_have_stop_with_the_nearest(run: Run, tmp_path: Path) -> None:
    root = folder(tmp_path / "wrong", {"class1": 1, "Class0": 0, "zoo": 2})
    with pytest.raises(UserError) as error:
        folder_pictures(run, root)
    text = str(error.value)
    assert "2 of 3 classes that are none of the run's: 'Class0' (nearest: 'class0'), 'zoo'." in text
    assert "Nothing was evaluated" in text and "'dataset.leave_out=[Class0,zoo]'" in text
    assert folder_pictures(run, root, layout={"leave_out": ["Class0", "zoo"]}).labels.tolist() == [1] * 4


def test_splits_of_a_folder(run: Run, tmp_path: Path) -> None:
    for split in ("train", "test"):
        folder(tmp_path / "both" / split, {"class0": 0, "class1": 1}, 2 if split == "test" else 3)
    sizes = {split: len(folder_pictures(run, tmp_path / "both", split=split)) for split in (None, "test", "train", "all")}
    assert sizes == {None: 4, "test": 4, "train": 6, "all": 10}
    with pytest.raises(UserError, match="no image of the val split, only of test, train"):
        folder_pictures(run, tmp_path / "both", split="val")
    with pytest.raises(UserError, match="has no splits: --split=all takes all of it"):
        folder_pictures(run, folder(tmp_path / "flat", {"class0": 0}), split="train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="--data: "):
        folder_pictures(run, tmp_path / "empty")


def test_files_that_cannot_be_read_are_told_and_the_rest_is_measured(run: Run, tmp_path: Path) -> None:
    root = folder(tmp_path / "odd", {"class0": 0, "class1": 1, "class2": 2})
    good = evaluate(run, folder_pictures(run, root))
    (root / "class0" / "text.jpg").write_text("no picture at all")
    Image.new("RGB", (1, 1)).save(root / "class1" / "dot.png")
    Image.new("1", (20_000, 20_000)).save(root / "class1" / "huge.png")
    whole = (root / "class2" / "0.png").read_bytes()
    (root / "class2" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (root / "class2" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    for workers in (0, 1):
        done = evaluate(run, folder_pictures(run, root), workers=workers)
        assert set(done.unread) == {"class0/text.jpg", "class1/huge.png", "class2/cut.png", "class2/gone.png"}
        assert done.unread["class0/text.jpg"] == "not an image that can be read"
        assert "400 million pixels" in done.unread["class1/huge.png"]
        assert done.tiny == ("class1/dot.png",)
        assert len(done.predictions.ids) == 13
        kept = np.isin(done.predictions.ids, good.predictions.ids)
        assert kept.sum() == 12
        np.testing.assert_allclose(done.predictions.probabilities[kept], good.predictions.probabilities, atol=1e-6)
    for path in root.rglob("*.*"):
        path.unlink()
        path.write_text("no picture") if path.suffix == ".png" else None
    with pytest.raises(UserError, match="of 16 images none can be read: class0/0.png: not an image"):
        evaluate(run, folder_pictures(run, root))


def moved(run: Run, outputs: Path, tmp_path: Path, images: Path) -> tuple[Run, Path]:
    """The run with a dataset that was at a place of its own, and is there no longer."""
    root = tmp_path / "now"
    shutil.copytree(images, root)
    copy = tmp_path / "outputs"
    shutil.copytree(outputs, copy)
    cell = find_cell("toy", copy)
    config = yaml.safe_load((cell / "config.yaml").read_text())
    config["dataset"]["root"] = str(tmp_path / "then")
    (cell / "config.yaml").write_text(yaml.safe_dump(config))
    return load(cell), root


def test_a_dataset_that_was_moved(run: Run, outputs: Path, tmp_path: Path, images: Path) -> None:
    other, root = moved(run, outputs, tmp_path, images)
    with pytest.raises(UserError, match="there is no such folder here: --root DIR says where it is now"):
        own_pictures(other, "test")
    with pytest.raises(UserError, match="there is no folder"):
        own_pictures(other, "test", root=tmp_path / "elsewhere")
    done = evaluate(other, own_pictures(other, "test", root=root))
    assert done.agreement is not None and done.agreement.equal
    paint(root / "test" / "class0" / "00.png", 1, 5)
    with pytest.raises(UserError, match="are not those that .* was trained with"):
        own_pictures(other, "test", root=root)


def test_data_that_has_changed_is_measured_and_told(run: Run, outputs: Path, tmp_path: Path, images: Path) -> None:
    other, root = moved(run, outputs, tmp_path, images)
    root.rename(tmp_path / "then")
    assert own_pictures(other, "test").source.unchanged is True
    (tmp_path / "then" / "test" / "class0" / "00.png").write_text("broken since")
    done = evaluate(other, own_pictures(other, "test"))
    assert done.source.unchanged is False and "have changed since the training" in done.source.notes[0]
    assert done.unread == {"test/class0/00.png": "not an image that can be read"}
    assert done.agreement is not None and not done.agreement.equal
    assert done.agreement.reasons[:2] == ("1 images cannot be read now", "the data has changed")


def test_a_dataset_of_others_is_not_imported_and_nothing_is_downloaded(run: Run) -> None:
    run.config["dataset"] |= {"_target_": "somebody.data.make"}
    with pytest.raises(UserError, match=r"dataset\._target_ is somebody.data.make, which is not wisesr's"):
        own_pictures(run, "test")
    places = {"_target_": "wisesr.data.torchvision_source.torchvision", "source": "Flowers102", "variant": None}
    run.config["dataset"] |= places | {"download": True, "root": str(run.directory), "on_bad_image": "error"}
    for key in ("csv", "columns", "train", "val", "test", "leave_out", "range"):
        del run.config["dataset"][key]
    with pytest.raises(UserError, match="download=true"):
        own_pictures(run, "test")


def test_a_dataset_of_the_hub_is_not_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is imported by then, and reads no environment any more: it must not open a connection all the same."""
    pytest.importorskip("datasets")
    constants = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(importlib.import_module("datasets.config"), "HF_HUB_OFFLINE", False)
    asked: list[object] = []

    def ask(*where: object, **_: object) -> list[object]:
        asked.append(where)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    monkeypatch.setattr(socket.socket, "connect", ask)
    places = {"_target_": "wisesr.data.huggingface_source.huggingface", "source": "nobody/nothing", "root": str(run.directory)}
    settings = ("config_name", "revision", "image_column", "label_column", "train", "val", "test")
    for key in ("csv", "columns", "leave_out", "on_bad_image"):
        del run.config["dataset"][key]
    run.config["dataset"] |= places | dict.fromkeys(settings)
    with pytest.raises(UserError, match="nobody/nothing"):
        own_pictures(run, "test")
    assert asked == [] and constants.HF_HUB_OFFLINE is False
