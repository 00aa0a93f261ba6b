"""A run as one file: what it computes, what it says of itself, and that it is only there where it is right."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from tests.support.cells import make
from tests.support.configs import composed
from tests.support.images import noise, paint
from wisesr.build.parts import build_augmentation
from wisesr.cell.run import DONE
from wisesr.cell.run import run as run_cell
from wisesr.cli import main
from wisesr.config.options import load_option
from wisesr.data.augmentation import Augmentation, Plain
from wisesr.errors import UserError
from wisesr.inference.export import Exported, export
from wisesr.inference.exporting import onnx_format
from wisesr.inference.exporting.onnx_format import OnnxFormat
from wisesr.inference.exporting.torch_format import TorchFormat
from wisesr.inference.load import load
from wisesr.inference.run import Run

SIZE = 96
"""The toy's map is 3x3: averaging drops its last row and column."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A toy that took a step: averaging of 2x2 before a softplus kernel, and dropout."""
    folder = tmp_path_factory.mktemp("export")
    for split, count in (("train", 8), ("test", 2)):
        for label in range(3):
            for index in range(count):
                paint(folder / "images" / split / f"class|{label}" / f"{index}.png", label, index + 100 * (split == "test"))
    config = composed(
        *("backbone=timm", "backbone.name=toy", "backbone.model=test_resnet", "head=wise_dropout", "head.pre_pool=2"),
        *("head.non_negative=softplus", "dataset=folder", f"dataset.root={folder / 'images'}", f"resolution.size={SIZE}"),
        *("recipe=quick", "recipe.epochs=1", "recipe.batch_size=64", "trainer=cpu", "trainer.threads=1", "logger=none"),
        "study=toys",
    )
    cell = make(config, folder / "cell")
    assert run_cell(cell) == DONE
    return load(cell)


@pytest.fixture(scope="module")
def as_onnx(run: Run) -> Exported:
    return export(run, run.directory.parent / "toy.onnx", OnnxFormat())


@pytest.fixture(scope="module")
def papers(run: Run) -> Run:
    """The same with the paper's input: nearest, and caffe's BGR."""
    body = run.model.backbone
    return replace(run, augmentation=build_augmentation(load_option("augment", "paper"), SIZE, body.mean, body.std))


@pytest.fixture(scope="module")
def as_torch(papers: Run) -> Exported:
    return export(papers, papers.directory.parent / "papers.pt2", TorchFormat(), preprocessing="metadata")


def test_the_graph_has_one_kernel_on_the_whole_map(run: Run, as_onnx: Exported) -> None:
    graph = onnx.load(as_onnx.path).graph
    kernel = run.model.head.full_kernel()  # type: ignore[operator]
    assert kernel.shape[1:] == (3, 3)
    (name,) = [value.name for value in graph.initializer if value.dims == list(kernel.shape)]
    (held,) = [onnx.numpy_helper.to_array(value) for value in graph.initializer if value.name == name]
    assert np.array_equal(held, kernel.numpy())
    (place,) = [place for place, node in enumerate(graph.node) if name in node.input]
    assert [node.op_type for node in graph.node[place:]] == ["Mul", "ReduceSum", "Add", "Gemm", "Softmax"]
    (features,) = [source for source in graph.node[place].input if source != name]
    (before,) = [node.op_type for node in graph.node if features in node.output]
    assert before == "Relu", "the backbone's last layer, and no averaging after it"


def test_what_the_file_takes_and_says(run: Run, as_onnx: Exported) -> None:
    model = onnx.load(as_onnx.path)
    sizes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert sizes == {"images": ["batch", 3, SIZE, SIZE], "logits": ["batch", 3], "probabilities": ["batch", 3]}
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == 18
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(said["class_names"]) == list(run.class_names)
    assert json.loads(said["resizing"]) == {"way": "squash", "filter": "bilinear, antialiased, of uint8 (torchvision)"}
    assert said["run_fingerprint"] == run.record.fingerprint
    assert said["data_fingerprint"] == run.record.provenance.data.fingerprint
    assert (said["opset"], said["image_size"], said["preprocessing"]) == ("18", str(SIZE), "inside")


def test_it_answers_as_the_run(run: Run, as_onnx: Exported) -> None:
    assert set(as_onnx.differences) == {"5 random pictures", "5 test images"}
    pictures = [noise(seed, (SIZE, SIZE)) for seed in range(7)]
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()  # type: ignore[arg-type]
    logits = run.logits(torch.stack([run.transform(picture) for picture in pictures]))
    assert (OnnxFormat().open(as_onnx.path)(pixels) - logits).abs().max() <= 1e-4


def test_nothing_in_it_tells_where_it_was_made(run: Run, as_onnx: Exported, as_torch: Exported) -> None:
    for path in (as_onnx.path, as_onnx.card, as_torch.path, as_torch.card):
        data = path.read_bytes()
        for folder in (Path(__file__).parents[2], Path(torch.__file__).parents[1], run.directory.parent):
            assert str(folder).encode() not in data, path.name
    assert run.record.provenance.hardware["host"] not in as_onnx.card.read_text().split()


def test_a_torch_program_needs_no_wisesr(papers: Run, as_torch: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.stack([papers.transform(noise(seed)) for seed in range(3)])
    logits = papers.logits(images)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("wisesr", "timm")]:
        monkeypatch.setitem(sys.modules, name, None)  # its import would fail
    with pytest.raises(ImportError):
        import wisesr  # noqa: F401
    extra = {"wisesr.json": ""}
    with as_torch.path.open("rb") as file:
        module = torch.export.load(file, extra_files=extra).module()
    assert (module(images) - logits).abs().max() <= 1e-5
    assert json.loads(extra["wisesr.json"])["order"] == "BGR"


def program_of(card: Path) -> str:
    (program,) = re.findall(r"```python\n(.*?)\n```", card.read_text(), re.DOTALL)
    return str(program)


def ask(card: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a card's program on files; its probabilities."""
    monkeypatch.chdir(card.parent)
    program = program_of(card).replace('["photo.jpg"]', repr([str(file) for file in files]))
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(program, "card", "exec"), names)
    assert len(printed.getvalue().splitlines()) == len(files)
    return names["probabilities"]


@pytest.mark.parametrize("which", ["onnx", "torch"])
def test_the_cards_program_says_what_the_run_says(
    which: str, run: Run, papers: Run, as_onnx: Exported, as_torch: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of pictures of the trained size, and with the filter of Pillow of all."""
    owner, made, shape = (run, as_onnx, (SIZE, SIZE)) if which == "onnx" else (papers, as_torch, (90, 50))
    files = [tmp_path / f"{seed}.png" for seed in range(3)]
    for seed, file in enumerate(files):
        noise(seed, shape).save(file)
    said = np.stack([prediction.probabilities for prediction in owner.predict(files)])
    assert np.abs(ask(made.card, files, monkeypatch) - said).max() <= 1e-4


def test_how_far_pillows_resizing_is_was_measured(run: Run, as_onnx: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    card = as_onnx.card.read_text()
    found = re.search(r"On 5 test images .* within (\d+) of 255 .* probabilities within ([\d.e+-]+)\.", card)
    assert found is not None
    assert int(found[1]) <= 1
    (files,) = [sorted((run.directory.parent / "images" / "test").rglob("*.png"))]
    said = np.stack([prediction.probabilities for prediction in run.predict(files)])
    five = np.linspace(0, len(files) - 1, 5).round().astype(int)
    apart = np.abs(ask(as_onnx.card, files, monkeypatch) - said)[five].max()
    assert apart == pytest.approx(float(found[2]), rel=0.1, abs=1e-5)


def test_the_card(run: Run, as_onnx: Exported, as_torch: Exported) -> None:
    card, record = as_onnx.card.read_text(), run.record
    assert [line for line in card.splitlines() if line.startswith("#")] == [
        *("# toy.onnx", "## Use", "## Data", "## Figures", "## Training", "## Cost"),
        *("## Licence of the weights", "## Limits", "## Provenance"),
    ]
    assert "class\\|0, class\\|1, class\\|2" in card
    assert f"| top-1, % | {100 * record.best.test_top1:.2f} | {100 * record.best.val_top1:.2f} |" in card
    assert f"Selected by: {record.selection}." in card
    assert f"| backbone | {record.cost.parameters.backbone:,} |" in card
    assert "The weights started at random: nobody else's licence bears on them." in card
    assert "None" not in card
    assert "swapped to BGR" in as_torch.card.read_text()


def test_what_is_wrong_with_figures_is_said(run: Run, tmp_path: Path) -> None:
    data = replace(run.record.provenance.data, shared={"test in train": 3}, absent={"test": ["class|1"]}, left_out=("a.png",))
    config: Any = {**run.config, "trainer": {**run.config["trainer"], "precision": "bf16-mixed"}}
    changed = replace(
        run,
        image_size=SIZE,
        config={**config, "resolution": {"size": 32}},
        record=replace(run.record, protocol="paper", provenance=replace(run.record.provenance, data=data)),
    )
    card = export(changed, tmp_path / "toy.pt2", TorchFormat()).card.read_text()
    assert "shared between splits: 3 images (test in train)" in card
    assert "no test image of class\\|1" in card
    assert "1 unreadable image left out" in card
    assert "was trained and measured at 32 px" in card
    assert "measured in precision bf16-mixed" in card
    assert "chosen on the test images" in card


class Other(Augmentation):
    """Somebody's own, which does not say how it resizes, and normalises otherwise than it says."""

    def __init__(self, shift: float) -> None:
        super().__init__((0.5,) * 3, (0.5,) * 3)
        self.whole, self.shift = Plain(SIZE, (0.5,) * 3, (0.5,) * 3), shift

    def __call__(self, image: Image.Image, *, training: bool) -> torch.Tensor:
        return self.whole(image, training=training) + self.shift


def test_resizing_that_nobody_knows_is_said_to_be_unknown(run: Run, tmp_path: Path) -> None:
    card = export(replace(run, augmentation=Other(0.0)), tmp_path / "toy.pt2", TorchFormat()).card.read_text()
    assert "in training is unknown" in card
    assert "```" not in card


def test_a_file_that_answers_otherwise_is_not_written(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "toy.pt2"
    path.write_text("older")
    with pytest.raises(UserError, match=r"toy.pt2 was not written: its logits differ .* by .* on 5 random pictures .*metadata"):
        export(replace(run, augmentation=Other(0.0015)), path, TorchFormat())
    assert path.read_text() == "older"
    assert [file.name for file in tmp_path.iterdir()] == ["toy.pt2"]
    export(replace(run, augmentation=Other(0.0015)), path, TorchFormat(), preprocessing="metadata")


def test_double_precision_becomes_single(run: Run, tmp_path: Path) -> None:
    double = replace(run, model=load(run.directory).model.double())
    made = export(double, tmp_path / "toy.pt2", TorchFormat())
    with made.path.open("rb") as file:
        program = torch.export.load(file)
    assert {value.dtype for value in program.state_dict.values() if value.is_floating_point()} == {torch.float32}


def test_the_command(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "toy.pt2"
    assert main(["export", str(run.directory), "--format", "torch", "--output", str(path)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert re.search(r"logits on 5 test images: within \S+ of the run's", printed.out)
    assert f"uint8 RGB -> logits\n{path}.md: its model card" in printed.out
    assert sorted(file.name for file in path.parent.iterdir()) == ["toy.pt2", "toy.pt2.md"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "torch", "--opset", "18"], "--opset is of ONNX"),
        (["--opset", "9999"], "--opset must be from"),
        (["--output", "model.pt2"], "--output must end in .onnx for --format onnx, and model.pt2 does not"),
        (["--tolerance", "0"], "--tolerance must be above 0"),
    ],
)
def test_settings_that_do_not_fit(options: list[str], said: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run.directory), *options]) == 1
    assert said in capsys.readouterr().err


def test_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found: Callable[[str], object] = onnx_format.find_spec
    monkeypatch.setattr(onnx_format, "find_spec", lambda name: None if name == "onnxscript" else found(name))
    assert main(["export", str(run.directory)]) == 1
    assert "of which onnxscript is not installed: pip install 'wisesr[onnx]'" in capsys.readouterr().err


def test_more_than_one_file_holds(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(onnx_format, "_LARGEST", 1000)
    with pytest.raises(UserError, match="ONNX holds 2 GiB in one file"):
        export(run, tmp_path / "toy.onnx", OnnxFormat())
    assert list(tmp_path.iterdir()) == []
