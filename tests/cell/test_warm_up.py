"""What is kept for all cells of a process is what each would find itself."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
import torch

from wisesr.cell.warm_up import import_libraries, warm_up
from wisesr.config import options
from wisesr.results import provenance
from wisesr.results.installation import _packages_hash, packages_hash


def test_cells_find_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither packages nor the package's source are looked at a second time."""
    _packages_hash.cache_clear()
    provenance.package_hash.cache_clear()
    warm_up()
    kept = packages_hash(), provenance.package_hash()
    misses = _packages_hash.cache_info().misses, provenance.package_hash.cache_info().misses
    assert (packages_hash(), provenance.package_hash()) == kept
    assert (_packages_hash.cache_info().misses, provenance.package_hash.cache_info().misses) == misses
    _packages_hash.cache_clear()
    provenance.package_hash.cache_clear()
    assert (packages_hash(), provenance.package_hash()) == kept


def test_it_leaves_nothing_that_a_fork_minds() -> None:
    """No thread, no random number, no GPU; garbage is collected as before."""
    state, threads, frozen = torch.get_rng_state(), threading.active_count(), gc.get_freeze_count()
    warm_up()
    import_libraries()
    assert torch.equal(torch.get_rng_state(), state)
    assert threading.active_count() == threads
    assert not torch.cuda.is_initialized()
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen, "torch was there before: what lies around is somebody's"


def test_a_broken_option_is_for_who_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "conf_dir", lambda: tmp_path)
    for group in options.GROUPS:
        (tmp_path / group).mkdir()
    (tmp_path / "head" / "gone.yaml").write_text("_target_: wisesr.models.heads.gone.Gone\n")
    (tmp_path / "head" / "half.yaml").write_text("_target_: [wisesr.models\n")
    warm_up()


def test_an_edited_option_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process lives as long as a grid; what options share counts too."""
    monkeypatch.setattr(options, "conf_dir", lambda: tmp_path)
    folder = tmp_path / "head"
    folder.mkdir()
    (folder / "_base.yaml").write_text("dropout: 0.1\n")
    (folder / "mine.yaml").write_text("defaults: [_base]\n_target_: mine.Head\nsides: [1]\n")
    first = options.load_option("head", "mine")
    assert first == {"dropout": 0.1, "_target_": "mine.Head", "sides": [1]}
    first["sides"].append(2)
    assert options.load_option("head", "mine")["sides"] == [1], "what was given is the caller's own"
    (folder / "_base.yaml").write_text("dropout: 0.25\n")
    assert options.load_option("head", "mine")["dropout"] == 0.25
