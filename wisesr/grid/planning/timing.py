"""How long a cell's steps take on this machine's CPU: a few are done and timed, on real images, with weights at random.

For the planner's child alone: torch is imported on use. A model of which a step would take long is timed on few images at a
time; which model it is matters, and hardly which head it has, so each backbone, size, dataset and recipe is timed once.
"""

from __future__ import annotations

import copy
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wisesr.config.schema import Config
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.hours import Pace

if TYPE_CHECKING:
    from wisesr.build.cell import Parts
    from wisesr.data.datamodule import Batch
    from wisesr.data.manifest import Manifest

_SECONDS = 40.0
"""Of all timing; a model that is begun is finished."""
_LONGEST, _ENOUGH = 6.0, 2.0
"""Seconds of a first step after which it counts, as it is; seconds of further ones after which there are no more."""
_FLOPS = 3e11
"""Of a timed step at most, where two images allow: more would take long, and memory that nobody has."""
_FEWEST, _MOST = 3, 12
_BESIDE = 4.0
"""Seconds of a cell beside what is measured here: its log, its loggers, Lightning's start, its record."""
_WRITTEN = 3e8
"""Bytes a second: checkpoints are packed, hashed and synced."""
_NO_MATTER = {"recipe": ("epochs", "head_lr_scale", "schedule", "patience"), "dataset": ("split_seed", "fold", "on_leak")}
"""Settings that make no step longer."""


def time_cells(
    configs: Sequence[Config],
    costs: Sequence[Cost | None],
    manifest_of: Callable[[Config], Manifest],
    *,
    cores: int,
    imports: float,
    tell: Callable[[int], None],
) -> list[Pace | None]:
    """What cells take, a cell each; None where that was not timed: too little time, several devices, a foreign part that fails.

    The smallest models come first, so that most of them are timed.

    Args:
        configs: of the cells.
        costs: a cell each.
        manifest_of: a cell's images.
        cores: of one cell.
        imports: seconds that those of a cell take.
        tell: called before each model, with a cell that has it.
    """
    groups: dict[str, list[int]] = {}
    for index, (config, cost) in enumerate(zip(configs, costs, strict=True)):
        if cost is not None and _is_timed(config):
            groups.setdefault(_key(config), []).append(index)
    paces: dict[int, Pace] = {}
    began = time.monotonic()
    for members in sorted(groups.values(), key=lambda group: _flops(costs[group[0]])):
        if time.monotonic() - began > _SECONDS:
            break
        first = members[0]
        tell(first)
        try:
            pace = _time(configs[first], costs[first], manifest_of(configs[first]), cores, imports)
        except Exception:  # of anybody's model, or for want of memory: the plan does without
            continue
        paces |= dict.fromkeys(members, pace)
    return [paces.get(index) for index in range(len(configs))]


def _flops(cost: Cost | None) -> int:
    return cost.train_flops if cost else 0


def _is_timed(config: Config) -> bool:
    trainer = config["trainer"]
    return trainer["num_nodes"] == 1 and trainer["devices"] in (1, "auto") and trainer["accelerator"] in ("auto", "cpu")


def _key(config: Config) -> str:
    """What the time of a step depends on."""
    node = copy.deepcopy({group: config[group] for group in ("backbone", "resolution", "dataset", "recipe", "augment", "trainer")})
    for group, keys in _NO_MATTER.items():
        for key in keys:
            node[group].pop(key, None)
    node["recipe"]["optimizer"].pop("lr", None)
    return json.dumps(node, sort_keys=True)


def _time(config: Config, cost: Cost | None, manifest: Manifest, cores: int, imports: float) -> Pace:
    import torch

    from wisesr.build.cell import build

    assert cost is not None
    threads = config["trainer"]["threads"]
    torch.set_num_threads(cores if threads == "auto" else int(threads))
    began = time.monotonic()
    parts = build(_small(config, cost), manifest, cores=cores)
    building = time.monotonic() - began
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch, train, measure = _steps(parts)
    beside = _BESIDE + 4 * config["recipe"]["batch_size"] * (train + measure)  # cost.compute is measured at the end
    return Pace(imports + building + beside, (cost.disk - cost.partial) / _WRITTEN, train, measure)


def _small(config: Config, cost: Cost) -> Config:
    """The cell with a batch that a timed step can afford, and without weights, which may have to be downloaded."""
    batch = min(config["recipe"]["batch_size"], max(2, int(_FLOPS // max(1, cost.train_flops))))
    changes: dict[str, Mapping[str, Any]] = {
        "recipe": {"batch_size": batch},
        "trainer": {"accumulate": 1, "accelerator": "cpu", "devices": 1},
        "dataset": {"workers": 0},
    }
    if "weights" in config["backbone"]:
        changes["backbone"] = {"weights": None}
    return config | {group: config[group] | change for group, change in changes.items()}


def _steps(parts: Parts) -> tuple[int, float, float]:
    """Images of a step, and seconds an image of training and of measuring, decoding included."""
    import torch

    from wisesr.training.trainer import make_trainer

    module, data = parts.module, parts.data
    plugin = make_trainer(parts.trainer, 1, []).precision_plugin
    optimizer = module.make_optimizer(module.model)
    training, measured = _endless(data.train_dataloader), _endless(lambda: data.val_dataloader()[0])

    def train() -> int:
        batch = next(training)
        with plugin.train_step_context():
            images, targets = module.objective.mix(plugin.convert_input(batch.images), batch.labels)
            loss = module.objective(module.logits_of(module.model, images), targets).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return len(batch.images)

    def measure() -> int:
        batch = next(measured)
        with torch.no_grad(), plugin.val_step_context():
            module.logits_of(module.measured, plugin.convert_input(batch.images))
        return len(batch.images)

    module.train()
    of_training = _per_image(train)
    module.eval()
    return parts.data.steps.batch_size, of_training, _per_image(measure)


def _endless(loader: Callable[[], Any]) -> Iterator[Batch]:
    while True:
        yield from loader()


def _per_image(step: Callable[[], int]) -> float:
    """Seconds an image: the quickest of a few steps after the first (what else the machine does makes none quicker), or the first where it took long."""
    first = _timed(step)
    if first[0] > _LONGEST:
        return first[0] / first[1]
    times: list[float] = []
    spent = 0.0
    while len(times) < _FEWEST or (spent < _ENOUGH and len(times) < _MOST):
        seconds, images = _timed(step)
        times.append(seconds / images)
        spent += seconds
    return min(times)


def _timed(step: Callable[[], int]) -> tuple[float, int]:
    began = time.perf_counter()
    images = step()
    return time.perf_counter() - began, images
