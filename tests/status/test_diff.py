"""What differs between two cells, against records whose differences are known."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.records import record_of
from wisesr.cell.run import DONE, run
from wisesr.cli import main
from wisesr.config.files import to_yaml
from wisesr.config.identity import cell_dir
from wisesr.grid.cell_dirs import check_cells, write_cell
from wisesr.results.cell_files import RESULT
from wisesr.results.record import Record
from wisesr.results.record_file import parse_record
from wisesr.status.diff import Difference, differences, notes

PLACES = (Path("first"), Path("second"))
"""Of cells that are not there."""


def cell(root: Path, path: str) -> Path:
    directory = root / path
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text("seed: 0\n")
    return directory


def test_differences() -> None:
    first = {"same": 1, "head": {"name": "gap", "dropout": 0.5}, "flags": {"on": True}, "only": None, "count": 1000}
    second = {"same": 1.0, "head": {"name": "wise", "dropout": 0.25}, "flags": {"on": 1}, "count": 12000}
    assert differences(first, second) == [
        Difference("head.name", "gap", "wise", ""),
        Difference("head.dropout", "0.5", "0.25", "-0.25"),
        Difference("flags.on", "true", "1", ""),
        Difference("only", "null", "-", ""),
        Difference("count", "1,000", "12,000", "+11,000"),
    ]
    assert differences(first, copy.deepcopy(first)) == []


def test_hashes_are_told_by_their_first_digits() -> None:
    (difference,) = differences({"source": "ab" * 32}, {"source": "cd" * 20 + "-dirty"})
    assert (difference.first, difference.second) == ("ab" * 6, "cd" * 6 + "-dirty")


def changed(content: dict[str, Any], path: str, value: Any) -> Record:
    """A record, but for a value by its dotted name."""
    other = copy.deepcopy(content)
    *groups, key = path.split(".")
    node = other
    for group in groups:
        node = node[group]
    node[key] = value
    return parse_record(other)


def test_notes_say_what_must_not_be_compared(config: dict[str, Any]) -> None:
    content = record_of(config)
    record = parse_record(content)
    assert notes(record, record, PLACES) == []
    assert notes(record, changed(content, "provenance.finished", "yesterday"), PLACES) == []
    for path, value, words in [
        ("provenance.data.fingerprint", "g", "same data"),
        ("provenance.versions.torch", "2.7", "versions of torch."),
        ("provenance.versions", {"python": "3.11.7", "timm": "1"}, "versions of torch."),
        ("provenance.source", "2", "same code"),
        ("provenance.sources", ["1", "2"], "same code"),
        ("provenance.threads", 2, "same threads"),
        ("provenance.hardware.cpu", "another", "same cpu"),
        ("selection", "b", "chosen"),
        ("provenance.reads", {"training": "maps", "maps": {"dtype": "float32", "differs": 0.0}}, "of different work"),
    ]:
        (note,) = notes(record, changed(content, path, value), PLACES)
        assert words in note


def test_maps_that_depend_on_the_batch_are_told(config: dict[str, Any]) -> None:
    content = record_of(config)
    reads = {"training": "maps", "maps": {"dtype": "float32", "differs": 2e-7, "rounding": None}}
    record = changed(content, "provenance.reads", reads)
    (note,) = notes(record, record, PLACES)
    assert note.startswith("Last bits may differ: kept maps") and "2e-07" in note


@pytest.mark.parametrize(("key", "value", "same"), [("cache", "off", True), ("features", "off", True), ("views", 4, False)])
def test_settings_of_how_make_no_other_computation(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: object, same: bool
) -> None:
    for name, changes in (("first", {}), ("second", {key: value})):
        place = tmp_path / name
        place.mkdir()
        (place / "config.yaml").write_text(to_yaml(config | {"dataset": config["dataset"] | changes}))
    assert main(["status", str(tmp_path), "--diff", "first", "second"]) == 0
    told = capsys.readouterr().out
    assert f"dataset.{key}" in told
    assert ("They are one computation" in told) == same


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((1, ["BatchNorm"]), (8, ["BatchNorm"]), "not the same computation"),
        ((1, []), (8, ["mixing"]), "not the same computation"),
        ((1, []), (8, []), "Last bits may differ: not the same number of devices."),
        ((1, ["BatchNorm"]), (8, []), "Last bits may differ: not the same number of devices."),  # synchronised
        ((8, ["BatchNorm"]), (8, ["BatchNorm"]), ""),
        ((8, ["BatchNorm"]), (None, None), ""),  # which the configuration tells
        ((1, []), (None, None), ""),
    ],
)
def test_devices_are_last_bits_only_where_nothing_sees_a_part_alone(
    config: dict[str, Any], first: tuple[Any, Any], second: tuple[Any, Any], words: str
) -> None:
    content = record_of(config)
    records = [
        changed(content, "provenance", content["provenance"] | {"devices": devices, "by_part": by_part})
        for devices, by_part in (first, second)
    ]
    found = [note for pair in (records, records[::-1]) for note in notes(*pair, PLACES)]
    assert len(found) == 2 * bool(words)
    assert all(words in note for note in found)


def test_two_cells_that_were_trained(
    config: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    config["recipe"]["epochs"] = 1
    other = copy.deepcopy(config)
    other["head"]["dropout"] = 0.5
    first, second = check_cells([config, other])
    for made in (first, second):
        write_cell(made)
    assert run(first.directory) == DONE
    arguments = ["status", config["output_dir"], "--diff", first.directory.name[-8:], second.directory.name[-8:]]
    assert main(arguments) == 0
    words = capsys.readouterr().out
    assert f"{second.directory} has no result yet (waiting)" in words
    assert "environment" not in words
    (second.directory / RESULT).write_text("{")
    assert main(arguments) == 0
    words = capsys.readouterr().out
    assert str(second.directory) in words and "cut short" in words
    assert "environment" not in words

    record = json.loads((first.directory / RESULT).read_text())
    first_top1 = record["metrics"]["best"]["test/top1"]
    record |= {"config": other, "fingerprint": second.fingerprint}
    record["metrics"]["best"]["test/top1"] = 0.25
    record["provenance"]["data"]["fingerprint"] = "0" * 64
    (second.directory / RESULT).write_text(json.dumps(record))
    assert main(arguments) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["head.dropout", "0.25", "0.5", "+0.25"] in lines
    assert ["best.test/top1", "%", f"{100 * first_top1:.6g}", "25", f"{25 - 100 * first_top1:+.4g}"] in lines
    assert [line[0] for line in lines if line and line[0].startswith("data.")] == ["data.fingerprint"]
    assert "These two results were not obtained on the same data" in " ".join(word for line in lines for word in line)

    assert main(["status", config["output_dir"], "--diff", str(first.directory), str(first.directory)]) == 0
    same = capsys.readouterr().out
    assert all(f"{part}: nothing differs" in same for part in ("configuration", "environment", "result"))


def test_no_such_cell(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    directory = cell_dir(config)
    directory.mkdir(parents=True)
    (directory / "config.yaml").write_text(to_yaml(config))
    assert main(["status", config["output_dir"], "--diff", directory.name, "deadbeef"]) == 1
    assert "'deadbeef' is no cell's, and part of no cell's path" in capsys.readouterr().err
