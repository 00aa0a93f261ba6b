"""The fixed keys of the configuration, what each may hold, and what it is where a configuration does not say it. No torch.

Every key stands in the YAML (`check` asks for it). The defaults here are for identity: a key at its default is no part of a
cell's fingerprint, and a `config.yaml` that was written before there was a key is read as if it stood there with its default. A
default must therefore be what cells did before they had the key, and may never change; the value of `_base.yaml` may.
What a key means is written beside it in `conf/<group>/_base.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from wisesr.config.setting_types import Bound, Setting, schema_settings

Config = dict[str, Any]
"""Of one cell, as plain data: what `config.yaml` holds."""

Count = Annotated[int, Bound("at least", 1)]
Share = Annotated[float, Bound("above", 0), Bound("below", 1)]
Rule = str | dict[str, str | float | bool | list[str | float | bool] | None]
"""Combinations to leave out: `head=flatten resolution=512`, or the same as a map."""


@dataclass(frozen=True)
class TrainerSchema:
    """`trainer`: what Lightning is told, and the threads of a cell.

    No precision whose weights have 8 bits: sums over images and averages over steps would stop moving in them.
    """

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: Count | Literal["auto"] = 1
    num_nodes: Count = 1
    strategy: Literal["auto", "ddp"] = "auto"
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "64-true"] = "32-true"
    channels_last: bool = True
    compile: bool = False
    sync_batchnorm: bool = False
    accumulate: Count = 1
    clip: Annotated[float, Bound("above", 0)] | None = None
    deterministic: bool = True
    threads: Count | Literal["auto"] = "auto"
    max_time: str | int | None = None
    train_eval_images: Annotated[int, Bound("at least", 0)] | Literal["auto"] = 0
    keep_checkpoints: Literal["all", "best", "last", "none"] = "all"


@dataclass(frozen=True)
class GridSchema:
    """`grid`: how the cells of one command share the machine. Not part of a cell."""

    slots: Count | Literal["auto"] = "auto"
    gpus_per_cell: Count | Literal["auto"] = "auto"
    cells_per_gpu: Count = 1
    wait: Literal["auto", "spin", "passive"] = "auto"
    retry: Literal["none", "failed"] = "none"
    stop_on: Literal["never", "failure"] = "never"
    force: bool = False
    plan: bool = False
    tflops: Annotated[float, Bound("above", 0)] = 20.0
    start: Literal["auto", "fork", "spawn"] = "auto"
    frozen: bool = False
    zip: list[str] | list[list[str]] | None = None
    exclude: list[Rule] | str | None = None


@dataclass(frozen=True)
class LauncherSchema:
    """`hydra.launcher` of `submitit_slurm` and `submitit_local`, which has some of these, and may have others of submitit's."""

    timeout_min: Count
    max_num_timeout: Annotated[int, Bound("at least", 0)]
    gpus_per_node: Annotated[int, Bound("at least", 0)] | Literal["auto"]
    cpus_per_task: Count
    mem_gb: Annotated[float, Bound("above", 0)] | None
    slurm_partition: str | int | None
    slurm_account: str | int | None
    slurm_qos: str | int | None
    slurm_constraint: str | int | None
    slurm_signal_delay_s: Count
    slurm_setup: list[str] | None


@dataclass(frozen=True)
class ResolutionSchema:
    """`resolution`: pixels, height and width."""

    size: Annotated[int, Bound("at least", 8)]


@dataclass(frozen=True)
class RecipeSchema:
    """`recipe` without its optimizer and schedule, which are nodes with a `_target_`."""

    epochs: Count
    batch_size: Count
    label_smoothing: Annotated[float, Bound("at least", 0), Bound("below", 1)] = 0.0
    class_weights: Literal["none", "balanced"] = "none"
    head_lr_scale: Annotated[float, Bound("above", 0)] = 1.0
    mixup: Annotated[float, Bound("at least", 0)] = 0.0
    cutmix: Annotated[float, Bound("at least", 0)] = 0.0
    ema: Share | None = None
    patience: Count | None = None
    init: Literal["timm", "keras"] = "timm"
    batch_norm: Literal["timm", "keras"] = "timm"
    structure: Literal["timm", "keras"] = "timm"


@dataclass(frozen=True)
class DatasetSchema:
    """The keys that every dataset has, beside the settings of its `_target_`.

    A dataset whose own settings have `classes`, as `layouts`, gives that key its own meaning.
    """

    name: str
    resolution: Count
    test_fraction: Share = 0.2
    val_fraction: Share = 0.1
    split_seed: Annotated[int, Bound("at least", 0)] = 0
    fold: Annotated[int, Bound("at least", 0)] | None = None
    folds: Annotated[int, Bound("at least", 2)] = 5
    classes: Annotated[int, Bound("at least", 2)] | None = None
    classes_seed: Annotated[int, Bound("at least", 0)] = 0
    workers: Annotated[int, Bound("at least", 0)] | Literal["auto"] = "auto"
    on_leak: Literal["warn", "error"] = "warn"
    fingerprint: Literal["contents", "listing"] = "contents"
    cache: Literal["auto", "on", "off", "reduced"] = "auto"
    features: Literal["auto", "on", "off", "fp16"] = "auto"
    cache_dir: str | None = None
    views: Count | None = None


@dataclass(frozen=True)
class NameSchema:
    """`backbone` and `head`, beside the settings of their `_target_`: how directories, tables and W&B call a choice."""

    name: str


@dataclass(frozen=True)
class RootSchema:
    """The keys at the top that are not groups."""

    study: str
    seed: Annotated[int, Bound("at least", 0)]
    protocol: Literal["holdout", "paper"]
    output_dir: str
    replicate: Annotated[int, Bound("at least", 0)] | None = None


SCHEMAS: dict[str, type] = {
    "": RootSchema,
    "backbone": NameSchema,
    "head": NameSchema,
    "dataset": DatasetSchema,
    "resolution": ResolutionSchema,
    "recipe": RecipeSchema,
    "trainer": TrainerSchema,
}
"""Of a cell's configuration, by the name of the node whose fixed keys it tells; empty for the top."""

MOVED = {"recipe.head_init": ("normal", "head.init")}
"""Keys that cells had once: at this value, the only one that most of them had, they mean what a configuration without the key
means; any other is given by the key that came in its place."""


def moved_sentence(path: str, value: object = "torch") -> str:
    """Where a key of `MOVED` has gone: `recipe.head_init is a setting of the head now: head.init=torch`."""
    return f"{path} is a setting of the head now: {MOVED[path][1]}={value}"


DATASET_KEYS = tuple(field.name for field in fields(DatasetSchema))
ROOT_KEYS = tuple(field.name for field in fields(RootSchema))


def fixed_settings(path: str) -> dict[str, Setting]:
    """The keys that a node has whatever its `_target_`; none where it has no schema."""
    return schema_settings(SCHEMAS[path]) if path in SCHEMAS else {}
