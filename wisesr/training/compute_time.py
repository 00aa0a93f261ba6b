"""How long a model computes, without data: a training step and a prediction on one batch that is in memory already.

The pace of a training (`images_per_second`) holds the decoding of its images too, which is most of it where a head makes
little difference. Two heads are compared by what the device does for them: on CPU by the time of one thread, not of the clock.
"""

from __future__ import annotations

import copy
import logging
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn

from wisesr.data.maps import Layout
from wisesr.models.classifier import Classifier
from wisesr.results.record import ComputeTime
from wisesr.training.keep_maps import KeepMaps
from wisesr.training.module import ClassificationModule
from wisesr.types import Steps

log = logging.getLogger(__name__)

_FEWEST, _MOST = 3, 50
"""Repeats, after one that warms up."""
_SECONDS, _SHARE = 5.0, 0.01
"""After how many seconds, and after what share of those of training, there are no more repeats than the fewest."""
_LONGEST, _QUICK = 0.06, 2.0
"""The share of training that the fewest repeats may take, and seconds that they may take in any case."""
_SMALLEST = 8
"""Images of a batch that is not made smaller."""


def compute_time(module: ClassificationModule, trainer: Trainer, seconds: float, maps: KeepMaps | None = None) -> ComputeTime:
    """Measure on a copy of the model, so that weights stay as they are, with a batch of noise and on this device alone.

    The batch is one device's part of the recipe's batch; on CPU, where time goes with images, a half or a quarter of it
    where the whole training has too few steps to spare four. Nothing that goes wrong ends the cell: it is a line in the log.

    Args:
        module: trained; its model may lie on any device.
        trainer: that has trained it; tells device, precision, devices and accumulation.
        seconds: that training took, of which this takes a few percent at most.
        maps: of a frozen backbone, if training read them: then the head alone is measured, and the pass through the backbone
            is added as the first cell has measured it that read them.
    """
    device = trainer.strategy.root_device
    batch = _batch(module.steps, trainer.world_size, trainer.accumulate_grad_batches, on_cpu=device.type == "cpu")
    found: dict[str, float | None] = {"train_ms": None, "inference_ms": None}
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), _one_thread(device):
        passed = None if maps is None else _passed(module, trainer, batch, maps)
        layout = maps.layout if maps is not None and passed is not None else None
        for name, make in (("train_ms", _training_step), ("inference_ms", _prediction)):
            try:
                median = _median(make(module, trainer, batch, layout), device, seconds)
                passes = trainer.accumulate_grad_batches if name == "train_ms" else 1
                found[name] = None if median is None else 1000 * (median / passes + (passed or 0.0)) / batch
            except Exception as error:  # of anybody's model: a cell that is trained has its record all the same
                log.warning("cost.compute.%s could not be measured: %s: %s", name, type(error).__name__, error)
            if device.type == "cuda":
                with suppress(RuntimeError):
                    torch.cuda.empty_cache()
    return ComputeTime(found["train_ms"], found["inference_ms"], batch)


def _passed(module: ClassificationModule, trainer: Trainer, batch: int, maps: KeepMaps) -> float | None:
    """Seconds of a forward pass through the backbone; None where no maps were read, or it cannot be measured."""
    device = trainer.strategy.root_device

    def measure() -> float:
        backbone, images = copy.deepcopy(module.model.backbone).to(device), _noise(module, trainer, batch, None)[0]

        def run() -> None:
            with torch.no_grad(), trainer.precision_plugin.val_step_context():
                backbone(images.contiguous(memory_format=module.layout))

        _timed(run, device)
        return statistics.median(_timed(run, device) for _ in range(_FEWEST))

    try:
        return maps.pass_seconds(batch, measure)
    except Exception as error:  # of anybody's backbone
        log.warning("the backbone's pass could not be measured: %s: %s", type(error).__name__, error)
        return None


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    """On CPU: threads that wait for one another spin, and a process's time counts that, the more the busier the machine is."""
    threads = torch.get_num_threads()
    if device.type != "cuda":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _batch(steps: Steps, world: int, accumulate: int, *, on_cpu: bool) -> int:
    """Images at once. It depends on the plan and on no clock, so that it is the same for all cells of a comparison."""
    batch = max(1, steps.batch_size // (world * accumulate))
    trained = steps.train_images * steps.epochs / world
    while on_cpu and batch > _SMALLEST and (_FEWEST + 1) * batch * accumulate > _LONGEST * trained:
        batch //= 2
    return batch


def _training_step(module: ClassificationModule, trainer: Trainer, batch: int, layout: Layout | None) -> Callable[[], None]:
    """One optimizer step of a copy, its gradients gathered over as many batches as in training."""
    model = _copy(module, trainer)
    if trainer.world_size > 1 and any(isinstance(part, nn.SyncBatchNorm) for part in model.modules()):
        raise RuntimeError("SyncBatchNorm waits for the other devices, which have ended")
    model.train()
    optimizer, objective = module.make_optimizer(model), copy.deepcopy(module.objective).to(trainer.strategy.root_device)
    images, labels = _noise(module, trainer, batch, layout)
    accumulate, clip = trainer.accumulate_grad_batches, trainer.gradient_clip_val

    def step() -> None:
        optimizer.zero_grad()
        for _ in range(accumulate):
            with trainer.precision_plugin.train_step_context():
                logits = module.logits_of_batch(model, images, are_maps=layout is not None)
                loss = objective(logits, labels).mean() / accumulate
            loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()

    return step


def _prediction(module: ClassificationModule, trainer: Trainer, batch: int, layout: Layout | None) -> Callable[[], None]:
    model = _copy(module, trainer).eval()
    images, _ = _noise(module, trainer, batch, layout)

    def predict() -> None:
        with torch.no_grad(), trainer.precision_plugin.val_step_context():
            module.logits_of_batch(model, images, are_maps=layout is not None)

    return predict


def _copy(module: ClassificationModule, trainer: Trainer) -> Classifier:
    model = copy.deepcopy(module.model).to(trainer.strategy.root_device)
    if getattr(module.model, "_compiled_call_impl", None) is not None:  # which a copy does not take along
        model.compile()
    return model


def _noise(module: ClassificationModule, trainer: Trainer, batch: int, layout: Layout | None) -> tuple[Tensor, Tensor]:
    """Images as a normalised batch has them, or maps of this layout, and labels."""
    generator = torch.Generator().manual_seed(0)
    size, device = module.image_size, trainer.strategy.root_device
    images = torch.randn(batch, 3, size, size, generator=generator) if layout is None else layout.noise(batch, generator)
    images = images.to(device)
    labels = torch.randint(len(module.class_names), (batch,), generator=generator).to(device)
    converted: Any = trainer.precision_plugin.convert_input(images)
    return converted, labels


def _median(run: Callable[[], None], device: torch.device, seconds: float) -> float | None:
    """Seconds of a run, the median; None where the fewest repeats would take too much beside so many seconds of training."""
    _timed(run, device)
    times = [_timed(run, device)]
    if times[0] * _FEWEST > max(_QUICK, _LONGEST * seconds):
        log.info("cost.compute: not measured, as it would take %.1f s beside %.1f s of training", times[0] * _FEWEST, seconds)
        return None
    while len(times) < _FEWEST or (sum(times) < min(_SECONDS, _SHARE * seconds) and len(times) < _MOST):
        times.append(_timed(run, device))
    return statistics.median(times)


def _timed(run: Callable[[], None], device: torch.device) -> float:
    """Seconds until the device has done all of it; on CPU those of this process alone, whatever else the machine does."""
    if device.type != "cuda":
        start = time.process_time()
        run()
        return time.process_time() - start
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    run()
    torch.cuda.synchronize(device)
    return time.perf_counter() - start
