"""A model card, in Markdown: what a file is, what it was trained on, what was measured, and what nobody knows.

The sections are those of Mitchell et al. 2019, https://arxiv.org/abs/1810.03993, as far as a run's record has something to
say. Nothing of the machine's name or folders is in it.
"""

from __future__ import annotations

import inspect

from torch import nn

from wisesr import __version__
from wisesr.inference.exporting.card_figures import data_lines, figure_lines, limit_lines
from wisesr.inference.exporting.card_use import use_lines
from wisesr.inference.exporting.formats import Format
from wisesr.inference.exporting.licence import licence
from wisesr.inference.exporting.markdown import plain, table
from wisesr.inference.exporting.trial import Checked
from wisesr.inference.run import Run
from wisesr.wording import count_of, some_of

_SHOWN = 100
"""Class names that are written out."""


def model_card(run: Run, file: str, format: Format, checked: Checked, *, inside: bool) -> str:
    """The card of a file.

    Args:
        run: that was exported.
        file: its name.
        format: its format.
        checked: how it passed.
        inside: whether the file normalises.
    """
    sections = [
        (f"# {file}", _summary(run, format, inside=inside)),
        ("## Use", use_lines(run, file, format, checked, inside=inside)),
        ("## Data", data_lines(run)),
        ("## Figures", figure_lines(run)),
        ("## Training", _training(run)),
        ("## Cost", _cost(run)),
        ("## Licence of the weights", [licence(run)]),
        ("## Limits", limit_lines(run)),
        ("## Provenance", _provenance(run, checked, format)),
    ]
    return "\n".join(line for title, lines in sections for line in (title, "", *lines, "")).rstrip() + "\n"


def _summary(run: Run, format: Format, *, inside: bool) -> list[str]:
    labels, size = run.labels, run.image_size
    model = run.config["backbone"].get("model")
    backbone = labels.backbone if model in (None, labels.backbone) else f"{labels.backbone} ({model})"
    shape = f"(batch, 3, {size}, {size})"
    fed = f"uint8, RGB, {shape}: pixels, normalised inside" if inside else f"float32, {shape}: pixels, normalised as below"
    answers = " and ".join(f"`{name}`" for name in format.outputs)
    return [
        f"An image classifier: {backbone} with the head `{labels.head}`, {count_of(len(run.class_names), 'class', 'classes')}, "
        f"{size} px.",
        "",
        *table(
            ("", ""),
            [
                ("head", _first_sentence(run.model.head)),
                ("input `images`", fed),
                (f"output {answers}", f"float32, (batch, {len(run.class_names)})"),
                ("classes, in the order of the logits", some_of([plain(name) for name in run.class_names], _SHOWN)),
                ("format", " ".join([format.name, *(f"{name} {value}" for name, value in format.about().items())])),
            ],
        ),
    ]


def _first_sentence(head: nn.Module) -> str:
    """What its class says that it is."""
    return plain(" ".join((inspect.getdoc(type(head)) or "not described").split()).partition(". ")[0].removesuffix("."))


def _training(run: Run) -> list[str]:
    recipe, budget, record = run.config["recipe"], run.record.budget, run.record
    optimizer, schedule = (recipe[name]["_target_"].rpartition(".")[2] for name in ("optimizer", "schedule"))
    numbers = ", ".join(f"{name} {value}" for name, value in recipe["optimizer"].items() if name != "_target_")
    ended = f", ended early: {budget.stopped}" if budget.stopped else ""
    said = {
        "label smoothing": recipe["label_smoothing"] or None,
        "class weights": None if recipe["class_weights"] == "none" else recipe["class_weights"],
        "mixup": recipe["mixup"] or None,
        "cutmix": recipe["cutmix"] or None,
        "moving average of the weights": recipe["ema"],
        "backbone frozen:": run.config["backbone"].get("freeze"),
    }
    settings = [f"{name} {value}" for name, value in said.items() if value is not None]
    augment = run.config["augment"]
    augmented = ", ".join(f"{name} {value}" for name, value in augment.items() if name != "_target_")
    return [
        f"- {budget.trained_epochs} of {count_of(budget.epochs, 'epoch')} in {count_of(budget.steps, 'step')} of "
        f"{recipe['batch_size']} images, seed {run.labels.seed}, precision {run.config['trainer']['precision']}{ended}",
        f"- {optimizer} ({numbers}), schedule {schedule}" + "".join(f", {text}" for text in settings),
        f"- augmentation {augment['_target_'].rpartition('.')[2]}" + (f" ({augmented})" if augmented else ""),
        f"- the backbone started {_start(record.provenance.weights.get('source'))}",
    ]


def _start(source: object) -> str:
    if source is None:
        return "at random"
    return {"imagenet": "from timm's pretrained weights", "package": "from ImageNet weights of a package"}.get(
        str(source), "from the weights of a file"
    )


def _cost(run: Run) -> list[str]:
    cost, size = run.record.cost, run.config["resolution"]["size"]
    rows = [(part, f"{getattr(cost.parameters, part):,}", _flops(getattr(cost.flops, part))) for part in ("backbone", "head")]
    return [
        *table(("", "parameters", f"FLOPs of one image of {size} px"), rows),
        "",
        f"A multiply-add counts as two. Training took {cost.train_seconds / 60:,.1f} minutes "
        f"({run.record.provenance.hardware.get('device', 'unknown device')}, "
        f"{run.record.provenance.hardware.get('cpu', 'unknown processor')}).",
    ]


def _flops(count: float | None) -> str:
    return "not counted" if count is None else f"{count:,.0f}"


def _commit(commit: str | None) -> str:
    if commit is None:
        return "commit unknown"
    name, dirty, _ = commit.partition("-dirty")
    return f"commit {name}" + (" with changes that were not committed" if dirty else "")


def _provenance(run: Run, checked: Checked, format: Format) -> list[str]:
    made = run.record.provenance
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items() if version)
    apart = ", ".join(
        f"{checked.differences[trial.what]:.1e} on {trial.what} (largest logit: {trial.logits.abs().max().item():.3g})"
        for trial in checked.trials
    )
    return [
        f"- run: study {plain(run.labels.study)}, fingerprint {run.record.fingerprint}",
        f"- trained: finished {made.finished}, {_commit(made.commit)}; {versions}; {made.hardware.get('system', '')}",
        f"- exported by wisesr {__version__}, and checked with {format.runtime}: its logits differ from the run's, computed "
        f"without mixed precision, by at most {apart}; allowed was {checked.tolerance:.0e}, times the "
        "largest logit where that is above 1",
    ]
