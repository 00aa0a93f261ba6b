"""What `wisesr sync` says of a study: what `wisesr report` says of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.support.compared import write
from wisesr.cli.sync_report import study_story
from wisesr.errors import UserError
from wisesr.report.figures.style import color, head_order
from wisesr.report.read import read_study
from wisesr.report.tables.claim_block_sentences import headline
from wisesr.report.tables.markdown import escape


def test_a_study(tmp_path: Path) -> None:
    for head, shift in (("gap", 0.0), ("wise", 0.1), ("gap_dropout", 0.02)):
        for seed in range(3):
            write(tmp_path, head, seed, 0.6 + shift + 0.02 * seed + 0.01 * (seed == 1) * (head == "wise"))
    study = read_study([tmp_path])
    told = study_story(tmp_path)
    assert told.summary.startswith("9 cells: 9 done. ")
    (known,) = headline(study.claims[0])
    assert told.headline == f"**{escape(known.text)}**\n\n{escape(known.detail)}"
    assert "wise has a higher test top-1 than gap" in told.headline
    order = head_order(study)
    assert told.colours == {head: color(head, order) for head in ("gap", "wise", "gap_dropout")}
    titles = [title for title, _ in told.sections]
    assert titles[:2] == ["Claims", "toy, 64 px"]
    claims = [line for line in told.sections[0][1].splitlines() if line.startswith("|")]
    assert {line.count(" | ") for line in claims} == {3}
    assert any("higher test top-1" in line for line in claims)
    assert "| backbone |" in told.sections[1][1]
    assert "gap\\_dropout" in told.sections[1][1]
    (forest,) = told.pictures
    assert Image.open(io.BytesIO(forest.png)).width > 300
    assert forest.key.endswith("forest") and "Differences to gap" in forest.title and forest.caption


def test_a_study_without_claims_says_what_its_tables_show(tmp_path: Path) -> None:
    for head, shift in (("gap", 0.0), ("mine", 0.1)):
        for seed in range(3):
            write(tmp_path, head, seed, 0.6 + shift + 0.02 * seed)
    told = study_story(tmp_path)
    assert "gap" in told.headline
    assert told.headline
    assert study_story(tmp_path, pictures=False) == told._replace(pictures=())


def test_nothing_to_tell(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no cells"):
        study_story(tmp_path)
