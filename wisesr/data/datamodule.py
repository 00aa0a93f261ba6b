"""The DataModule of a cell: its splits as loaders whose every sample is a pure function of (seed, epoch, image)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from wisesr.data.augmentation import Augmentation
from wisesr.data.batches import Batch, FixedViews, Images, Loader
from wisesr.data.decoded import Pictures
from wisesr.data.manifest import TEST, TRAIN, VAL, Manifest
from wisesr.data.maps import Maps, Place
from wisesr.data.sampling import Key, TestBatches, TrainBatches
from wisesr.data.views import View
from wisesr.errors import UserError
from wisesr.types import Steps, usable_cores

__all__ = ["Batch", "ImageData", "Images"]


class ImageData(LightningDataModule):
    """Loaders over a manifest whose splits are complete.

    Workers are processes: augmentations, users' own among them, draw from torch's default generator, which the threads of a
    process share with the training's dropout.

    Args:
        manifest: with train, val (protocol holdout) and test split.
        augment: image -> tensor.
        protocol: "holdout" validates on the val split, "paper" on the test split.
        steps: the training split in batches.
        seed: of the cell: order of the batches, augmentation.
        accumulate: batches of one device in one optimizer step.
        workers: processes that decode; None for none on CPU and up to 8 a GPU.
        cores: CPU cores that they may use together; None for all.
        train_part: positions of the training images on which training accuracy is measured; None for none.
        views: random views that each training image has (`Images`); None for a new one in each epoch.

    Raises:
        UserError: the batch does not divide over devices and accumulation; a split has fewer images than there are devices.
    """

    def __init__(
        self,
        manifest: Manifest,
        augment: Augmentation,
        *,
        protocol: str,
        steps: Steps,
        seed: int,
        accumulate: int,
        workers: int | None = None,
        cores: int | None = None,
        train_part: NDArray[np.int64] | None = None,
        views: int | None = None,
    ) -> None:
        super().__init__()
        self.manifest, self.steps, self.protocol = manifest, steps, protocol
        self.augment, self.views = augment, views
        self.kept: dict[bool, Pictures] = {}
        """Pictures that need not be decoded: of training, and of all else (False)."""
        self.maps: Maps | None = None
        """Feature maps that need not be computed."""
        self._seed, self._accumulate, self._workers = seed, accumulate, workers
        self.cores = cores or usable_cores()
        self.arrived: Callable[[], object] | None = None
        """Called when a batch was fetched, before it goes to the device."""
        self._train_part = np.zeros(0, np.int64) if train_part is None else train_part

    def setup(self, stage: str) -> None:
        """Check batch and splits against the devices, once Lightning knows them."""
        self.check_devices(self._world)

    def check_devices(self, world: int) -> None:
        """Check batch and splits against a number of devices.

        Raises:
            UserError: the batch does not divide over them; there are more of them than images.
        """
        if self.steps.batch_size % (world * self._accumulate):
            raise UserError(
                f"recipe.batch_size must divide by {world} devices x trainer.accumulate {self._accumulate}, "
                f"which {self.steps.batch_size} does not"
            )
        for split in (VAL if self.protocol == "holdout" else TEST, TEST):
            if (count := len(self.manifest.indices(split))) < world:
                raise UserError(f"the {split} split has {count} images for {world} devices: take fewer (trainer.devices)")
        if 0 < (count := len(self._train_part)) < world:
            raise UserError(f"trainer.train_eval_images must be 0, or at least 1 for each of {world} devices, not {count}")

    def on_before_batch_transfer(self, batch: Batch | UserError, dataloader_idx: int) -> Batch:
        """Raise what went wrong while the batch was decoded.

        Raises:
            UserError: an image of the batch cannot be read.
        """
        if isinstance(batch, UserError):
            raise batch
        if self.arrived is not None:
            self.arrived()
        return batch

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """A batch on the device. On CPU it is there, and Lightning's own way would look through it to find that out."""
        return batch if device.type == "cpu" else super().transfer_batch_to_device(batch, device, dataloader_idx)

    @property
    def _world(self) -> int:
        return self.trainer.world_size if self.trainer else 1

    @property
    def _rank(self) -> int:
        return self.trainer.global_rank if self.trainer else 0

    def _worker_count(self) -> int:
        if self._workers is not None:
            return self._workers
        if self.trainer is None or self.trainer.strategy.root_device.type == "cpu":
            return 0  # they would take the cores from the training itself
        return min(8, self.cores // self.trainer.num_devices)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training batches of this device; the sampler's `set_epoch` chooses the epoch."""
        batches = TrainBatches(
            self.steps.train_images,
            self.steps.batch_size,
            seed=self._seed,
            rank=self._rank,
            world=self._world,
            accumulate=self._accumulate,
        )
        # Lightning makes the iterator first and calls `set_epoch` then; where it resumes it makes no other, and workers, which
        # fetch ahead, would begin with epoch 0. Its own count of epochs is one behind here, so it is taken from the steps.
        # https://github.com/Lightning-AI/pytorch-lightning/blob/2.6.0/src/lightning/pytorch/loops/fit_loop.py
        batches.set_epoch(self.trainer.global_step // self.steps.per_epoch if self.trainer else 0)
        return self._loader(self._images(TRAIN, training=True), batches)

    def val_dataloader(self) -> list[DataLoader[Batch]]:
        """The images on which the epoch is chosen: the val split, or under protocol=paper the test split.

        After them, where there is one, the part of the training split that is measured: in batches of its own, as those
        of the others must not depend on it.
        """
        chosen = self._eval_loader(VAL if self.protocol == "holdout" else TEST)
        return [chosen, self._eval_loader(self._train_part)] if len(self._train_part) else [chosen]

    def test_dataloader(self) -> DataLoader[Batch]:
        """The test split."""
        return self._eval_loader(TEST)

    def _eval_loader(self, which: str | NDArray[np.int64]) -> DataLoader[Batch]:
        images = self._images(which, training=False)
        return self._loader(images, TestBatches(len(images), self.device_batch, rank=self._rank, world=self._world))

    def positions(self, *, training: bool) -> NDArray[np.int64]:
        """Of the images in the manifest that training sees, or that are looked at beside it."""
        if training:
            return self.manifest.indices(TRAIN)
        chosen = self.manifest.indices(VAL if self.protocol == "holdout" else TEST)
        return np.unique(np.concatenate([chosen, self.manifest.indices(TEST), self._train_part]))

    def fixed_views(self) -> list[tuple[View, tuple[bool, ...], NDArray[np.int64]]]:
        """What precedes all that is drawn: a view, whose it is (True: training's, False: all else's), and of which images."""
        found = [(flag, view) for flag in (True, False) if (view := self.augment.view(training=flag)) is not None]
        alike = {view.text: tuple(flag for flag, other in found if other.text == view.text) for _, view in found}
        made = {view.text: view for _, view in found}
        return [
            (made[text], flags, np.unique(np.concatenate([self.positions(training=flag) for flag in flags])))
            for text, flags in alike.items()
        ]

    def _images(self, which: str | NDArray[np.int64], *, training: bool, kind: type[Images] = Images) -> Images:
        return kind(
            self.manifest,
            which,
            self.augment,
            training=training,
            seed=self._seed,
            kept=self.kept.get(training),
            maps=self.maps,
            views=self.views,
        )

    @property
    def device_batch(self) -> int:
        """Images of a full batch of one device."""
        return max(1, self.steps.batch_size // (self._world * self._accumulate))

    def map_places(self) -> tuple[list[Place], list[tuple[int, ...]]]:
        """Whose maps this cell wants, on one device: `places` and `tails` of `wisesr.data.maps.Maps`."""
        train, size = self.manifest.indices(TRAIN).tolist(), self.device_batch
        views = [None] if self.views is None else range(self.views)
        places: list[Place] = [(position, view) for view in views for position in train]
        tails = []
        for images in (VAL if self.protocol == "holdout" else TEST, TEST, self._train_part):
            positions = (self.manifest.indices(images) if isinstance(images, str) else images).tolist()
            full = len(positions) // size * size
            places += [(position, None) for position in positions[:full]]
            tails += [tuple(positions[full:])] if positions[full:] else []
        return list(dict.fromkeys(places)), list(dict.fromkeys(tails))

    def batches_of(self, batches: Sequence[Sequence[Place]]) -> Iterator[Batch | UserError]:
        """Images of places, as they go through the backbone, batch by batch; those of a batch are all of views, or none."""
        everything = np.arange(len(self.manifest))
        for of_views, group in groupby(batches, key=lambda places: places[0][1] is not None):
            kind = FixedViews if of_views else Images
            images = self._images(everything, training=of_views, kind=kind)
            keys = [[(view or 0, position) for position, view in places] for places in group]
            yield from self._loader(images, keys)

    def _loader(self, images: Images, batches: Iterable[list[Key]]) -> DataLoader[Batch]:
        workers = self._worker_count()
        images.sends_pixels = not torch.cuda.is_available()  # beside a card workers have the cores, and the process feeds it
        return Loader(
            images,  # type: ignore[arg-type]  # which makes whole batches
            batch_sampler=batches,
            collate_fn=_as_it_is,
            num_workers=workers,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=workers > 0,
        )


def _as_it_is(batch: Any) -> Any:
    return batch  # which `Images` has made
