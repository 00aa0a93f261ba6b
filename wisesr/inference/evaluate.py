"""A run measured again: on its own splits to the bit as in training, on other folders, at other resolutions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from wisesr.data.image_file import TINY
from wisesr.data.progress import Progress
from wisesr.errors import UserError
from wisesr.inference.evaluation.agreement import agreement
from wisesr.inference.evaluation.as_tested import as_tested, batch_size, devices
from wisesr.inference.evaluation.class_figures import balanced_accuracy, class_figures, confusion_of
from wisesr.inference.evaluation.enlarged import resizings
from wisesr.inference.evaluation.evaluation import Evaluation
from wisesr.inference.evaluation.pictures import Pictures
from wisesr.inference.evaluation.samples import Decoder, Sample, Samples, Unread, batches_of
from wisesr.inference.memory import is_lack_of_memory
from wisesr.inference.run import Run
from wisesr.results.predictions import Predictions
from wisesr.training.metrics import SplitMetrics
from wisesr.types import usable_cores
from wisesr.wording import count_of

_WORKERS = 8
"""Processes that decode for a GPU, at most."""


def evaluate(
    run: Run,
    pictures: Pictures,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    decoder: Decoder | None = None,
) -> Evaluation:
    """Measure a run on pictures, computing as its training tested: same batches, layout, precision, threads, algorithms.

    Args:
        run: as of `wisesr.load`.
        pictures: as of `evaluation.own_data.own_pictures` or `evaluation.other_folder.folder_pictures`.
        workers: processes that decode; None for none on a CPU and up to 8 for a GPU.
        progress: shows how far it is.
        decoder: that keeps decoded pictures for the next run; None for one that is used once.

    Raises:
        UserError: no picture can be read, or the model gives no numbers.
    """
    with as_tested(run), _memory_told(run):
        metrics, rows, unread, tiny = _pass(run, pictures, _workers(run, workers), progress, decoder or Decoder(room=0))
        threads = torch.get_num_threads()
        figures = metrics.result() if rows else {}
    if not rows:
        raise UserError(f"of {count_of(len(pictures), 'image')} none can be read: {_first(unread)}")
    if not all(map(math.isfinite, figures.values())):
        raise UserError(f"{run.directory} gives no numbers on these images: its loss is {figures['loss']}")
    predictions = _predictions(run, pictures, rows)
    classes = class_figures(confusion_of(predictions), predictions.classes)
    device = torch.cuda.get_device_name(run.device) if run.device.type == "cuda" else run.device.type
    return Evaluation(
        pictures.source,
        {**figures, "balanced_accuracy": balanced_accuracy(classes)},
        predictions,
        unread,
        tiny,
        tuple(resizings(run)),
        agreement(run, pictures.source, figures, device=device, threads=threads, unread=len(unread)),
        device,
        threads,
    )


@contextmanager
def _memory_told(run: Run) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_lack_of_memory(error):
            raise
        raise UserError(
            f"batches of {batch_size(run)} pictures of {run.image_size} px, as in training, do not fit into the memory of "
            f"{run.device}: --resolution takes a smaller size, --device another memory"
        ) from error


def _pass(
    run: Run, pictures: Pictures, workers: int, progress: Progress | None, decoder: Decoder
) -> tuple[SplitMetrics, dict[int, Tensor], dict[str, str], tuple[str, ...]]:
    """All pictures through the model once: the metrics, each one's probabilities, what cannot be read, what is tiny."""
    metrics = SplitMetrics(len(run.class_names)).to(run.device)
    rows: dict[int, Tensor] = {}
    unread: dict[int, str] = {}
    tiny: list[int] = []
    batches = batches_of(len(pictures), batch_size(run), devices(run))
    samples = Samples(pictures, run.augmentation, int(run.config["seed"]))
    decoded: Iterable[list[Sample | Unread]] = decoder.batches(_key(run, pictures), samples, batches, workers)
    for batch in decoded if progress is None else progress(decoded, len(batches), f"evaluating {pictures.source.split}"):
        unread |= {sample.at: sample.reason for sample in batch if isinstance(sample, Unread)}
        if good := [sample for sample in batch if isinstance(sample, Sample)]:
            tiny += [sample.at for sample in good if sample.side < TINY]
            labels = torch.from_numpy(pictures.labels[[sample.at for sample in good]]).to(run.device)
            logits = run.logits(torch.stack([sample.image for sample in good]))
            with torch.inference_mode():
                metrics.update(logits, labels)
                rows.update(zip((sample.at for sample in good), logits.softmax(dim=1).cpu(), strict=True))
    named = {pictures.ids[index]: unread[index] for index in sorted(unread)}
    return metrics, rows, named, tuple(pictures.ids[index] for index in sorted(tiny))


def _key(run: Run, pictures: Pictures) -> tuple[object, ...]:
    """Equal only where the same pictures are decoded to the same tensors."""
    source, augment = pictures.source, (repr(run.config["augment"]), repr(run.augmentation.inputs))
    return (source.kind, source.root, source.split, source.fingerprint, len(pictures), run.image_size, *augment)


def _predictions(run: Run, pictures: Pictures, rows: Mapping[int, Tensor]) -> Predictions:
    order = sorted(rows)
    return Predictions(
        np.array([pictures.ids[index] for index in order]),
        pictures.labels[order],
        torch.stack([rows[index] for index in order]).numpy().astype(np.float32),
        run.class_names,
    )


def _workers(run: Run, asked: int | None) -> int:
    if asked is not None:
        return asked
    return min(_WORKERS, usable_cores()) if run.device.type == "cuda" else 0


def _first(unread: Mapping[str, str]) -> str:
    name, reason = next(iter(unread.items()))
    return f"{name}: {reason}"
