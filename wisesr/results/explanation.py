"""What a run says of a picture, position by position, as plain arrays; computed by inference, drawn by reports. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wisesr.results.atomic_files import read_arrays, write_with

Map: TypeAlias = NDArray[np.float64]
"""A number for each position, (height, width)."""
_META = "meta"


class ClassMaps(NamedTuple):
    """What speaks for one class in one picture."""

    class_name: str
    probability: float
    """As the run predicts it, from 0 to 1."""
    logit: float
    """Of a head that has evidence: computed in float64, on the map as the run has it; of others as `own_logit`."""
    own_logit: float
    """As the run computes it, in its own precision."""
    evidence: Map | None
    """What each position adds to the logit; None where the head is not linear in the map."""
    offset: float | None
    """What no position brings; with the sum of the evidence it is the logit."""
    grad_cam: Map | None
    """Not negative, without a unit; None where it was not computed."""

    @property
    def residual(self) -> float | None:
        """By how much the evidence misses the logit, as a share of the largest number in the sum; None without evidence."""
        if self.evidence is None or self.offset is None:
            return None
        largest = max(abs(self.logit), abs(self.offset), float(np.abs(self.evidence).max()))
        return abs(float(self.evidence.sum()) + self.offset - self.logit) / largest if largest else 0.0


class Attention(NamedTuple):
    """How an attention head weighs the positions. The weights of one attention head sum to 1, with `rest`."""

    weights: NDArray[np.float64]
    """(attention heads, height, width)"""
    rest: NDArray[np.float64]
    """(attention heads,): of what is no position, the average as a token of its own; 0 where there is none."""

    @property
    def mean(self) -> Map:
        """Over the attention heads, (height, width)."""
        return np.asarray(self.weights.mean(axis=0))


class Explanation(NamedTuple):
    """One picture by one run."""

    view: NDArray[np.uint8]
    """The picture as the model saw it, (height, width, 3): resized, cropped or padded. The maps lie on this one."""
    predicted: str
    """The most probable class."""
    probability: float
    """Of it."""
    classes: tuple[ClassMaps, ...]
    attention: Attention | None
    """Of heads that weigh positions by what is there; the same for all classes."""

    def of(self, class_name: str) -> ClassMaps | None:
        """The maps of a class; None where it was not asked for."""
        return next((maps for maps in self.classes if maps.class_name == class_name), None)


def write_explanations(path: Path, explanations: Mapping[str, Explanation]) -> None:
    """Explanations by their pictures' names as one `.npz` file, whole or absent."""
    arrays: dict[str, NDArray[Any]] = {}
    meta = [_pack(arrays, str(number), name, one) for number, (name, one) in enumerate(explanations.items())]
    arrays[_META] = np.array(json.dumps(meta))
    write_with(path, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]


def _pack(arrays: dict[str, NDArray[Any]], key: str, name: str, explanation: Explanation) -> dict[str, Any]:
    """What is no array of an explanation; its arrays are put with the others, under names that begin with `key`."""

    def keep(part: str, array: NDArray[Any] | None) -> str | None:
        if array is None:
            return None
        arrays[f"{key}/{part}"] = array
        return f"{key}/{part}"

    attention = explanation.attention
    return {
        "name": name,
        "view": keep("view", explanation.view),
        "predicted": explanation.predicted,
        "probability": explanation.probability,
        "classes": [
            maps._asdict() | {part: keep(f"{at}/{part}", getattr(maps, part)) for part in ("evidence", "grad_cam")}
            for at, maps in enumerate(explanation.classes)
        ],
        "attention": attention and {part: keep(part, getattr(attention, part)) for part in Attention._fields},
    }


def read_explanations(path: Path) -> dict[str, Explanation] | None:
    """Explanations by their pictures' names; None where there is no such file, or a damaged one."""
    arrays = read_arrays(path)
    if arrays is None or _META not in arrays:
        return None
    try:
        return {one["name"]: _unpack(arrays, one) for one in json.loads(str(arrays[_META]))}
    except (KeyError, TypeError, json.JSONDecodeError):
        return None


def _unpack(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> Explanation:
    def array(name: str | None) -> NDArray[Any] | None:
        return None if name is None else arrays[name]

    classes = (
        ClassMaps(**{**maps, "evidence": array(maps["evidence"]), "grad_cam": array(maps["grad_cam"])})
        for maps in meta["classes"]
    )
    held = meta["attention"]
    attention = None if held is None else Attention(arrays[held["weights"]], arrays[held["rest"]])
    return Explanation(arrays[meta["view"]], meta["predicted"], meta["probability"], tuple(classes), attention)
