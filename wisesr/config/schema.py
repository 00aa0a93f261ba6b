"""The fixed keys of the configuration and what each may hold. Every key stands in the YAML, so all are required. No torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from wisesr.config.signatures import Above, AtLeast, Below

Config = dict[str, Any]
"""Of one cell, as plain data: what `config.yaml` holds."""

Count = Annotated[int, AtLeast(1)]
Share = Annotated[float, Above(0), Below(1)]


class TrainerSchema(TypedDict):
    """`trainer`: what Lightning is told, and the threads of a cell.

    No precision whose weights have 8 bits: sums over images and averages over steps would stop moving in them.
    """

    accelerator: Literal["auto", "cpu", "gpu"]
    devices: Count | Literal["auto"]
    num_nodes: Count
    strategy: Literal["auto", "ddp"]
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "64-true"]
    channels_last: bool
    compile: bool
    accumulate: Count
    clip: Annotated[float, Above(0)] | None
    deterministic: bool
    threads: Count | Literal["auto"]
    max_time: str | int | None


class GridSchema(TypedDict):
    """`grid`: how the cells of one command share the machine. Not part of a cell."""

    slots: Count | Literal["auto"]
    gpus_per_cell: Count | Literal["auto"]
    cells_per_gpu: Count
    retry: Literal["none", "failed"]
    force: bool
    plan: bool


class ResolutionSchema(TypedDict):
    """`resolution`: pixels, height and width."""

    size: Annotated[int, AtLeast(8)]


class RecipeSchema(TypedDict):
    """`recipe` without its optimizer and schedule."""

    epochs: Count
    batch_size: Count
    label_smoothing: Annotated[float, AtLeast(0), Below(1)]
    class_weights: Literal["none", "balanced"]
    head_lr_scale: Annotated[float, Above(0)]
    mixup: Annotated[float, AtLeast(0)]
    cutmix: Annotated[float, AtLeast(0)]
    ema: Share | None
    patience: Count | None
    init: Literal["timm", "keras"]
    batch_norm: Literal["timm", "keras"]
    structure: Literal["timm", "keras"]
    head_init: Literal["normal", "torch"]


class DatasetSchema(TypedDict):
    """The keys that every dataset has, beside the settings of its `_target_`."""

    name: str
    resolution: Count
    test_fraction: Share
    val_fraction: Share
    split_seed: Annotated[int, AtLeast(0)]
    workers: Annotated[int, AtLeast(0)] | Literal["auto"]


DATASET_KEYS = tuple(DatasetSchema.__annotations__)


class RootSchema(TypedDict):
    """The keys at the top that are not groups."""

    study: str
    seed: Annotated[int, AtLeast(0)]
    protocol: Literal["holdout", "paper"]
    output_dir: str


class Name(TypedDict):
    """How directories, tables and W&B call a choice."""

    name: str
