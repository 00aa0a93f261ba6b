"""What a card says of data, measurements and their limits."""

from __future__ import annotations

from wisesr.inference.exporting.markdown import plain, table
from wisesr.inference.run import Run
from wisesr.wording import count_of, percent, some_of

_SHOWN = 10


def data_lines(run: Run) -> list[str]:
    """Which images, how many, and what is wrong with them."""
    data = run.record.provenance.data
    counts = ", ".join(f"{count:,} {split}" for split, count in data.images.items())
    lines = [
        f"- dataset {plain(run.labels.dataset)}: {counts} images",
        f"- fingerprint {data.fingerprint}",
    ]
    if data.left_out:
        lines.append(f"- {count_of(len(data.left_out), 'unreadable image')} left out")
    for split, names in data.absent.items():
        lines.append(f"- no {split} image of {some_of([plain(name) for name in names], _SHOWN)}: macro F1 leaves them out")
    for pair, count in data.shared.items():
        lines.append(f"- **shared between splits: {count_of(count, 'image')} ({pair}): what is measured on these is memory**")
    return lines


def figure_lines(run: Run) -> list[str]:
    """Of the chosen epoch, on the test split."""
    best, size = run.record.best, run.config["resolution"]["size"]
    named = [
        ("top-1, %", "top1"),
        ("top-5, %", "top5"),
        ("macro F1, %", "macro_f1"),
        ("expected calibration error, %", "ece"),
        ("loss", "loss"),
    ]
    rows = [
        (name, _number(key, best.row[f"test/{key}"]), _number(key, best.row.get(f"val/{key}")))
        for name, key in named
        if f"test/{key}" in best.row
    ]
    test, val = (run.record.provenance.data.images.get(split, 0) for split in ("test", "val"))
    held = f"held-out, {val:,} images" if val else "held-out"
    return [
        *table(("", f"test, {count_of(test, 'image')}", held), rows),
        "",
        f"Of epoch {best.epoch}, at {size} px, protocol `{run.record.protocol}`. Selected by: {run.record.selection}.",
    ]


def _number(key: str, value: float | None) -> str:
    """Shares in percent; the loss as it is."""
    return "" if value is None else f"{value:.4f}" if key == "loss" else percent(value)


def limit_lines(run: Run) -> list[str]:
    """What the figures do not say."""
    record, trained = run.record, run.config["resolution"]["size"]
    lines = [
        f"- One seed ({run.labels.seed}): how far another one would be from these figures is not known from this run.",
        "- The test images are of the same dataset as the training images. Pictures from elsewhere, rare conditions, groups "
        "of people or places, and robustness to changes of the picture were not measured.",
        "- The answer is always one of the classes above, also for a picture of something else. Probabilities are the softmax "
        "of the logits as trained, not calibrated afterwards.",
    ]
    if record.protocol == "paper":
        lines.insert(0, "- The epoch was chosen on the test images: the test figures are too high for new pictures.")
    if run.image_size != trained:
        lines.insert(
            0,
            f"- **The file takes {run.image_size} px, and the model was trained and measured at {trained} px: the figures "
            "above do not hold for it.** Weights that belong to positions were resized.",
        )
    precision = run.config["trainer"]["precision"]
    if precision != "32-true":
        lines.append(
            f"- Figures were measured in precision {precision}; the file computes in float32, and may differ a little."
        )
    return lines
