"""A finished cell as a model: what it computes, and what is refused of directories that are none, damaged or malicious."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import wisesr
from tests.support.cells import make
from wisesr.cell.run import DONE, run
from wisesr.config.options import load_option
from wisesr.errors import UserError
from wisesr.models.weights import load_file
from wisesr.results.predictions import read_predictions


def edit_config(cell: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """In `config.yaml` and in the record, as somebody would who offers a run of his own making."""
    config = yaml.safe_load((cell / "config.yaml").read_text())
    change(config)
    (cell / "config.yaml").write_text(yaml.safe_dump(config))
    record = json.loads((cell / "result.json").read_text())
    change(record["config"])
    (cell / "result.json").write_text(json.dumps(record))


def edit_checkpoint(cell: Path, change: Callable[[dict[str, Any]], None]) -> None:
    held = torch.load(cell / "best.ckpt", weights_only=True)
    change(held)
    torch.save(held, cell / "best.ckpt")


def assert_as_tested(loaded: wisesr.Run, images: Path, cell: Path, tolerance: float = 1e-5) -> None:
    """Probabilities of the test images, one by one from their files, are those that the cell wrote down."""
    stored = read_predictions(cell)
    assert stored is not None
    predicted = loaded.predict([images / name for name in stored.ids], batch_size=5)
    assert loaded.class_names == stored.classes
    np.testing.assert_allclose([one.probabilities for one in predicted], stored.probabilities, atol=tolerance)


def test_a_moved_run_by_its_directory_its_name_and_a_part_of_it(finished: Path, images: Path, tmp_path: Path) -> None:
    outputs = (tmp_path / "outputs").rename(tmp_path / "elsewhere")
    cell = outputs / finished.relative_to(tmp_path / "outputs")
    loaded = wisesr.load(cell)
    assert_as_tested(loaded, images, cell)
    assert loaded.class_names == ("class0", "class1", "class2")
    assert (loaded.labels.head, loaded.labels.seed, loaded.image_size) == ("wise_dropout", 0, 64)
    for name in ("study:toy-wise_dropout-0", "toy-wise_dropout", "seed-0"):
        assert wisesr.load(name, outputs=outputs).directory == cell
    with pytest.raises(UserError, match="no cell is called 'nothing'"):
        wisesr.load("nothing", outputs=tmp_path / "nowhere")


def test_pictures_of_every_kind_are_read_alike(finished: Path, images: Path) -> None:
    loaded = wisesr.load(finished)
    path = next((images / "test").rglob("*.png"))
    image = Image.open(path).convert("RGB")
    answers = [loaded.predict(picture)[0] for picture in (path, str(path), image, np.asarray(image))]
    assert all(np.array_equal(answer.probabilities, answers[0].probabilities) for answer in answers)
    assert answers[0].probability == answers[0].probabilities.max()
    with pytest.raises(UserError, match=r"uint8 of \(height, width, 3\), not float64"):
        loaded.predict(np.zeros((4, 4, 3)))  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"config.yaml: not an image that can be read$"):
        loaded.predict(finished / "config.yaml")


def test_evidence_sums_to_the_logit(finished: Path, images: Path) -> None:
    loaded = wisesr.load(finished)
    path = next((images / "test").rglob("*.png"))
    predicted = loaded.evidence(path)
    assert predicted.class_name == loaded.predict(path)[0].class_name
    for name in loaded.class_names:
        found = loaded.evidence(path, name)
        assert found.map.sum() + found.offset == pytest.approx(found.logit, abs=1e-5)
    with pytest.raises(UserError, match=r"no class of this run is called 'klass1'. Did you mean class1"):
        loaded.evidence(path, "klass1")


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": {"ema": 0.9}},
        {"trainer": {"precision": "64-true", "channels_last": False}},
        {"trainer": {"precision": "bf16-mixed"}},
        {"recipe": {"batch_norm": "keras", "structure": "keras"}, "backbone": {"model": "efficientnet_b0"}},
    ],
    ids=["average", "double", "mixed", "keras"],
)
def test_what_else_belongs_to_the_weights(
    config: dict[str, Any], changes: dict[str, dict[str, Any]], tmp_path: Path, images: Path
) -> None:
    for group, values in changes.items():
        config[group] |= values
    config["recipe"]["epochs"] = 1
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    mixed = config["trainer"]["precision"] == "bf16-mixed"  # a batch of another size is summed in another order, in 8 bits
    assert_as_tested(wisesr.load(cell), images, cell, tolerance=5e-3 if mixed else 1e-5)


def test_another_size_keeps_the_kernels_sum_and_the_window(finished: Path, images: Path) -> None:
    small, large = wisesr.load(finished), wisesr.load(finished, image_size=224)
    kernels = [loaded.model.head.full_kernel() for loaded in (small, large)]  # type: ignore[operator]
    assert kernels[0].shape[1:] == (2, 2) and kernels[1].shape[1:] == (7, 7)
    torch.testing.assert_close(kernels[0].sum((1, 2)), kernels[1].sum((1, 2)))
    assert small.model.head.averaging.pool == large.model.head.averaging.pool == 1, "as trained, not as 7x7 would have it"  # type: ignore[union-attr]
    path = next((images / "test").rglob("*.png"))
    assert np.isfinite(large.predict(path)[0].probabilities).all()


def test_a_head_with_a_weight_for_each_position_refuses_another_size(config: dict[str, Any], tmp_path: Path) -> None:
    config["head"] = {"name": "flatten", **load_option("head", "flatten")}
    config["recipe"]["epochs"] = 1
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    with pytest.raises(UserError, match="head flatten at 224 px: FlattenHead learns"):
        wisesr.load(cell, image_size=224)


class Code:
    """What a pickle can do to a reader."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.mark), "w"))


@pytest.mark.parametrize("where", ["whole", "inside"])
def test_a_malicious_checkpoint_runs_nothing(finished: Path, tmp_path: Path, where: str) -> None:
    mark = tmp_path / "mark"
    if where == "whole":
        (finished / "best.ckpt").write_bytes(pickle.dumps(Code(mark)))
    else:
        torch.save({"state_dict": {}, "class_names": Code(mark)}, finished / "best.ckpt")
    with pytest.raises(UserError, match=r"best.ckpt (asks to run .*open|is damaged, or holds more .*). Nothing of it was run$"):
        wisesr.load(finished)
    assert not mark.exists()


def test_a_malicious_array_runs_nothing(finished: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    edit_checkpoint(finished, lambda held: held.pop("class_names"))
    np.savez(finished / "predictions.npz", classes=np.array([Code(mark)], dtype=object))
    with pytest.raises(UserError, match="the names of its classes are lost"):
        wisesr.load(finished)
    assert not mark.exists()


def test_a_configuration_names_no_code_of_others(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "evil_head.py").write_text(
        f"open({str(mark)!r}, 'w').close()\nfrom wisesr.models.heads.wise import WiseHead as Head\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    edit_config(finished, lambda config: config["head"].update(_target_="evil_head.Head"))
    with pytest.raises(UserError, match=r"head._target_ is evil_head.Head, which is not wisesr's: .* --trust"):
        wisesr.load(finished)
    assert not mark.exists() and "evil_head" not in sys.modules
    assert wisesr.load(finished, trust=True).labels.head == "wise_dropout"
    assert mark.exists()


@pytest.mark.parametrize(
    "target", ["wisesr.results.atomic_files.remove_partial", "wisesr.cell.run.run", "wisesr.data.folder.folder", "os.system"]
)
def test_wisesrs_other_functions_are_no_parts(finished: Path, target: str) -> None:
    edit_config(finished, lambda config: config.update(head={"name": "wise", "_target_": target}))
    with pytest.raises(UserError, match=r"no head of wisesr's|does not fit this version|which is not wisesr's"):
        wisesr.load(finished)


def test_yaml_that_would_run_something_is_no_yaml(finished: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with (finished / "config.yaml").open("a") as file:
        file.write(f"evil: !!python/object/apply:builtins.open [{str(mark)!r}, w]\n")
    with pytest.raises(UserError, match="is no YAML"):
        wisesr.load(finished)
    assert not mark.exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (lambda cell: cut(cell / "best.ckpt"), "is damaged: best.ckpt is cut short"),
    "empty": (lambda cell: (cell / "best.ckpt").write_bytes(b"") and None, "is damaged: best.ckpt is cut short"),
    "no weights": (lambda cell: (cell / "best.ckpt").unlink(), "is damaged: best.ckpt is missing: the figures stand"),
    "no result": (lambda cell: (cell / "result.json").unlink(), r"has no result yet \(done\)|has no result yet"),
    "half a result": (lambda cell: cut(cell / "result.json"), "is damaged: result.json is no JSON: cut short"),
    "no config": (lambda cell: (cell / "config.yaml").unlink(), r"is damaged: config.yaml is missing\. Way out: "),
    "config cut": (lambda cell: (cell / "config.yaml").write_text("head: [") and None, "is no YAML"),
    "edited": (
        lambda cell: (
            (cell / "config.yaml").write_text((cell / "config.yaml").read_text().replace("seed: 0", "seed: 1", 1)) and None
        ),
        "is damaged: config.yaml was edited: it is not the configuration of the record",
    ),
    "a class more": (
        lambda cell: edit_checkpoint(cell, lambda held: held["class_names"].append("another")),
        "best.ckpt names 4 classes, and the head of best.ckpt has 3",
    ),
    "no list of classes": (
        lambda cell: edit_checkpoint(cell, lambda held: held.update(class_names=[1, 2, 3])),
        "its class names are no list of names",
    ),
    "another model": (
        lambda cell: edit_checkpoint(cell, lambda held: held["state_dict"].__delitem__("model.head.aggregation.kernel")),
        "does not fit the model that its config.yaml describes: 1 missing: head.aggregation.kernel",
    ),
    "another shape": (
        lambda cell: edit_checkpoint(
            cell, lambda held: held["state_dict"].update({"model.head.aggregation.kernel": torch.zeros(2, 2)})
        ),
        "1 of another shape: head.aggregation.kernel",
    ),
    "no state": (lambda cell: torch.save([1, 2], cell / "best.ckpt"), "is no checkpoint of a cell"),
    "other inputs": (
        lambda cell: edit_checkpoint(cell, lambda held: held["inputs"].update(mean=[0.0, 0.0, 0.0])),
        "was trained on images normalised with",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_told_by_name(finished: Path, damage: str) -> None:
    change, message = DAMAGES[damage]
    change(finished)
    with pytest.raises(UserError, match=message) as error:
        wisesr.load(finished)
    assert len(str(error.value)) < 1500


def test_a_run_of_an_older_version(finished: Path, images: Path) -> None:
    """Its checkpoint names no classes, its record no rules of pixels."""
    edit_checkpoint(finished, lambda held: held.pop("class_names"))
    record = json.loads((finished / "result.json").read_text())
    record["provenance"]["data"].pop("rules")
    (finished / "result.json").write_text(json.dumps(record))
    assert_as_tested(wisesr.load(finished), images, finished)


def test_loading_draws_nothing(finished: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    wisesr.load(finished)
    assert torch.equal(torch.rand(2), expected)


def test_a_cells_weights_are_still_those_of_a_backbone(finished: Path) -> None:
    loaded = wisesr.load(finished)
    body = wisesr.create_model("test_efficientnet", "gap", 3, 64).backbone
    load_file(body.model, finished / "best.ckpt", packaged=False)
    assert all(torch.equal(a, b) for a, b in zip(body.parameters(), loaded.model.backbone.parameters(), strict=True))


@pytest.mark.parametrize(
    ("group", "target"),
    [
        ("augment", "wisesr.data.kept.keep"),
        ("augment", "wisesr.data.augmentation.inputs_of"),
        ("backbone", "wisesr.models.plain_file.read_plain"),
        ("head", "wisesr.models.heads.pre_average.pre_average"),
    ],
)
def test_functions_that_make_no_part_are_not_called(finished: Path, group: str, target: str) -> None:
    edit_config(finished, lambda config: config.update({group: {"name": "x", "_target_": target}}))
    with pytest.raises(UserError, match=f"no {group} of wisesr's; nothing of it was run|does not fit this version"):
        wisesr.load(finished)


def test_a_class_for_others_to_inherit_is_no_part(finished: Path) -> None:
    target = "wisesr.data.augmentation.Augmentation"
    edit_config(finished, lambda config: config.update(augment={"_target_": target}))
    with pytest.raises(UserError, match=r"augmentation.Augmentation is abstract"):
        wisesr.load(finished)


STRANGE_YAML = {
    "holds itself": "more: &all [*all]",
    "holds itself in a map": "more: &all {more: *all}",
    "deep": "more: " + "{a: " * 4000 + "1" + "}" * 4000,
    "a date": "more: 2026-01-31",
    "no date": "more: 2026-13-31",
    "bytes": "more: !!binary aGVsbG8=",
    "a set": "more: [!!set {a, b}]",
    "a key that is a date": "2026-01-31: more",
    "a key that is a number": "trainer: {7: 8}",
}


@pytest.mark.parametrize("text", STRANGE_YAML.values(), ids=STRANGE_YAML)
def test_yaml_that_is_no_configuration(finished: Path, text: str) -> None:
    with (finished / "config.yaml").open("a") as file:
        file.write(text + "\n")
    with pytest.raises(UserError, match=r"config.yaml is no (configuration of a cell: |YAML: )") as error:
        wisesr.load(finished)
    assert len(str(error.value)) < 500


STRANGE_CHECKPOINTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "names that are numbers": (lambda held: held["state_dict"].update({7: torch.zeros(1)}), "names and dense tensors"),
    "sparse": (lambda held: held["state_dict"].update(x=torch.eye(2).to_sparse()), "names and dense tensors"),
    "without numbers": (lambda held: held["state_dict"].update(x=torch.zeros(2, device="meta")), "names and dense tensors"),
    "complex": (lambda held: held["state_dict"].update(x=torch.zeros(2, dtype=torch.complex64)), "names and dense tensors"),
    "one number of a bias": (
        lambda held: held["state_dict"].update({"model.head.classifier.bias": torch.tensor(1.0)}),
        "1 of another shape: head.classifier.bias",
    ),
    "two classes of a name": (lambda held: held.update(class_names=["a", "b", "a"]), "several classes of one name: a"),
    "inputs": (lambda held: held.update(inputs="as usual"), "its inputs is 'as usual'"),
    "structure": (lambda held: held.update(structure="pytorch"), "its structure is 'pytorch'"),
    "epsilons": (lambda held: held.update(epsilons=[0.5]), "the file must tell an epsilon for each"),
}


@pytest.mark.parametrize("damage", STRANGE_CHECKPOINTS)
def test_checkpoints_that_no_training_writes(finished: Path, damage: str) -> None:
    change, message = STRANGE_CHECKPOINTS[damage]
    edit_checkpoint(finished, change)
    with pytest.raises(UserError, match=f"best.ckpt.*{message}"):
        wisesr.load(finished)


def test_a_record_that_cannot_be_read_is_told_by_its_directory(finished: Path) -> None:
    record = json.loads((finished / "result.json").read_text())
    (finished / "result.json").write_text(json.dumps(record | {"schema": 99}))
    with pytest.raises(UserError, match=f"^{finished} was written by a newer version"):
        wisesr.load(finished)


def test_a_size_that_no_memory_holds(finished: Path) -> None:
    with pytest.raises(UserError, match="100000000000 px"):
        wisesr.load(finished, image_size=100_000_000_000)
