"""`wisesr explain`: what it prints and writes, and what it does with files that are no pictures."""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.support.cells import make
from tests.support.images import noise
from wisesr.cell.run import DONE, run
from wisesr.cli import main
from wisesr.cli.explain_pictures import choose_pictures
from wisesr.config.options import load_option
from wisesr.report.figures.render import Picture


@pytest.fixture(scope="module")
def outputs(_composed_once: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished toy cells of three heads, one of them of another size."""
    root = tmp_path_factory.mktemp("explained")
    for head, size in (("gap", 64), ("wise", 96), ("attention", 64)):
        config = copy.deepcopy(_composed_once) | {"head": load_option("head", head) | {"name": head}}
        config |= {"output_dir": str(root)}
        config["recipe"]["epochs"] = 1
        config["resolution"]["size"] = size
        assert run(make(config, root / "study" / f"corners-{size}" / f"toy-{head}" / "seed-0-00000000")) == DONE
    return root


def explain(outputs: Path, *arguments: str | Path) -> int:
    return main(["explain", *map(str, arguments), "--runs", str(outputs), "--device", "cpu"])


MINUS = "\N{MINUS SIGN}"
SUM = re.compile(rf"sum of the map (\S+) ([+{MINUS}]) offset (\S+) = logit (\S+)")


def number(text: str) -> float:
    return float(text.replace(MINUS, "-"))


def test_a_folder_and_the_sum_that_is_printed(outputs: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(outputs, "toy-wise", images / "test", "--limit", "3", "--top", "2") == 0
    out = capsys.readouterr().out
    sums = SUM.findall(out)
    assert len(sums) == 6
    for total, sign, offset, logit in sums:
        assert number(total) + number(sign + offset) == pytest.approx(number(logit), abs=2e-4)
    assert "3 of 18 pictures of folders, evenly spaced: --limit takes more." in out
    (to,) = (outputs / "explained").glob("tests-toy-wise-seed-0-*")
    assert f"3 sheets and index.html in {to}" in out
    page = (to / "index.html").read_text()
    assert page.count("<section>") == 3
    assert all(one in page for one in {"class0", "class1", "class2"}), "evenly spaced: one of each class"
    assert "http:" not in page.replace("http://www.w3.org/2000/svg", "") and "https:" not in page, "no network"
    sheets = sorted(to.glob("*.png"))
    assert len(sheets) == 3
    with Image.open(sheets[0]) as sheet:
        assert sheet.width > 1000 and sheet.height > 800


def test_two_runs_of_other_sizes_and_heads(
    outputs: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = next((images / "test").rglob("*.png"))
    assert explain(outputs, "toy-wise", picture, "--against", "toy-gap", "--class", "class1", "--output", tmp_path / "a") == 0
    out = capsys.readouterr().out
    assert len(SUM.findall(out)) == 2
    page = (tmp_path / "a" / "index.html").read_text()
    assert "logits per 1 % of the picture" in page, "maps of 3x3 and 2x2 on one scale"
    assert "64x64 px" in page and "96x96 px" in page
    assert explain(outputs, "toy-attention", picture, "--against", "toy-gap", "--each-head", "--output", tmp_path / "a") == 0
    page = (tmp_path / "a" / "index.html").read_text()
    assert "share of the attention" in page and "head 1 of 4" in page and "not linear in its map" in page


def test_what_cannot_be_read_is_told_and_the_rest_done(
    outputs: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = next((images / "test").rglob("*.png"))
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty").mkdir()
    noise(1, (1, 1)).save(tmp_path / "dot.png")
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    os.mkfifo(tmp_path / "pipe.png")
    names = ("text.jpg", "dot.png", "huge.png", "gone.png", "empty", "pipe.png", "*.bmp")
    assert explain(outputs, "toy-gap", *(tmp_path / name for name in names), good, "--output", tmp_path / "to") == 1
    out = capsys.readouterr().out
    for name, why in zip(
        names,
        (
            "not an image that can be read",
            "1x1 px: a single pixel is no picture",
            "400 million pixels",
            "No such file",
            "no images in this folder",
            "a pipe, and no file",
            "nothing matches this pattern",
        ),
        strict=True,
    ):
        assert re.search(rf"{re.escape(str(tmp_path / name))}: .*{why}", out), out
    assert "dataset.on_bad_image" not in out, "advice for a training"
    assert "1 sheet and index.html" in out
    assert "text.jpg: not an image" in (tmp_path / "to" / "index.html").read_text()
    assert explain(outputs, "toy-gap", tmp_path / "text.jpg", "--output", tmp_path / "none") == 1
    assert "none of the pictures could be explained" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_folders_and_patterns_are_limited_together_and_named_files_are_not(images: Path, tmp_path: Path) -> None:
    (one, two, *rest) = sorted(str(path) for path in (images / "test" / "class0").glob("*.png"))
    (tmp_path / "notes.txt").touch()
    folder, pattern = str(images / "test" / "class0"), f"{images}/test/class0/*.png"
    assert choose_pictures([folder, two, one, pattern], 100) == ([two, one, *rest], [], [])
    chosen, notes, problems = choose_pictures([folder, str(tmp_path), one], 2)
    assert chosen[0] == one and len(chosen) == 3 and {*chosen[1:]} < {two, *rest}
    assert notes[0].startswith("Skipped 1 file in folders, no images by their endings: .txt 1") and len(notes) == 2
    assert problems == [f"{tmp_path}: no images in this folder"]


def test_the_page_names_its_own_command_and_pictures_whose_names_do_not_print(outputs: Path, tmp_path: Path) -> None:
    noise(0).save(tmp_path / "<b>\u202egpj.png")
    to = tmp_path / "to"
    assert explain(outputs, "toy-gap", tmp_path / "<b>\u202egpj.png", "--output", to) == 0
    page = (to / "index.html").read_text()
    assert f"--runs {outputs} --device cpu" in page, "the command that makes the page again"
    assert "&lt;b&gt;\\u202egpj.png" in page
    assert "\u202e" not in page.replace("\\u202e", "").split("<section>")[1]


def test_options_that_add_nothing_and_answers_that_are_no_numbers_are_told(
    outputs: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = next((images / "test").rglob("*.png"))
    for head, told in (("gap", True), ("attention", False)):
        assert explain(outputs, f"toy-{head}", picture, "--each-head", "--output", tmp_path / "to") == 0
        assert ("--each-head adds nothing here" in capsys.readouterr().out) is told
    monkeypatch.setattr("wisesr.inference.run.Run.logits_of", lambda run, maps, images: torch.full((1, 3), float("nan")))
    assert explain(outputs, "toy-wise", picture, "--output", tmp_path / "none") == 1
    assert "the model's answer is not a number" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_a_class_that_no_run_has(outputs: Path, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = next((images / "test").rglob("*.png"))
    assert explain(outputs, "toy-gap", picture, "--against", "toy-wise", "--class", "clas1") == 1
    assert "no class of this run is called 'clas1'. Did you mean class1" in capsys.readouterr().err
    assert explain(outputs, "toy-gap", picture, "--class", "class1", "--top", "2") == 1
    assert "--class names the classes, and --top takes the most probable ones" in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(
    outputs: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("")
    picture = next((images / "test").rglob("*.png"))
    assert explain(outputs, "toy-gap", picture, "--output", tmp_path) == 1
    assert "holds thesis.tex" in capsys.readouterr().err


def test_without_torchcam_it_says_so_once(
    outputs: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wisesr.inference.explanation.grad_cam.find_spec", lambda name: None)
    picture = next((images / "test").rglob("*.png"))
    assert explain(outputs, "toy-gap", picture, "--output", tmp_path / "to") == 0
    out = capsys.readouterr().out
    assert out.count("Grad-CAM is left out. Grad-CAM needs TorchCAM: pip install 'wisesr[explain]'") == 1
    assert "Grad-CAM for" not in (tmp_path / "to" / "index.html").read_text()


def test_evidence_in_a_report(outputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.report.page.document.vega_script", lambda: "")
    monkeypatch.setattr("wisesr.report.files.render", lambda spec, width: Picture("<svg/>", b"", b""))
    study = outputs / "study"
    (study / "corners-64" / "toy-attention" / "seed-0-00000000" / "best.ckpt").rename(outputs / "kept.ckpt")
    try:
        assert main(["report", str(study), "--evidence", "--device", "cpu"]) == 0
    finally:
        (outputs / "kept.ckpt").rename(study / "corners-64" / "toy-attention" / "seed-0-00000000" / "best.ckpt")
    out = capsys.readouterr().out
    assert "The evidence of corners-64/toy-attention/seed-0-00000000 is not shown: " in out and "best.ckpt" in out
    assert (study / "report" / "evidence").is_dir()
    assert main(["report", str(study), "--evidence"]) == 0
    page = (study / "report" / "index.html").read_text()
    assert "Evidence where heads disagree" in page and page.count("How to read it:") == 1
    assert "attention: weights of positions" in page and "gap: evidence" in page
    assert len(list((study / "report" / "evidence").glob("*.npz"))) == 2
    assert main(["report", str(study), "--device", "cpu"]) == 1
    assert "--device and --trust are for --evidence" in capsys.readouterr().err
