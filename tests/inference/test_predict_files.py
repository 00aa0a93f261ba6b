"""Batches of files: a model whose answers are known, files of every bad kind, order, and how far ahead files are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from tests.support.images import noise
from wisesr.data import images as reading
from wisesr.data.augmentation import Plain
from wisesr.data.images import PixelRules
from wisesr.errors import UserError
from wisesr.inference.predict import predict_files
from wisesr.inference.prediction.paths import Found
from wisesr.inference.prediction.rows import Answer
from wisesr.inference.run import Run

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class _Colour(nn.Module):
    """Ten times the mean of each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.batches: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.batches.append(len(images))
        return self.scale * images.mean(dim=(2, 3))


@pytest.fixture
def run() -> Run:
    config = {"trainer": {"channels_last": False, "precision": "32-true"}}
    return Run(
        directory=Path(),
        config=cast(Any, config),
        record=cast(Any, None),
        class_names=tuple(COLOURS),
        image_size=8,
        model=cast(Any, _Colour().eval()),
        augmentation=Plain(8, [0, 0, 0], [1, 1, 1]),
        rules=PixelRules(),
    )


def answers_of(run: Run, *paths: Path | str, **settings: int) -> list[Answer]:
    return [answer for batch in predict_files(run, [Found(str(path)) for path in paths], **settings) for answer in batch]


def paint(path: Path, colour: str, size: tuple[int, int] = (20, 10)) -> Path:
    Image.new("RGB", size, COLOURS[colour]).save(path)
    return path


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (2, 3), (5, 1), (32, 2), (1000, 8)])
def test_every_file_gets_the_answer_to_its_own_picture_in_order(
    run: Run, tmp_path: Path, batch_size: int, workers: int
) -> None:
    colours = [list(COLOURS)[index * index % 3] for index in range(23)]
    paths = [paint(tmp_path / f"{index}.png", colour, (3 + 40 * (index % 2), 9)) for index, colour in enumerate(colours)]
    answers = answers_of(run, *paths, batch_size=batch_size, workers=workers)
    assert [answer.path for answer in answers] == [str(path) for path in paths]
    likely = np.exp(10) / (np.exp(10) + 2)
    for answer, colour in zip(answers, colours, strict=True):
        assert answer.probabilities is not None and not answer.problem
        expected = [likely if name == colour else (1 - likely) / 2 for name in COLOURS]
        np.testing.assert_allclose(answer.probabilities, expected, atol=1e-5)
    assert cast(Any, run.model).batches == [min(batch_size, 23 - start) for start in range(0, 23, batch_size)]


def bad_files(folder: Path) -> dict[str, str]:
    """Path -> why it cannot be read."""
    (folder / "text.jpg").write_text("no picture\n" * 100)
    (folder / "empty.jpg").touch()
    (folder / "folder.jpg").mkdir()
    (folder / "broken.jpg").symlink_to("nowhere.jpg")
    (folder / "round.jpg").symlink_to("round.jpg")
    os.mkfifo(folder / "pipe.jpg")
    noise(0, (300, 200)).save(folder / "whole.jpg")
    content = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(content[: len(content) // 2])
    (folder / "header.jpg").write_bytes(content[:30])
    Image.new("1", (20_000, 20_000)).save(folder / "huge.png")
    Image.new("RGB", (1, 1)).save(folder / "pixel.png")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    return {
        "text.jpg": "not an image that can be read",
        "empty.jpg": "an empty file",
        "folder.jpg": "a folder",
        "broken.jpg": "a link to nowhere.jpg, which is not there",
        "round.jpg": "Too many levels of symbolic links",
        "pipe.jpg": "a pipe, and no file",
        "cut.jpg": "image file is truncated",
        "header.jpg": "",
        "huge.png": "20,000 x 20,000 = 400 million pixels",
        "pixel.png": "1x1 px",
        "phone.heic": "",
        "missing.jpg": "No such file or directory",
        "with\0nul": "null",
        "x" * 300: "File name too long",
    }


def test_bad_files_of_every_kind_end_nothing(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = bad_files(tmp_path)
    good = paint(tmp_path / "good.png", "green")
    mixed = [path for name in bad for path in (good, tmp_path / name)]
    answers = answers_of(run, *mixed, batch_size=3, workers=2)
    assert [answer.path for answer in answers] == [str(path) for path in mixed]
    for answer, why in zip(answers[1::2], bad.values(), strict=True):
        assert answer.probabilities is None and answer.problem and why in answer.problem, answer
        assert "\n" not in answer.problem and not answer.problem.endswith(".") and str(tmp_path) not in answer.problem
        assert "dataset." not in answer.problem, "advice for a training"
    for answer in answers[0::2]:
        assert answer.probabilities is not None and answer.probabilities.argmax() == 1
    assert capfd.readouterr() == ("", "")


def test_a_file_that_nobody_may_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: Path) -> Image.Image:
        raise PermissionError(13, "Permission denied", str(path))

    path = paint(tmp_path / "a.png", "red")
    monkeypatch.setattr(reading, "open_image", closed)
    assert answers_of(run, path) == [Answer(str(path), None, "Permission denied")]


def test_a_large_picture_is_read_without_a_warning(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = paint(tmp_path / "a.png", "red")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)  # of 200: Pillow warns, and here warnings are errors
    (answer,) = answers_of(run, path)
    assert answer.probabilities is not None and answer.probabilities.argmax() == 0


def test_problems_that_were_found_before_are_answers(run: Run, tmp_path: Path) -> None:
    pictures = [Found("x/*.jpg", "nothing matches this pattern"), Found(str(paint(tmp_path / "a.png", "blue")))]
    (first, second) = [answer for batch in predict_files(run, pictures) for answer in batch]
    assert first == Answer("x/*.jpg", None, "nothing matches this pattern")
    assert second.probabilities is not None and second.probabilities.argmax() == 2


def test_many_bad_files_are_told_before_a_batch_is_full(run: Run) -> None:
    taken = 0

    def endless() -> Iterator[Found]:
        nonlocal taken
        while True:
            taken += 1
            yield Found("nowhere.jpg", "not there")

    first = next(iter(predict_files(run, endless(), batch_size=4, workers=1)))
    assert len(first) < taken < 2_000


@pytest.mark.parametrize("workers", [1, 4])
def test_files_are_taken_a_batch_ahead_and_no_further(run: Run, tmp_path: Path, workers: int) -> None:
    path, taken = str(paint(tmp_path / "a.png", "red")), 0

    def endless() -> Iterator[Found]:
        nonlocal taken
        while True:
            taken += 1
            yield Found(path)

    batches = predict_files(run, endless(), batch_size=8, workers=workers)
    for number in range(1, 6):
        assert len(next(batches)) == 8
        assert taken <= 8 * number + 8 + 2 * max(8, workers) + 8


def test_an_answer_that_is_no_number_is_none(run: Run, tmp_path: Path) -> None:
    with torch.no_grad():
        cast(Any, run.model).scale.fill_(float("nan"))
    (answer,) = answers_of(run, paint(tmp_path / "a.png", "red"))
    assert answer.probabilities is None and answer.problem == "the model's answer is not a number"


def out_of_gpu_memory() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize("fill", [out_of_gpu_memory, lambda: torch.zeros(1 << 50)], ids=["gpu", "cpu"])
def test_a_batch_that_does_not_fit(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fill: Callable[[], object]
) -> None:
    def full(images: Tensor) -> Tensor:
        fill()
        return images

    monkeypatch.setattr(run.model, "forward", full)
    with pytest.raises(UserError, match="1 picture of 8 px .* smaller --batch-size"):
        answers_of(run, paint(tmp_path / "a.png", "red"))
