"""Settings of `python train.py` and what they may hold, written by hand from the comments in `conf/`, not from the schema."""

from __future__ import annotations

GROUPS = ("backbone", "head", "dataset", "resolution", "recipe", "augment", "trainer", "logger")
TOP = ("study", "seed", "replicate", "protocol", "output_dir", "grid", "experiment", *GROUPS)

OPTIONS = {
    "backbone": ("resnet18", "resnet50", "densenet201", "efficientnet_lite0", "timm", "swin_tiny", "mobilenetv2"),
    "head": ("wise", "gap", "gem", "flatten", "depthwise", "attention", "wise_average", "avgmax"),
    "dataset": ("digits", "folder", "layouts", "intel", "mit_indoor", "huggingface", "torchvision", "arrays"),
    "resolution": ("auto", "64", "112", "128", "224", "512"),
    "recipe": ("quick", "paper", "modern", "modern_sgd"),
    "augment": ("none", "standard", "paper"),
    "trainer": ("auto", "cpu", "gpu", "ddp"),
    "logger": ("wandb", "none", "csv", "tensorboard"),
    "experiment": ("quickstart", "paper_intel", "size", "classes", "lr_by_head"),
}
"""Some of each group's, or all."""

COUNTS = (
    "recipe.epochs",
    "recipe.batch_size",
    "trainer.accumulate",
    "trainer.num_nodes",
    "grid.cells_per_gpu",
    "dataset.resolution",
)
"""Whole numbers, at least 1."""

WHOLE = ("seed", "dataset.split_seed", "dataset.classes_seed", "head.arithmetic")
"""Whole numbers."""

NUMBERS = ("recipe.mixup", "recipe.cutmix", "recipe.label_smoothing", "recipe.head_lr_scale", "recipe.optimizer.lr")
NUMBERS += ("recipe.optimizer.weight_decay", "recipe.schedule.warmup", "head.dropout", "dataset.val_fraction", "grid.tflops")
NUMBERS += ("dataset.test_fraction", "logger.wandb.init_timeout")
"""Numbers, none of them null."""

YES_OR_NO = ("trainer.deterministic", "trainer.channels_last", "trainer.compile", "trainer.sync_batchnorm")
YES_OR_NO += ("grid.force", "grid.plan", "head.learnable", "logger.wandb.media")

WORDS = {
    "protocol": "holdout",
    "recipe.init": "keras",
    "recipe.class_weights": "balanced",
    "recipe.batch_norm": "keras",
    "recipe.structure": "keras",
    "head.non_negative": "softplus",
    "head.pre_pool_mode": "ceil",
    "head.init": "torch",
    "trainer.accelerator": "cpu",
    "trainer.precision": "16-mixed",
    "trainer.keep_checkpoints": "best",
    "trainer.strategy": "ddp",
    "dataset.on_leak": "error",
    "dataset.fingerprint": "listing",
    "dataset.cache": "reduced",
    "dataset.features": "fp16",
    "augment.resize": "squash",
    "grid.wait": "passive",
    "grid.retry": "failed",
    "grid.start": "spawn",
    "recipe.optimizer.weight_decay_on": "weights",
}
"""One of some words; one of them for each."""

TEXTS = ("study", "output_dir", "backbone.model", "head.name", "backbone.name", "dataset.name", "logger.wandb.project")
"""Texts."""

KEYS = (*COUNTS, *WHOLE, *NUMBERS, *YES_OR_NO, *WORDS, *TEXTS)

OUT_OF_RANGE = {
    "recipe.epochs": ("0", "-1", "-100"),
    "recipe.batch_size": ("0", "-32"),
    "recipe.label_smoothing": ("1", "1.5", "-0.1"),
    "recipe.mixup": ("-0.2", "-1e-9"),
    "recipe.cutmix": ("-1",),
    "recipe.head_lr_scale": ("0", "-1", "0.0"),
    "recipe.ema": ("0", "1", "1.5", "-0.999"),
    "recipe.patience": ("0", "-1", "2.5"),
    "dataset.val_fraction": ("0", "1", "1.0", "2", "-0.1", "10"),
    "dataset.test_fraction": ("0", "1", "20", "-0.2"),
    "dataset.fold": ("-1", "0.5"),
    "dataset.folds": ("1", "0", "-5"),
    "dataset.classes": ("1", "0", "-3"),
    "dataset.workers": ("-1", "-8"),
    "dataset.views": ("0", "-2"),
    "dataset.split_seed": ("-1",),
    "seed": ("-1", "-42", "0.5"),
    "replicate": ("-1", "1.5"),
    "resolution.size": ("0", "7", "-224", "1", "224.5"),
    "trainer.accumulate": ("0", "-2"),
    "trainer.clip": ("0", "-1"),
    "trainer.devices": ("0", "-1"),
    "trainer.num_nodes": ("0",),
    "trainer.threads": ("0", "-4"),
    "trainer.train_eval_images": ("-1",),
    "grid.slots": ("0", "-1", "1.5"),
    "grid.cells_per_gpu": ("0",),
    "grid.tflops": ("0", "-20"),
    "backbone.output_stride": ("4", "0", "31"),
}

NOT_LESS = (
    "recipe",
    "trainer",
    "resolution",
    "dataset",
    "study",
    "seed",
    "protocol",
    "output_dir",
    "recipe.epochs",
    "head.name",
)
NOT_LESS += (
    "recipe.batch_size",
    "recipe.optimizer",
    "recipe.schedule",
    "trainer.devices",
    "trainer.precision",
    "head",
    "backbone",
)
NOT_LESS += ("resolution.size", "dataset.name", "dataset.val_fraction", "grid.slots", "grid", "augment", "logger", "replicate")
NOT_LESS += ("head._target_", "backbone._target_", "dataset._target_", "recipe.optimizer._target_", "backbone.name")
"""What no configuration may lack."""
