"""Names that every layer shares. No torch here."""

from __future__ import annotations

import hashlib
import os
import re
from typing import NamedTuple


class FeatureShape(NamedTuple):
    """Shape of one image's feature map, in the order of its tensor (without the batch)."""

    channels: int
    height: int
    width: int


class Steps(NamedTuple):
    """How the training split turns into optimizer steps; what schedules are computed from."""

    train_images: int
    batch_size: int
    """Images in one optimizer step, over all devices and accumulation."""
    epochs: int

    @property
    def per_epoch(self) -> int:
        """ceil(images / batch): the last, smaller batch is trained on."""
        return -(-self.train_images // self.batch_size)

    @property
    def total(self) -> int:
        """Optimizer steps of the whole run."""
        return self.per_epoch * self.epochs


class Budget(NamedTuple):
    """What may end training before its last epoch; None where it may not."""

    patience: int | None = None
    """Epochs without a better one, by the rule that chooses the epoch: top-1, then loss."""
    seconds: float | None = None
    """Of training, over all attempts."""


def seconds_of(text: str) -> float | None:
    """Seconds of "DD:HH:MM:SS"; None if the text is not of that form, or no time at all."""
    found = re.fullmatch(r"(\d{1,3}):(\d{1,2}):(\d{1,2}):(\d{1,2})", text)
    if found is None:
        return None
    days, hours, minutes, seconds = map(int, found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds) or None


def derive_seed(*key: int | str) -> int:
    """A seed in [0, 2**63) that is a pure function of `key`.

    All randomness of a run comes from here, keyed by what it is for (seed, epoch, image), so nothing about random
    generators needs to be stored for a run to continue as if it had never stopped.
    """
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def usable_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
