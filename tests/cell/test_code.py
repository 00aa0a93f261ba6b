"""What a cell notes of its code: what it imported, which files were edited between its attempts or while it began."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import make
from wisesr.cell import code as module
from wisesr.cell.code import UNSURE, agree_with_main, hold_code, imported_code, note_code, settled_code
from wisesr.cell.run import DONE, run
from wisesr.errors import UserError
from wisesr.results.code import Code, read_code_of
from wisesr.results.record_file import read_record
from wisesr.results.same_code import code_change

HEAD = """\
from {name}_helper import Mean
from wisesr.models.heads.base import Head

class MyHead(Head):
    def __init__(self, feature_shape: tuple[int, int, int], num_classes: int, *, dropout: float = 0.0) -> None:
        super().__init__(feature_shape, num_classes, aggregation=Mean(), dropout=dropout)
"""
HELPER = "from torch import nn\n\nclass Mean(nn.Module):\n    def forward(self, maps):\n        return maps.mean((2, 3))\n"


@pytest.fixture
def head(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A head of one's own in a file beside the command; `config` names it. Its helper's file."""
    name = f"mine_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(HEAD.format(name=name))
    helper = tmp_path / f"{name}_helper.py"
    helper.write_text(HELPER)
    os.utime(helper, (0, 0))
    monkeypatch.syspath_prepend(tmp_path)
    config["head"] = {"name": "mine", "_target_": f"{name}.MyHead", "dropout": 0.0}
    config["recipe"]["epochs"] = 1
    return helper


def test_a_record_covers_a_head_of_one_s_own(config: dict[str, Any], head: Path, tmp_path: Path) -> None:
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    record, code = read_record(cell), read_code_of(cell)
    assert record is not None and code is not None
    assert record.provenance.source == code.source and record.provenance.sources == (code.source,)
    assert {head.name, head.name.replace("_helper", ""), "wisesr/models/heads/base.py"} < set(code.files)
    assert "wisesr/models/heads/wise.py" not in code.files
    assert str(tmp_path) not in (cell / "code.json").read_text(), "a record holds no path of this machine"
    module._looks.clear()  # as in the process of the next command
    assert code_change(record.provenance, cell, imported_code(config)) == ""
    head.write_text(HELPER + "# edited\n")
    module._looks.clear()
    assert code_change(record.provenance, cell, imported_code(config)) == f"the code has changed since: {head.name}"
    (cell / "code.json").unlink()
    assert "which files cannot be told" in code_change(record.provenance, cell, imported_code(config))


def test_a_resumed_cell_names_what_was_edited(
    config: dict[str, Any], head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    (cell / "result.json").unlink()  # as if killed before it was written
    head.write_text(HELPER + "# edited\n")
    module._looks.clear()  # as in another process, which has imported nothing
    monkeypatch.delitem(sys.modules, head.stem)
    monkeypatch.delitem(sys.modules, head.stem.removesuffix("_helper"))
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None and record.provenance.code["edited"] == [head.name]
    assert len(record.provenance.sources) == 2
    (cell / "result.json").unlink()
    assert run(cell) == DONE, "and it stays so in the attempts that come after"
    record = read_record(cell)
    assert record is not None and record.provenance.code["edited"] == [head.name]


def test_the_record_tells_of_the_code_at_the_start(config: dict[str, Any], head: Path, tmp_path: Path) -> None:
    """An edit in mid-training is not what the process has imported."""
    first = imported_code(config)
    __import__(head.stem)
    assert settled_code(config) == first
    head.write_text(HELPER + "# edited\n")
    assert imported_code(config) == first


def test_an_edit_during_the_import_is_told(config: dict[str, Any], head: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = imported_code(config)
    head.write_text(HELPER + "# edited\n")
    settled = settled_code(config)
    assert settled.files == {**first.files, head.name: UNSURE} and settled.edited == (head.name,)
    assert settled.source != first.source
    assert f"edited while this cell imported it: {head.name}" in caplog.text


def test_an_edit_before_the_first_look_of_what_is_imported_is_told(config: dict[str, Any], head: Path) -> None:
    sys.modules[head.stem] = sys
    try:
        os.utime(head)  # later than this process began
        assert settled_code(config).files[head.name] == UNSURE
    finally:
        del sys.modules[head.stem]


def test_a_forked_cell_has_the_code_that_its_parent_imported(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of wisesr; code of others it imports itself."""
    file = tmp_path / "wisesr" / "toy.py"
    file.parent.mkdir()
    (file.parent / "__init__.py").write_text("")
    file.write_text("x = 1\n")
    monkeypatch.setattr(module, "PROGRAM", "wisesr.toy")
    monkeypatch.setattr(module, "process_path", lambda: (str(tmp_path),))
    monkeypatch.setattr(module, "_held", {})
    hold_code(())
    file.write_text("x = 2, edited\n")
    cell = {"head": {"_target_": "nothing.Here"}}
    child = imported_code(cell)
    monkeypatch.setattr(module, "_held", {})
    spawned = imported_code({"head": {"_target_": "nothing.There"}})
    assert child.files["wisesr/toy.py"] != spawned.files["wisesr/toy.py"]


def test_processes_of_one_cell_run_the_same_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISESR_CODE", "")
    code, other = Code({"a.py": "1"}), Code({"a.py": "2"})
    note_code(tmp_path, code, [code.source])
    agree_with_main(tmp_path, code, is_main=True)
    agree_with_main(tmp_path, code, is_main=False)
    with pytest.raises(UserError, match=r"edited while the processes of this cell began \(a.py\)"):
        agree_with_main(tmp_path, other, is_main=False)
    monkeypatch.delenv("WISESR_CODE")  # torchrun's: nobody has told them
    agree_with_main(tmp_path, other, is_main=False)


def test_attempts_of_earlier_versions_know_of_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "package_hash", lambda: "whole")
    (tmp_path / "last.ckpt").touch()
    code = Code({"a.py": "1"})
    assert note_code(tmp_path, code, ["whole", code.source]).edited == ()
    (tmp_path / "code.json").unlink()
    assert note_code(tmp_path, code, ["older", code.source]).edited == ("wisesr",)
    assert json.loads((tmp_path / "code.json").read_text())["edited"] == ["wisesr"]
