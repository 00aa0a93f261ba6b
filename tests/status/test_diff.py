"""What differs between two cells, against records whose differences are known."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from wisesr.cell.run import DONE, run
from wisesr.cli import main
from wisesr.config.files import to_yaml
from wisesr.config.identity import cell_dir
from wisesr.errors import UserError
from wisesr.grid.cells import check_cells, write_cell
from wisesr.results.record import read_record
from wisesr.status.diff import Difference, differences, find_cell, notes


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
    (found,) = differences({"source": "ab" * 32}, {"source": "cd" * 20 + "-dirty"})
    assert (found.first, found.second) == ("ab" * 6, "cd" * 6 + "-dirty")


def test_a_cell_by_a_part_of_its_path(tmp_path: Path) -> None:
    one = cell(tmp_path, "study/digits-64/toy-wise/seed-1-0123abcd")
    ten = cell(tmp_path, "study/digits-64/toy-wise/seed-10-4567abcd")
    gap = cell(tmp_path, "study/digits-64/toy-gap/seed-1-89abcdef")
    (one / "redo").mkdir()
    (one / "redo" / "config.yaml").write_text("seed: 1\n")
    for name, expected in {
        "0123abcd": one,
        "0123": one,
        "toy-wise/seed-1": one,
        "seed-10": ten,
        "toy-gap": gap,
        "study/digits-64/toy-gap/seed-1-89abcdef": gap,
        str(ten): ten,
    }.items():
        assert find_cell(name, tmp_path) == expected, name
    with pytest.raises(UserError, match=r"'seed-1' is part of the path of 2 cells") as error:
        find_cell("seed-1", tmp_path)
    assert str(one) in str(error.value) and str(gap) in str(error.value) and str(ten) not in str(error.value)
    with pytest.raises(UserError, match="'resnet' is part of no path") as error:
        find_cell("resnet", tmp_path)
    assert str(gap) in str(error.value)


def test_notes_say_what_must_not_be_compared() -> None:
    record: dict[str, Any] = {
        "selection": "a",
        "provenance": {
            "source": "1",
            "sources": ["1"],
            "versions": {"torch": "2.6", "timm": "1"},
            "hardware": {"cpu": "x"},
            "threads": 1,
            "data": {"fingerprint": "f"},
            "finished": "today",
        },
    }
    assert notes(record, record) == []
    other = copy.deepcopy(record)
    other["provenance"]["finished"] = "yesterday"
    assert notes(record, other) == []
    for path, value, words in [
        (("data", "fingerprint"), "g", "not obtained on the same data"),
        (("versions", "torch"), "2.7", "not computed by the same versions of torch."),
        (("source",), "2", "not computed by the same code"),
        (("sources",), ["1", "2"], "not computed by the same code"),
        (("threads",), 2, "not the same threads"),
    ]:
        other = copy.deepcopy(record)
        node = other["provenance"]
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
        (note,) = notes(record, other)
        assert words in note
    (note,) = notes(record, record | {"selection": "b"})
    assert "not chosen in the same way" in note


def test_two_cells_that_were_trained(
    config: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    config["recipe"]["epochs"] = 1
    changed = copy.deepcopy(config)
    changed["head"]["dropout"] = 0.5
    first, second = check_cells([config, changed])
    for one in (first, second):
        write_cell(one)
    assert run(first.directory) == DONE
    arguments = ["status", config["output_dir"], "--diff", first.directory.name[-8:], second.directory.name[-8:]]
    assert main(arguments) == 0
    words = capsys.readouterr().out
    assert f"{second.directory} has no result yet (waiting), so only configurations are compared" in words
    assert "environment" not in words

    record = read_record(first.directory)
    assert record is not None
    record["config"] = changed
    record["metrics"]["best"]["test/top1"] = 0.25
    record["provenance"]["data"]["fingerprint"] = "0" * 64
    first_top1 = json.loads((first.directory / "result.json").read_text())["metrics"]["best"]["test/top1"]
    (second.directory / "result.json").write_text(json.dumps(record))
    assert main(arguments) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["head.dropout", "0.25", "0.5", "+0.25"] in lines
    assert ["best.test/top1", f"{first_top1:.6g}", "0.25", f"{0.25 - first_top1:+.4g}"] in lines
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
    assert "'deadbeef' is part of no path" in capsys.readouterr().err
