"""Which head the others are compared with, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.compared import table_of_study, write
from wisesr.config.options import load_option


def test_a_group_without_the_baseline_says_so(tmp_path: Path) -> None:
    for backbone, heads in (("a", ("gap", "wise")), ("b", ("depthwise", "wise"))):
        for head in heads:
            write(tmp_path, head, 0, 0.8, backbone=backbone)
    table = table_of_study(tmp_path)
    assert [entry.label for entry in table.entries if entry.difference is not None] == ["a wise"]
    assert any(note.startswith("b: no finished cell of gap ") for note in table.notes)


def test_a_baseline_of_other_data_only_is_missed(tmp_path: Path) -> None:
    for head in ("wise", "depthwise"):
        write(tmp_path, head, 0, 0.8)
    data = {"fingerprint": "e" * 64, "images": {"train": 300, "test": 50, "val": 30}, "left_out": []}
    write(tmp_path, "gap", 0, 0.8, provenance={"data": data})
    table = table_of_study(tmp_path)
    assert [left.state for left in table.left_out] == ["done"]
    assert any(note.startswith("resnet18: no finished cell of gap ") for note in table.notes)


@pytest.mark.parametrize(
    ("asked", "heads", "chosen", "said"),
    [
        ("gap", {"gap": [0.0]}, "gap", ""),
        ("gap", {"gap": [0.0, 0.5]}, "gap dropout=0", "compared with gap dropout=0"),
        ("gap dropout=0.5", {"gap": [0.0, 0.5]}, "gap dropout=0.5", ""),
        ("gap", {"gap": [0.25, 0.5]}, "gap", "gap dropout=0.25; gap dropout=0.5"),
        ("gap", {}, "gap", "no cell of gap is finished here"),
        ("wise", {"gap": [0.0]}, "wise", ""),
    ],
)
def test_the_baseline(tmp_path: Path, asked: str, heads: Mapping[str, list[float]], chosen: str, said: str) -> None:
    for name, dropouts in {"wise": [0.0], **heads}.items():
        for dropout in dropouts:
            changes = {"head": {"name": name, **load_option("head", name), "dropout": dropout}}
            write(tmp_path, name, 0, 0.8, changes=changes)
    table = table_of_study(tmp_path, baseline=asked)
    assert table.baseline == chosen
    compared = {entry.head for entry in table.entries if entry.difference is not None}
    all_heads = {entry.head for entry in table.entries}
    assert compared == (all_heads - {chosen} if chosen in all_heads else set())
    assert any(said in note for note in table.notes) == bool(said) or not said
    if chosen in all_heads:
        assert table.entries[0].head == chosen
