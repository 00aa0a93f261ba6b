"""What differs beyond the axes of a table, in sentences that name the values and the cells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wisesr.config.axes import leaves
from wisesr.report.places import is_execution
from wisesr.report.study import Place, ReportCell

_SHOWN = 4
"""Cells named in a sentence."""
_ABSENT = "none"
_ASIDE = {"wisesr", "wandb", "hydra-core"}
"""Versions that decide no number: code of wisesr is told by its source, and loggers and Hydra change none."""

Read = Callable[[Mapping[str, Any]], Any]


def table_warnings(cells: Sequence[ReportCell]) -> list[str]:
    """What all cells of a table must share and do not; in red.

    Args:
        cells: finished ones, of a table.
    """
    found = [_unlike(f"Not the same version of {name}", cells, _version(name)) for name in _packages(cells) - _ASIDE]
    if len({_record(cell)["provenance"]["source"] for cell in cells}) > 1:
        found.append(_unlike("Not the same code of wisesr", cells, _code))
    edited = [cell for cell in cells if len(set(_record(cell)["provenance"]["sources"])) > 1]
    if edited:
        found.append(f"The code of wisesr was changed between the attempts of {_names(edited)}.")
    found.append(_unlike("Epochs were not chosen in the same way", cells, lambda record: record["selection"]))
    if blind := [cell for cell in cells if _one_place(cell)]:
        found.append(
            f"No head can tell where a feature fires on a feature map of 1x1, as {_cells(blind)} had: {_names(blind)}."
        )
    return sorted(sentence for sentence in found if sentence)


def group_warnings(cells: Sequence[ReportCell]) -> list[str]:
    """What the cells of one backbone and settings must share and do not; in red.

    Args:
        cells: finished ones, of the group.
    """
    found = [
        _unlike("images were not normalised in the same way", cells, lambda record: _part(record, "inputs")),
        _unlike("not the same initial weights", cells, lambda record: _part(record, "weights")),
        _unlike("not the same number of training images", cells, lambda record: _part(record, "data")["images"]["train"]),
        _unlike("not the same budget", [cell for cell in cells if not _out_of_patience(cell)], _budget),
    ]
    for key, values in _execution(cells).items():
        if _by_head(cells, values):
            found.append(_told(f"the heads of one seed have different values of {key}", cells, values))
    return [sentence for sentence in found if sentence]


def table_notes(cells: Sequence[ReportCell]) -> list[str]:
    """What a reader should know of a table's cells.

    Args:
        cells: finished ones, of a table.
    """
    hardware = sorted({name for cell in cells for name in _part(_record(cell), "hardware")})
    unlike = [_told(f"Not the same {key}", cells, values) for key, values in _execution(cells).items()]
    unlike += [_unlike(f"Not the same {name}", cells, _hardware(name)) for name in hardware]
    unlike.append(_unlike("Not the same number of threads", cells, lambda record: record["provenance"]["threads"]))
    found = [f"{sentence} Last bits, and times, may differ for it." for sentence in unlike if sentence]
    found += sorted(_unlike(f"Not the same version of {name}", cells, _version(name)) for name in _packages(cells) & _ASIDE)
    unread = sorted({image for cell in cells for image in _part(_record(cell), "data")["left_out"]})
    if unread:
        more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        found.append(f"Images that could not be read were left out of all cells: {', '.join(unread[:_SHOWN])}{more}.")
    if early := [cell for cell in cells if _out_of_patience(cell)]:
        found.append(f"By the rule of recipe.patience, training ended before its last epoch in {_names(early)}.")
    return [sentence for sentence in [*found, _still_learning(cells)] if sentence]


def _one_place(cell: ReportCell) -> bool:
    """Whether its feature map has one place. Older records do not tell."""
    shape = _record(cell)["cost"].get("feature_map")
    return isinstance(shape, list) and shape[1:] == [1, 1]


def _still_learning(cells: Sequence[ReportCell]) -> str:
    """Heads most of whose cells were best at the end of a training that nothing ended early."""
    having: dict[str, list[bool]] = {}
    for cell in cells:
        record = _record(cell)
        last = record["metrics"]["best"]["epoch"] >= record["budget"]["trained_epochs"] > 1
        having.setdefault(cell.place.head, []).append(last and not record["budget"]["stopped"])
    heads = [f"{head} {sum(its)} of {len(its)}" for head, its in sorted(having.items()) if 2 * sum(its) > len(its)]
    if not heads:
        return ""
    return f"Cells that were best after their last epoch, and may not have finished learning: {', '.join(heads)}."


def _packages(cells: Sequence[ReportCell]) -> set[str]:
    return {name for cell in cells for name in _part(_record(cell), "versions")}


def _version(name: str) -> Read:
    return lambda record: _part(record, "versions").get(name)


def _hardware(name: str) -> Read:
    return lambda record: _part(record, "hardware").get(name)


def _code(record: Mapping[str, Any]) -> str:
    """By what a user can look up, the commit; and by the hash of the source, which alone decides whether it is the same."""
    provenance = record["provenance"]
    return f"commit {_short(provenance['commit'] or 'unknown')} (source {provenance['source'][:8]})"


def _short(commit: str) -> str:
    return re.sub(r"\b([0-9a-f]{10})[0-9a-f]{30}\b", r"\1", commit)


def _execution(cells: Sequence[ReportCell]) -> dict[str, list[str]]:
    """Keys that say how a cell is computed and that vary: the value of each cell."""
    values = [
        {key: _text(value) for key, value in leaves({"trainer": cell.config["trainer"]}).items() if is_execution(key)}
        for cell in cells
    ]
    keys = sorted({key for one in values for key in one} - {"trainer.threads"})
    found = {key: [one.get(key, _ABSENT) for one in values] for key in keys}
    return {key: own for key, own in found.items() if len(set(own)) > 1}


def _by_head(cells: Sequence[ReportCell], values: Sequence[str]) -> bool:
    """Whether a seed's heads differ in it, so that a difference between heads may be one of it."""
    seen: dict[int, set[str]] = {}
    for cell, value in zip(cells, values, strict=True):
        seen.setdefault(cell.place.seed, set()).add(value)
    return any(len(own) > 1 for own in seen.values())


def _unlike(what: str, cells: Sequence[ReportCell], read: Read) -> str:
    """A sentence with each value of a record and its cells; empty where all have one."""
    return _told(what, cells, [_text(read(_record(cell))) for cell in cells])


def _told(what: str, cells: Sequence[ReportCell], values: Sequence[str]) -> str:
    """A sentence with each value and its cells, the rarer ones named; empty where there is one value.

    `what: 2.14.1 in 18 cells, 2.13.0 in 2 (resnet18 wise seed 3, resnet18 wise seed 4).`
    """
    having: dict[str, list[ReportCell]] = {}
    for cell, value in zip(cells, values, strict=True):
        having.setdefault(value, []).append(cell)
    if len(having) < 2:
        return ""
    (most, first), *others = sorted(having.items(), key=lambda item: (-len(item[1]), item[0]))
    parts = [f"{most} in {_cells(first)}"] + [f"{text} in {len(own)} ({_names(own)})" for text, own in others]
    return f"{what}: {', '.join(parts)}."


def _cells(cells: Sequence[ReportCell]) -> str:
    return f"{len(cells)} cell{'s' * (len(cells) > 1)}"


def _names(cells: Iterable[ReportCell]) -> str:
    """`resnet18 wise seed 3, ...`: the first few of them, and how many more."""
    names = [called(cell.place) for cell in cells]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def called(place: Place) -> str:
    """A cell within its table: `resnet18 wise lr=0.1 seed 3`."""
    return " ".join(part for part in (place.backbone, place.settings, place.head, place.rate, f"seed {place.seed}") if part)


def _record(cell: ReportCell) -> Mapping[str, Any]:
    assert cell.record is not None
    return cell.record


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = record["provenance"][name]
    return part


def _budget(record: Mapping[str, Any]) -> str:
    budget = record["budget"]
    stopped = f", then {budget['stopped']}" if budget["stopped"] else ""
    return f"{budget['trained_epochs']} epochs of {budget['steps']} steps in all{stopped}"


def _out_of_patience(cell: ReportCell) -> bool:
    """Whether a rule that is the same for all heads of the group ended training: their epochs then differ as they should."""
    return bool(_record(cell)["budget"]["stopped"] == "patience")


def _text(value: object) -> str:
    """Short; hashes by their first digits."""
    if value is None:
        return _ABSENT
    if isinstance(value, Mapping):
        known = {name: one for name, one in value.items() if one is not None}
        return ", ".join(f"{name} {_text(one)}" for name, one in known.items()) or _ABSENT
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    text = value if isinstance(value, str) else json.dumps(value)
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b", r"\1", text)
