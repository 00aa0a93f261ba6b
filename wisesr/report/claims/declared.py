"""Claims as they are declared in a YAML file, before their answers are known."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from wisesr.errors import UserError, unknown
from wisesr.report.claims.measures import MEASURES, Measure

PAPER = Path(__file__).parent / "paper.yaml"
"""The paper's claims, and the contrasts of its ablation."""
CONTROLS_FILE = Path(__file__).parent / "controls.yaml"
"""Contrasts that tell place from start, scale and constraint: asked of studies that have their heads."""
CONTROLS = "controls"
_EXPECTED = ("higher", "lower", "no_higher", "no_lower")
_SLOPES = ("size", "classes")
_KEYS = ("name", "claim", "head", "baseline", "measure", "expected", "slope", "sizes", "margin", "family")


class Claim(NamedTuple):
    """A claim."""

    name: str
    text: str
    """The sentence."""
    head: str
    baseline: str
    measure: Measure
    expected: str
    """higher, lower, no_higher or no_lower: of the head's figure less the baseline's, or of the slope."""
    slope: str
    """size, classes, or empty: along which the difference changes."""
    sizes: str | tuple[int, ...]
    """each, all, or those that it is about, px."""
    margin: float | None
    """Within which heads count as equal, in the measure's unit; None for that of the command line."""
    family: str = ""
    """`CONTROLS` of claims that are corrected among themselves, and asked only where both heads are in the study; or empty."""
    sentence: str = ""
    """The text with {head} and {baseline} for the names."""

    def of(self, head: str, baseline: str) -> Claim:
        """The claim about two heads by the names that tables print: `wise init=normal`."""
        text = _with_names(self.sentence, head, baseline) if self.sentence else self.text
        return self._replace(head=head, baseline=baseline, text=text)


def package_claims() -> tuple[Claim, ...]:
    """What is asked unless a file says otherwise: the paper's claims, then the controls."""
    return (*read_claims(PAPER), *read_claims(CONTROLS_FILE))


def read_claims(path: Path) -> tuple[Claim, ...]:
    """The claims in a YAML file.

    Raises:
        UserError: it cannot be read, or a claim lacks a key, has one too many, or a value that is none of its choices.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--claims: {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"--claims: {path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, list) or not values or not all(isinstance(value, dict) for value in values):
        raise UserError(
            f"--claims: {path} must be a list of claims, each with a name, as {PAPER.name} of wisesr.report.claims is"
        )
    claims = tuple(_claim(f"--claims: {path}, claim {number}", value) for number, value in enumerate(values, start=1))
    for number, claim in enumerate(claims, start=1):
        if claim.name in (other.name for other in claims[: number - 1]):
            raise UserError(f"--claims: {path}, claim {number}: the name {claim.name!r} is another claim's, too")
    return claims


def _claim(where: str, value: Mapping[str, Any]) -> Claim:
    if wrong := next((key for key in value if key not in _KEYS), None):
        raise UserError(f"{where}: {unknown('key', str(wrong), _KEYS)}")
    texts = {key: _text(where, value, key) for key in ("name", "claim", "head", "baseline", "measure", "expected")}
    where = f"{where} ({texts['name']})"
    _choice(where, "measure", texts["measure"], list(MEASURES))
    _choice(where, "expected", texts["expected"], _EXPECTED)
    slope = str(value.get("slope") or "")
    if slope:
        _choice(where, "slope", slope, _SLOPES)
    if texts["head"] == texts["baseline"]:
        raise UserError(f"{where}: head and baseline must differ, both are {texts['head']}")
    family = str(value.get("family") or "")
    if family:
        _choice(where, "family", family, (CONTROLS,))
    _check_sentence(where, texts["claim"])
    return Claim(
        texts["name"],
        _with_names(texts["claim"], texts["head"], texts["baseline"]),
        texts["head"],
        texts["baseline"],
        MEASURES[texts["measure"]],
        texts["expected"],
        slope,
        _sizes(where, value.get("sizes", "all"), slope),
        _margin(where, value.get("margin")),
        family,
        texts["claim"],
    )


def _text(where: str, value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    if text is None:
        raise UserError(f"{where} has no {key}")
    if not isinstance(text, str) or not text.strip():
        raise UserError(f"{where}: {key} must be a text, not {text!r}")
    return text.strip()


def _choice(where: str, key: str, text: str, choices: Sequence[str]) -> None:
    if text not in choices:
        raise UserError(f"{where}: {unknown(key, text, choices)}")


def _with_names(sentence: str, head: str, baseline: str) -> str:
    return " ".join(sentence.format(head=head, baseline=baseline).split())


def _check_sentence(where: str, sentence: str) -> None:
    names = ("head", "baseline")
    try:
        parts = list(string.Formatter().parse(sentence))
    except ValueError as error:
        raise UserError(f"{where}: claim: {error}") from None
    for _, field, form, conversion in parts:
        if field is not None and (field not in names or form or conversion):
            written = field + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise UserError(f"{where}: claim: {{{written}}} stands for nothing; {{head}} and {{baseline}} stand for the heads")


def _sizes(where: str, value: object, slope: str) -> str | tuple[int, ...]:
    if isinstance(value, list) and value and all(type(size) is int and size > 0 for size in value):  # true is an int, too
        return tuple(value)
    if value not in ("each", "all"):
        raise UserError(f"{where}: sizes must be each, all or a list of sizes in px such as [224, 512], not {value!r}")
    if value == "each" and slope == "size":
        raise UserError(f"{where}: sizes: each has no slope along sizes; leave it out")
    return str(value)


def _margin(where: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1000:
        raise UserError(f"{where}: margin must be a number above 0, not {value!r}")
    return float(value)
