"""What differs beyond the axes of a table, in sentences that name the values and the cells."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.config.axes import leaves
from wisesr.report.code_sentences import code_notes, code_warnings
from wisesr.report.divided import DIVIDING, devices_notes, devices_unlike
from wisesr.report.head_options import arithmetic_of
from wisesr.report.kept_maps import maps_notes
from wisesr.report.placement import is_execution
from wisesr.report.scores import Scoring
from wisesr.report.study import ReportCell
from wisesr.report.unlike import ABSENT, SHOWN, ReadRecord, compared, names, text_of, unlike
from wisesr.results.record import DataProvenance, Record
from wisesr.wording import count_of, some_of

_ASIDE = {"wisesr", "wandb", "hydra-core"}
"""Versions that decide no number: code of wisesr is compared by its files, and loggers and Hydra change none."""


def table_warnings(cells: Sequence[ReportCell]) -> list[str]:
    """What all finished cells of a table must share and do not; in red."""
    warnings = [unlike(f"Not the same version of {name}", cells, _version(name)) for name in _packages(cells) - _ASIDE]
    warnings += code_warnings(cells)
    warnings.append(unlike("Epochs were not chosen in the same way", cells, lambda record: record.selection))
    warnings += sorted({_memory(cell.finished_record.provenance.data) for cell in cells})
    if blind := [cell for cell in cells if cell.finished_record.cost.feature_map[1:] == (1, 1)]:
        cells_had = f"{count_of(len(blind), 'cell')} had"
        warnings.append(f"No head can tell where a feature fires on a feature map of 1x1, as {cells_had}: {names(blind)}.")
    return sorted(sentence for sentence in warnings if sentence)


def learning_warnings(cells: Sequence[ReportCell], scoring: Scoring) -> list[str]:
    """Heads whose models say the same of nearly every test image; in red: what is compared then is chance."""
    by_head: dict[str, list[bool]] = {}
    for cell in cells:
        scores = scoring(cell)
        by_head.setdefault(cell.place.head, []).append(not isinstance(scores, str) and scores.one_answer)
    found = [f"{head} {sum(own)} of {len(own)}" for head, own in sorted(by_head.items()) if any(own)]
    if not found:
        return []
    return [
        f"Cells that answer nearly every test image with one class, and have learned nothing to compare: {', '.join(found)}."
    ]


def _memory(data: DataProvenance) -> str:
    """What is to be said of test images that were trained on; empty where there are none."""
    count, total = data.shared.get("test in train", 0), data.images["test"]
    if not count:
        return ""
    share = f"{100 * count / total:.1f} %"
    return f"{count:,} of the {total:,} test images ({share}) are also training images: what is measured on them is memory."


def group_warnings(cells: Sequence[ReportCell]) -> list[str]:
    """What the finished cells of one backbone and settings must share and do not; in red."""
    warnings = [
        unlike("images were not normalised in the same way", cells, lambda record: record.provenance.inputs),
        unlike("not the same initial weights", cells, lambda record: record.provenance.weights),
        unlike("not the same number of training images", cells, lambda record: record.provenance.data.images["train"]),
        unlike("not the same budget", [cell for cell in cells if not _out_of_patience(cell)], _budget),
    ]
    for key, values in (_execution(cells) | devices_unlike(cells)).items():
        if _by_head(cells, values):
            warnings.append(compared(f"the heads of one seed differ in {key}", cells, values))
    return [sentence for sentence in warnings if sentence]


def table_notes(cells: Sequence[ReportCell]) -> list[str]:
    """What a reader should know of a table's finished cells."""
    hardware = sorted({name for cell in cells for name in cell.finished_record.provenance.hardware})
    differing = [compared(f"Not the same {key}", cells, values) for key, values in _execution(cells).items()]
    differing += [unlike(f"Not the same {name}", cells, _hardware(name)) for name in hardware]
    differing.append(unlike("Not the same number of threads", cells, lambda record: record.provenance.threads))
    known = [cell for cell in cells if arithmetic_of(cell.config["head"]) is not None]
    differing.append(
        compared("Not the same head.arithmetic", known, [str(arithmetic_of(cell.config["head"])) for cell in known])
    )
    notes = [f"{sentence} Last bits, and times, may differ for it." for sentence in differing if sentence]
    notes += [*devices_notes(cells), *maps_notes(cells), *code_notes(cells)]
    notes += sorted(unlike(f"Not the same version of {name}", cells, _version(name)) for name in _packages(cells) & _ASIDE)
    if absent := sorted({name for cell in cells for name in cell.finished_record.provenance.data.absent.get("test", ())}):
        notes.append(f"The test split has no image of some classes, which macro F1 leaves out: {some_of(absent, SHOWN)}.")
    if unread := sorted({image for cell in cells for image in cell.finished_record.provenance.data.left_out}):
        notes.append(f"Images that could not be read were left out of all cells: {some_of(unread, SHOWN)}.")
    if early := [cell for cell in cells if _out_of_patience(cell)]:
        notes.append(f"By the rule of recipe.patience, training ended before its last epoch in {names(early)}.")
    return [sentence for sentence in [*notes, _still_learning(cells)] if sentence]


def _still_learning(cells: Sequence[ReportCell]) -> str:
    """Heads most of whose cells were best at the end of a training that nothing ended early."""
    best_at_end: dict[str, list[bool]] = {}
    for cell in cells:
        record = cell.finished_record
        at_end = record.best.epoch >= record.budget.trained_epochs > 1
        best_at_end.setdefault(cell.place.head, []).append(at_end and not record.budget.stopped)
    counts = [(head, sum(answers), len(answers)) for head, answers in sorted(best_at_end.items())]
    heads = [f"{head} {count} of {cells_of_head}" for head, count, cells_of_head in counts if 2 * count > cells_of_head]
    if not heads:
        return ""
    return f"Cells that were best after their last epoch, and may not have finished learning: {', '.join(heads)}."


def _packages(cells: Sequence[ReportCell]) -> set[str]:
    return {name for cell in cells for name in cell.finished_record.provenance.versions}


def _version(package: str) -> ReadRecord:
    return lambda record: record.provenance.versions.get(package)


def _hardware(name: str) -> ReadRecord:
    return lambda record: record.provenance.hardware.get(name)


def _execution(cells: Sequence[ReportCell]) -> dict[str, list[str]]:
    """Keys that say how a cell is computed and that vary: the value of each cell."""
    values = [
        {key: text_of(value) for key, value in leaves({"trainer": cell.config["trainer"]}).items() if is_execution(key)}
        for cell in cells
    ]
    keys = sorted({key for of_cell in values for key in of_cell} - {"trainer.threads", *DIVIDING})
    by_key = {key: [of_cell.get(key, ABSENT) for of_cell in values] for key in keys}
    return {key: texts for key, texts in by_key.items() if len(set(texts)) > 1}


def _by_head(cells: Sequence[ReportCell], values: Sequence[str]) -> bool:
    """Whether a seed's heads differ in it, so that a difference between heads may be one of it."""
    seen: dict[int, set[str]] = {}
    for cell, value in zip(cells, values, strict=True):
        seen.setdefault(cell.place.seed, set()).add(value)
    return any(len(own) > 1 for own in seen.values())


def _budget(record: Record) -> str:
    budget = record.budget
    stopped = f", then {budget.stopped}" if budget.stopped else ""
    return f"{budget.trained_epochs} epochs of {budget.steps} steps in all{stopped}"


def _out_of_patience(cell: ReportCell) -> bool:
    """Whether a rule that is the same for all heads of the group ended training: their epochs then differ as they should."""
    return cell.finished_record.budget.stopped == "patience"
