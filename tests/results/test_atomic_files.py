"""Files are whole or absent; records are read only if they are good."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.records import record_of
from wisesr.config.identity import fingerprint
from wisesr.results.atomic_files import read_json, replacing, write_json, write_text
from wisesr.results.fields import as_written
from wisesr.results.metrics import read_metrics, write_metrics
from wisesr.results.record_file import RecordError, load_record, read_record


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]


def test_text_is_utf_8_whatever_a_name_of_a_file_was(tmp_path: Path) -> None:
    write_text(tmp_path / "a.md", f"M\u00fcll {os.fsdecode(bytes([0xFC]))}")
    assert (tmp_path / "a.md").read_bytes() == b"M\xc3\xbcll \\udcfc"


def test_nan_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1, "status": "failed"}', '{"schema": 99, "status": "done"}'])
def test_a_bad_record_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    assert read_record(tmp_path) is None


def test_a_good_record(tmp_path: Path, config: dict[str, Any]) -> None:
    content = record_of(config, top1=0.25)
    (tmp_path / "result.json").write_text(json.dumps(content))
    record = read_record(tmp_path)
    assert record is not None
    assert (record.fingerprint, record.best.test_top1, record.cost.feature_map) == (fingerprint(config), 0.25, (4, 2, 2))
    assert {"best": record.best.row, "last": record.last.row} == content["metrics"]
    assert (record.config, record.protocol, record.selection) == (config, content["protocol"], content["selection"])
    for part in ("budget", "cost", "provenance"):
        written = as_written(getattr(record, part))
        assert json.dumps(written) == json.dumps(content[part]), "the order of keys and all types too"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metrics.best.test/top1", 1.5),
        ("metrics.best.epoch", 2.5),
        ("cost.feature_map", [1, 2]),
        ("budget.steps", -1),
        ("provenance.data.images", {"train": -1}),
        ("protocol", "both"),
    ],
)
def test_what_is_wrong_with_a_record_is_named(tmp_path: Path, config: dict[str, Any], path: str, value: Any) -> None:
    content = record_of(config)
    *groups, key = path.split(".")
    node = content
    for group in groups:
        node = node[group]
    node[key] = value
    (tmp_path / "result.json").write_text(json.dumps(content))
    with pytest.raises(RecordError, match=re.escape(path)):
        load_record(tmp_path)
    assert read_record(tmp_path) is None


def test_metrics_keep_every_bit_and_their_columns(tmp_path: Path) -> None:
    rows = [
        {
            "epoch": 1,
            "step": 3,
            "lr": 0.1,
            "train/loss": 1 / 3,
            "val/loss": 2 / 3,
            "val/top1": 0.1,
            "val/macro_f1": 0.2,
            "val/ece": 1e-9,
        },
        {
            "epoch": 2,
            "step": 6,
            "lr": 0.1,
            "train/loss": 1 / 7,
            "val/loss": 0.5,
            "val/top1": 0.2,
            "val/macro_f1": 0.2,
            "val/ece": 0.0,
            "test/top1": 0.25,
        },
    ]
    write_metrics(tmp_path / "metrics.csv", rows)
    assert read_metrics(tmp_path) == rows
    assert (tmp_path / "metrics.csv").read_text().splitlines()[0] == (
        "epoch,step,lr,train/loss,val/loss,val/top1,val/macro_f1,val/ece,test/top1"
    )
    assert read_metrics(tmp_path / "nowhere") == []
