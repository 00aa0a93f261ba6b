"""dataset.views: a training image has so many random views, the same in all cells, and each epoch shows one of them."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.cells import assert_same, make
from tests.support.decoded import assert_equal, by_position, cell, image_data, seen, with_cache
from tests.support.images import noise
from wisesr.cell.run import DONE, FAILED, run
from wisesr.data.batches import Images, view_of, view_seed
from wisesr.data.manifest import TRAIN
from wisesr.errors import UserError
from wisesr.results.status_file import read_status
from wisesr.types import derive_seed

EPOCHS = 24


@pytest.fixture
def some(tmp_path: Path, kept: Path) -> Path:
    """`train/` and `test/` of two classes of 8 and 3 images, no two alike."""
    for label, name in enumerate("ab"):
        for index in range(11):
            path = tmp_path / "some" / ("train" if index < 8 else "test") / name / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise(100 * label + index, (40 + index, 50 - index)).save(path)
    return tmp_path / "some"


def of(root: Path, *overrides: str) -> dict[str, Any]:
    return cell("dataset=folder", f"dataset.root={root}", "augment=standard", "protocol=paper", *overrides)


def drawn(config: dict[str, Any], epochs: int = EPOCHS) -> list[dict[str, Tensor]]:
    """Of each epoch, the training images by their names."""
    data = image_data(config)
    train, found = data.train_dataloader(), []
    for epoch in range(epochs):
        train.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
        found.append({data.manifest.ids[at]: image for at, image in by_position(list(train)).items()})
    return found


def as_bytes(image: Tensor) -> bytes:
    return image.numpy().tobytes()


def views_of(epochs: list[dict[str, Tensor]]) -> dict[str, set[bytes]]:
    """The pictures that each image was shown as."""
    found: dict[str, set[bytes]] = {}
    for images in epochs:
        for name, image in images.items():
            found.setdefault(name, set()).add(as_bytes(image))
    return found


@pytest.mark.parametrize("augment", ["standard", "paper"])
def test_an_image_has_so_many_views_and_every_cell_the_same(augment: str, some: Path) -> None:
    config = of(some, "dataset.views=3", f"augment={augment}")
    views = views_of(drawn(config))
    assert {len(images) for images in views.values()} == {3}, "all three within 24 epochs"
    for other in ({"seed": 5}, {"recipe": config["recipe"] | {"batch_size": 3}}):
        assert views_of(drawn(config | other)) == views
    workers = copy.deepcopy(config)
    workers["dataset"]["workers"] = 2
    assert views_of(drawn(workers, epochs=EPOCHS)) == views
    fewer = views_of(drawn(of(some, "dataset.views=2", f"augment={augment}")))
    assert all(fewer[name] < views[name] for name in views), "two are the first two of three"


def test_which_one_an_epoch_shows_is_drawn_from_the_cells_seed(some: Path) -> None:
    config = of(some, "dataset.views=3")
    one, again, other = (drawn(config | {"seed": seed}) for seed in (0, 0, 1))
    for a, b in zip(one, again, strict=True):
        assert {name: as_bytes(image) for name, image in a.items()} == {name: as_bytes(image) for name, image in b.items()}
    differ = [not torch.equal(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a]
    assert 0.5 < np.mean(differ) < 0.8, "two of three"


def test_each_view_comes_as_often_as_the_others() -> None:
    counts = Counter(view_of(seed, epoch, at, 4) for seed in range(5) for epoch in range(20) for at in range(40))
    assert set(counts) == {0, 1, 2, 3} and max(abs(count - 1000) for count in counts.values()) < 4 * np.sqrt(1000 * 0.75)


def test_a_view_is_what_its_seed_draws_of_the_image(some: Path) -> None:
    """Against the augmentation by hand: the same however an image is called, and another for each content."""
    data = image_data(of(some, "dataset.views=2"))
    manifest = data.manifest
    images = Images(manifest, TRAIN, data.augment, training=True, seed=3, views=2)
    for index, position in enumerate(manifest.indices(TRAIN).tolist()):
        for epoch in range(3):
            view = derive_seed(3, "view", epoch, position) % 2
            seed = view_seed(manifest, position, view)
            assert seed == derive_seed("view", np.asarray(manifest.digests)[position].tobytes().hex(), view)
            torch.manual_seed(seed)
            expected = data.augment(manifest.load(position), training=True)
            sample = images[epoch, index]
            assert not isinstance(sample, UserError) and torch.equal(sample[0], expected)


def test_testing_has_no_views(some: Path) -> None:
    with_views, without = (image_data(of(some, f"dataset.views={views}")) for views in (2, "null"))
    for one, other in zip(with_views.val_dataloader(), without.val_dataloader(), strict=True):
        assert_equal(list(one), list(other))


def test_views_of_kept_pictures_are_those_of_decoded_ones(some: Path) -> None:
    for config in (of(some, "dataset.views=2", "augment=paper"), of(some, "dataset.views=2", "dataset.cache=reduced")):
        images = image_data(config)
        decoded = copy.copy(images)
        decoded.kept = {}
        assert_equal(seen(images), seen(decoded))
    on = of(some, "dataset.views=2", "dataset.cache=on")
    assert_equal(seen(image_data(on)), seen(image_data(with_cache(on, "off"))))


def test_refusals(some: Path) -> None:
    with pytest.raises(UserError, match=r"dataset.views=4 are of an augmentation that draws, and this one does not"):
        image_data(of(some, "dataset.views=4", "augment=none"))
    with pytest.raises(UserError, match=r"dataset.views=4 are drawn by the images' contents: .*dataset.fingerprint=contents"):
        image_data(of(some, "dataset.views=4", "dataset.fingerprint=listing"))


def test_a_resumed_cell_equals_an_undisturbed_one(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after its first epoch, with workers and without, from kept pictures and from none."""
    config["dataset"] |= {"views": 2, "cache": "reduced"}
    undisturbed = make(config, tmp_path / "undisturbed")
    assert run(undisturbed) == DONE
    config["dataset"] |= {"workers": 1}
    resumed = make(config, tmp_path / "resumed")

    class Stopped(BaseException):
        pass

    from wisesr.training import module

    before = module.ClassificationModule.on_train_epoch_start

    def stops(self: Any) -> None:
        if self.current_epoch == 1:
            raise Stopped
        before(self)

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(module.ClassificationModule, "on_train_epoch_start", stops)
        run(resumed)
    assert (resumed / "last.ckpt").exists()
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "elsewhere"))
    assert run(resumed) == DONE
    assert_same(undisturbed, resumed)


def test_a_cell_that_cannot_have_them_says_so(config: dict[str, Any], tmp_path: Path) -> None:
    config["dataset"]["views"] = 2
    config["augment"] = {"_target_": "wisesr.data.augmentation.Plain"}
    directory = make(config, tmp_path / "cell")
    assert run(directory) == FAILED
    assert "dataset.views=2 are of an augmentation that draws" in str(read_status(directory))
