"""What a `config.yaml` of somebody's making names is never read, and so never evaluated, from outside the package."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from wisesr.config.files import load_cell
from wisesr.config.signatures import positional_settings, target_settings
from wisesr.errors import UserError

_SOURCE = """\
def part(*, size: {annotation} = 1):
    ...
"""
_RUNS = (
    "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close'][0].__init__.__globals__['mkdir']({!r})"
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file whose annotation would make a folder `ran` beside it; its path without the ending has no dots."""
    place = tmp_path / "part.py"
    place.write_text(_SOURCE.format(annotation=_RUNS.format(str(tmp_path / "ran"))))
    return place


@pytest.mark.parametrize("start", ["wisesr", "wisesr.models", "wisesr.models.heads"])
def test_a_target_reads_no_file_outside_the_package(source: Path, start: str) -> None:
    target = f"{start}.{source.with_suffix('')}.part"
    for read in (target_settings, lambda name: positional_settings(name, ["size"])):
        with pytest.raises(UserError, match="is no dotted name"):
            read(target)
    assert not (source.parent / "ran").exists()


def test_looking_at_a_cell_reads_no_such_file(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`load_cell` is what every command begins with, `wisesr status` too."""
    monkeypatch.chdir(tmp_path)
    targets = [
        f"wisesr.{source.with_suffix('')}.part",
        "wisesr./proc/self/cwd/part.part",
        "wisesr.data.\0.part",
        "wisesr..part",
    ]
    for target in targets:
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"head": {"name": "mine", "_target_": target}}))
        assert load_cell(tmp_path)["head"] == {"name": "mine", "_target_": target}
    assert not (tmp_path / "ran").exists()
