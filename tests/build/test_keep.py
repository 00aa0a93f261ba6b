"""What a cell keeps: whole cells with decoded images and without are equal to the bit, and what stands in the way is said."""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.cells import assert_same, make
from tests.support.configs import change
from tests.support.decoded import all_kinds, cell, image_data, with_cache
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.build.keep import place_of, why_not_decoded
from wisesr.cell.run import DONE, FAILED, run
from wisesr.config.options import load_option
from wisesr.data.decoded import Pictures
from wisesr.data.rows import room
from wisesr.errors import UserError
from wisesr.results.status_file import read_status


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all that is kept."""
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Positions whose pictures came from where they are kept."""
    found: list[int] = []
    before = Pictures.pixels

    def noted(self: Pictures, position: int) -> Any:
        pixels = before(self, position)
        found.extend([] if pixels is None else [position])
        return pixels

    monkeypatch.setattr(Pictures, "pixels", noted)
    return found


def of(root: Path, *overrides: str) -> dict[str, Any]:
    return cell("dataset=folder", f"dataset.root={root}", *overrides)


def trains(config: dict[str, Any], directory: Path, cache: str, **dataset: Any) -> Path:
    changed = with_cache(config, cache)
    changed["dataset"] |= dataset
    made = make(changed, directory)
    assert run(made) == DONE
    return made


@pytest.mark.parametrize("augment", ["none", "standard", "paper"])
def test_a_cell_is_the_same_to_the_bit(
    augment: str, config: dict[str, Any], tmp_path: Path, kinds: Path, read: list[int]
) -> None:
    config["augment"] = load_option("augment", augment)
    config["dataset"]["root"] = str(kinds)
    config["resolution"]["size"], config["recipe"]["epochs"], config["recipe"]["batch_size"] = 32, 2, 8
    without = trains(config, tmp_path / "off", "off")
    assert not read
    for number, workers in enumerate((0, 2)):
        assert_same(without, trains(config, tmp_path / f"kept{number}", "on", workers=workers))
    assert read


def test_a_cell_of_reduced_copies_is_the_same_with_and_without_room(
    config: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    read: list[int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    config["recipe"]["epochs"] = 1
    config["resolution"]["size"] = 32  # of images of 40, which are not enlarged: at 64 both would be the same
    kept = trains(config, tmp_path / "kept", "reduced")
    assert read
    with monkeypatch.context() as patched:
        patched.setattr(room, "free_bytes", lambda _: 0)
        patched.setenv("WISESR_CACHE", str(tmp_path / "full"))
        assert_same(kept, trains(config, tmp_path / "full-disk", "reduced"))
    assert "images are decoded in each epoch, as they cannot be kept: " in caplog.text
    assert not list((tmp_path / "full").glob("decoded/*/*.rows"))
    of_originals = trains(config, tmp_path / "originals", "off")
    states = [torch.load(path / "last.ckpt", weights_only=True)["state_dict"] for path in (kept, of_originals)]
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0]), "another computation"


def test_auto_keeps_what_is_the_same_in_each_epoch(kinds: Path) -> None:
    assert set(image_data(of(kinds)).kept) == set(image_data(of(kinds, "augment=paper")).kept) == {True, False}
    assert not image_data(of(kinds, "augment=standard")).kept
    assert not image_data(of(kinds, "dataset.cache=off")).kept
    assert not image_data(of(kinds, "dataset.fingerprint=listing")).kept


def test_auto_never_reduces(kinds: Path) -> None:
    for augment in ("none", "standard", "paper"):
        data = image_data(of(kinds, f"augment={augment}"))
        view = data.augment.view(training=True)
        assert view is None or "short side" not in view.text


def an_array(folder: Path) -> Path:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (40, 12, 10, 3), np.uint8)
    np.savez(folder / "cells.npz", images=images, labels=np.arange(40) % 2)
    return folder / "cells.npz"


def test_what_is_not_decoded_from_files_is_not_kept(tmp_path: Path, place: Path) -> None:
    for dataset in (["dataset=digits"], ["dataset=layouts"], ["dataset=arrays", f"dataset.file={an_array(tmp_path)}"]):
        for classes in ("null", "2"):
            few = [] if dataset == ["dataset=layouts"] else [f"dataset.classes={classes}"]
            assert not image_data(cell(*dataset, *few)).kept
            with pytest.raises(
                UserError, match=r"dataset.cache=on: the images are no files that are decoded; leave it at auto"
            ):
                image_data(cell(*dataset, *few, "dataset.cache=on"))
    assert not list(place.glob("decoded/*"))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["dataset.fingerprint=listing"], "dataset.fingerprint=listing does not look into files"),
        (["dataset.fingerprint=listing", "augment=standard"], "dataset.fingerprint=listing does not look into files"),
    ],
)
def test_on_says_what_stands_in_the_way(overrides: list[str], words: str, kinds: Path) -> None:
    with pytest.raises(UserError, match=f"dataset.cache=on: {words}.*; leave it at auto"):
        image_data(of(kinds, "dataset.cache=on", *overrides))


def test_on_of_an_augmentation_without_a_view(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wisesr.data.augmentation import Plain

    monkeypatch.setattr(Plain, "view", lambda *_, **__: None)
    with pytest.raises(UserError, match=r"dataset.cache=on: Plain draws from the whole picture; leave it at auto"):
        image_data(of(kinds, "dataset.cache=on"))


def test_where_there_is_no_room(
    kinds: Path, place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At most half of what is free for auto, and for what was asked for more of it; a cell loses nothing by it but time."""
    config = of(kinds)
    needed = len(image_data(with_cache(config, "off")).manifest) * 3 * 32 * 32
    monkeypatch.setattr(room, "free_bytes", lambda _: int(1.5 * needed))
    assert not image_data(config).kept
    assert "images are decoded in each epoch, as they cannot be kept: " in caplog.text and "to spare" in caplog.text
    assert not list(place.glob("decoded/*/*.rows"))
    monkeypatch.setattr(room, "free_bytes", lambda _: needed)
    assert not image_data(with_cache(config, "on")).kept
    monkeypatch.setattr(room, "free_bytes", lambda _: int(1.5 * needed))
    assert image_data(with_cache(config, "on")).kept
    monkeypatch.setattr(room, "free_bytes", lambda _: 0)
    assert image_data(config).kept, "what is there needs no room"


def test_where_nobody_says_where(kinds: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """No variable, and a user without a home: a container's."""
    for name in ("WISESR_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def lost(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    config = of(kinds)
    monkeypatch.setattr(Path, "expanduser", lost)
    with caplog.at_level(logging.WARNING):
        assert not image_data(config).kept
        assert not image_data(with_cache(config, "on")).kept
    assert "images are decoded in each epoch, as they cannot be kept: Could not determine home directory" in caplog.text


def test_where_nothing_can_be_written(
    kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file is where a folder should be: that stops everybody, whoever runs the tests."""
    (tmp_path / "file").write_text("")
    for named, words in ((str(tmp_path / "file" / "folder"), "is a file, and no folder"), ("' '", "not an empty text")):
        with pytest.raises(UserError, match=f"dataset.cache_dir.*{words}"):
            image_data(of(kinds, f"dataset.cache_dir={named}"))
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "file"))
    for cache in ("auto", "on"):
        caplog.clear()
        assert not image_data(with_cache(of(kinds), cache)).kept
        assert "images are decoded in each epoch, as they cannot be kept: " in caplog.text


def test_the_folder_can_be_named(kinds: Path, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = of(kinds, f"dataset.cache_dir={tmp_path / 'mine'}")
    assert image_data(config).kept
    assert list((tmp_path / "mine").glob("decoded/*/*.rows")) and not list(place.glob("decoded/*"))
    assert place_of(config["dataset"]) == tmp_path / "mine"
    assert place_of(of(kinds)["dataset"]) == place
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert place_of(change(config, "dataset.cache_dir", "~/kept")["dataset"]) == tmp_path / "home" / "kept"
    with pytest.raises(OSError, match=r"dataset.cache_dir=~no-such-user/kept"):
        place_of(change(config, "dataset.cache_dir", "~no-such-user/kept")["dataset"])


def test_the_reason_that_is_given(kinds: Path) -> None:
    for overrides, reason in (
        ([], None),
        (["augment=standard"], "Standard draws from the whole picture"),
        (["dataset.cache=off"], "dataset.cache=off"),
        (["augment=standard", "dataset.cache=on"], None),
        (["augment=standard", "dataset.cache=reduced"], None),
    ):
        config = of(kinds, *overrides)
        assert why_not_decoded(config, image_data(config)) == reason


def test_a_cell_that_cannot_keep_what_it_must_fails_with_a_sentence(config: dict[str, Any], tmp_path: Path) -> None:
    failing = copy.deepcopy(config)
    failing["dataset"] |= {"cache": "on", "fingerprint": "listing"}
    directory = make(failing, tmp_path / "cell")
    assert run(directory) == FAILED
    assert "dataset.cache=on: dataset.fingerprint=listing does not look into files" in str(read_status(directory))


def test_the_plan_says_so_before_anything_is_started(config: dict[str, Any]) -> None:
    """Whatever is built is asked, with no weights and no images: what a plan builds, too."""
    config["dataset"] |= {"cache": "on", "fingerprint": "listing"}
    with pytest.raises(UserError, match=r"dataset.cache=on: dataset.fingerprint=listing does not look into files"):
        build(config, build_manifest(config))
