"""What an answer to a wrong command must be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path

from tests.wrong_configurations.case import Case

LINES, COLUMNS = 24, 120
"""A screen."""

_INTERNALS = (
    "Traceback",
    "LexerNoViable",
    "mismatched input",
    "extraneous input",
    "token recognition",
    "no viable alternative",
    "omegaconf",
    "OmegaConf",
    "antlr",
    "object_type=",
    "full_key",
    "reference_type",
    "HYDRA_FULL_ERROR",
    "Error executing job",
    "DictConfig",
    "ListConfig",
    "primary config",
    "NoneType",
    "AssertionError",
    "positional argument",
    "<class ",
    "unhashable",
    "hydra-core",
    "maximum recursion",
    "codec can't",
    "surrogates not allowed",
    "[Errno",
    "is not in the subpath",
    "object has no attribute",
    "object is not",
)
"""Words of the inside of Python, Hydra, OmegaConf and their parsers."""

_CLASSES = re.compile(r"\b(?!UserError|OSError)[A-Z]\w+(?:Error|Exception|Warning)\b")
"""Names of classes of errors."""


def faults(case: Case, code: int, output: str) -> Iterator[str]:
    """What is wrong with an answer, a sentence each."""
    if code not in (1, 2):
        yield f"exit code {code}"
    shown = output.rstrip("\n").split("\n")
    lines = sum(max(1, ceil(len(line) / COLUMNS)) for line in shown)
    if lines > LINES:
        yield f"{lines} lines"
    typed = "\n".join(case.arguments)
    yield from (f"says {word!r}" for word in _INTERNALS if word in output and word not in typed)
    yield from (f"says {name!r}" for name in sorted(set(_CLASSES.findall(output))) if name not in typed)
    if odd := sorted(set(re.findall(r"[^\n\x20-\x7e\xa1-\ud7ff\ue000-\U0010ffff]", output))):
        yield f"prints {odd}"
    plain = re.sub(r"\s+", " ", output)
    for names in case.named:
        if not any(name in output or re.sub(r"\s+", " ", name) in plain for name in names):
            yield f"does not name {min(names, key=len)[:60]!r}"


def written(before: set[Path], folder: Path) -> list[str]:
    """What has come into a folder."""
    return sorted(str(path.relative_to(folder)) for path in set(folder.rglob("*")) - before)
