"""How cells did on each test image, and what is to be said where they all did alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.compared import table_of_study, write
from wisesr.results.predictions import read_predictions, write_predictions


def _answer_one_class(directory: Path) -> None:
    predictions = read_predictions(directory)
    assert predictions is not None
    probabilities = np.full_like(predictions.probabilities, 0.1)
    probabilities[:, 0] = 0.6
    write_predictions(directory, predictions._replace(probabilities=probabilities))


@pytest.mark.parametrize("learned", [True, False])
def test_models_that_answer_all_images_alike_stand_in_red(tmp_path: Path, learned: bool) -> None:
    """Of 50 images of five classes, ten each, one class for all of them is right for a fifth."""
    for seed in range(3):
        write(tmp_path, "gap", seed, 0.7 + 0.02 * seed)
        wise = write(tmp_path, "wise", seed, 0.2)
        if not learned:
            _answer_one_class(wise)
    table = table_of_study(tmp_path)
    told = [sentence for sentence in table.warnings if "learned nothing" in sentence]
    assert len(told) == (not learned)
    assert all("wise 3 of 3" in sentence and "gap" not in sentence for sentence in told)
