"""The files of a cell's code: those that Python reads when it imports the targets, found without importing anything."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from wisesr.results.code import as_found, changed_files, named, read_code_of, unlike_files, write_code
from wisesr.results.code_files import FoundCode, find_code


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def others(found: FoundCode) -> set[str]:
    return {label for label in found.files if not label.startswith("wisesr/")}


def imported(folder: Path, module: str) -> set[str]:
    """Files below a folder that Python has read after `import module`, relative to it."""
    code = f"import sys, {module}\nfor m in list(sys.modules.values()): print(getattr(m, '__file__', None) or '')"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    root = str(folder.resolve())
    return {str(Path(line).relative_to(root)) for line in done.stdout.splitlines() if line.startswith(root)}


FILES = {
    "heads/pool.py": "from heads.helper import scale\nfrom . import tables\nimport single\n\nclass PoolHead: ...\n",
    "heads/helper.py": "import json\nfrom deep.down.here import x as scale\n",
    "heads/tables.py": "import heads.more.again\n",
    "heads/more/again.py": "from ..helper import scale\n",
    "heads/unused.py": "import nowhere\n",
    "deep/__init__.py": "",
    "deep/down/__init__.py": "from deep.down import beside\n",
    "deep/down/beside.py": "",
    "deep/down/here.py": "x = 1\n",
    "single.py": "",
}


def test_what_python_imports(tmp_path: Path) -> None:
    folder = write(tmp_path, FILES)
    found = find_code([], ["heads.pool.PoolHead"], [str(folder)])
    assert others(found) == imported(folder, "heads.pool")
    assert found.unfollowed == ()


def test_imports_in_functions_and_those_for_type_checkers(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import never\n\ndef late():\n    import later\n"
    folder = write(tmp_path, {"head.py": text, "never.py": "", "later.py": ""})
    assert others(find_code([], ["head.Head"], [str(folder)])) == {"head.py", "later.py"}


def test_installed_packages_are_versions_but_for_the_target_s_own(tmp_path: Path) -> None:
    """An editable installation lies elsewhere; `pip install --target` may have any name."""
    site = write(
        tmp_path / "lib" / "site-packages",
        {"own/__init__.py": "", "own/head.py": "import other, own.part\n", "own/part.py": "", "other.py": ""},
    )
    target = write(tmp_path / "target", {"third.py": "", "third-1.0.dist-info/METADATA": ""})
    here = write(tmp_path / "here", {"mine.py": "import other, third, editable\n"})
    edit = write(tmp_path / "src", {"editable/__init__.py": "", "editable.egg-info/PKG-INFO": ""})
    path = [str(place) for place in (here, site, target, edit)]
    assert others(find_code([], ["own.head.Head"], path)) == {"own/__init__.py", "own/head.py", "own/part.py"}
    assert others(find_code([], ["mine.Head"], path)) == {"mine.py", "editable/__init__.py"}


def test_libraries_whose_versions_are_recorded_are_not_followed() -> None:
    targets = ["torch.optim.Adam", "torchvision.models.resnet18", "wisesr.models.heads.gap.GlobalAverageHead"]
    found = find_code(["wisesr.cell.__main__"], targets, sys.path)
    assert not others(found)
    assert {"wisesr/__init__.py", "wisesr/training/fit.py", "wisesr/models/heads/gap.py"} < set(found.files)
    assert "wisesr/models/heads/simpool.py" not in found.files and "wisesr/data/intel.py" not in found.files
    makes_no_number = ("training/loggers/", "config/", "errors.py", "wording.py", "report/", "cli/")
    assert [label for label in found.files if label.startswith(tuple(f"wisesr/{part}" for part in makes_no_number))] == []


def test_public_names_of_wisesr_are_followed(tmp_path: Path) -> None:
    folder = write(tmp_path, {"head.py": "from wisesr import constrain, create_head\n"})
    found = find_code([], ["head.Head"], [str(folder), *sys.path])
    assert {"wisesr/training/constraint.py", "wisesr/build/create.py"} < set(found.files)
    assert found.unfollowed == ("head.py (create_head)",), "which head that builds is told by a name of its own"


def test_what_cannot_be_followed_is_named(tmp_path: Path) -> None:
    text = "import importlib\nimport fast\n\nkernel = importlib.import_module(name)\n"
    folder = write(tmp_path, {"head.py": text, "fast.abi3.so": "compiled"})
    found = find_code([], ["head.Head"], [str(folder)])
    assert found.unfollowed == ("fast.abi3.so (compiled)", "head.py:4 (import_module)")
    assert "fast.abi3.so" in found.files, "its content is known nevertheless"


def test_a_module_that_is_not_there_is_left_to_who_imports_it(tmp_path: Path) -> None:
    folder = write(tmp_path, {"head.py": "import gone\nfrom .up import x\nfrom ... import y\nimport head.sub\n"})
    assert others(find_code([], ["head.Head", "absent.Head"], [str(folder)])) == {"head.py"}


def test_code_is_compared_file_by_file(tmp_path: Path) -> None:
    folder = write(tmp_path, {"one.py": "import helper\n", "two.py": "import helper\n", "helper.py": "x = 1\n"})

    def look(name: str):  # type: ignore[no-untyped-def]
        return as_found(find_code([], [f"{name}.Head"], [str(folder)]))

    one, two = look("one"), look("two")
    assert one.source != two.source
    assert unlike_files([one, two]) == [], "each has files that the other has not, and no file is two"
    write_code(tmp_path, one)
    assert read_code_of(tmp_path) == one
    (folder / "helper.py").write_text("x = 22\n")
    (folder / "later.py").write_text("")
    assert changed_files(one, look("one")) == ["helper.py"]
    assert unlike_files([one, look("two")]) == ["helper.py"]
    (folder / "one.py").write_text("import later\n")
    assert changed_files(one, look("one")) == ["helper.py", "later.py", "one.py"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 1}', '{"files": {"a": 1}}', '{"files": {}, "edited": [1]}'])
def test_half_a_file_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "code.json").write_text(text)
    assert read_code_of(tmp_path) is None


def test_files_of_others_are_named_first() -> None:
    assert named(["wisesr/a.py", "wisesr/b.py", "mine.py", "wisesr/c.py", "wisesr/d.py"]) == (
        "mine.py, wisesr/a.py, wisesr/b.py, wisesr/c.py and 1 more"
    )


def test_a_second_look_costs_next_to_nothing() -> None:
    """A grid looks before each of its cells; of what stayed as it is nothing is read again."""
    targets = ["wisesr.models.heads.wise.WiseHead", "wisesr.data.folder.folder"]
    find_code(["wisesr.cell.__main__"], targets, sys.path)
    began = time.process_time()
    find_code(["wisesr.cell.__main__"], targets, sys.path)
    assert time.process_time() - began < 0.15
