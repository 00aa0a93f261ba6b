"""The final figures and words of a cell as loggers show them: those of its record, under flat names. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wisesr.results.reading import reading_words


def summary(content: Mapping[str, Any]) -> dict[str, Any]:
    """`best/val/top1`, `best/test/top1`, `head_parameters`, `train_seconds`, `protocol`, `selection`, ...

    Args:
        content: of `result.json`; of its provenance only `data` and `reads` count.
    """
    cost, budget, provenance = content["cost"], content["budget"], content["provenance"]
    best = {f"best/{name}": value for name, value in content["metrics"]["best"].items()}
    flops = {f"{part}_flops": count for part, count in cost["flops"].items()}
    compute = {f"compute_{name}": value for name, value in cost.get("compute", {}).items()}
    flat = {name: value for name, value in cost.items() if name not in ("parameters", "flops", "compute")} | compute
    texts = {name: content[name] for name in ("protocol", "selection")} | {"reads": reading_words(provenance.get("reads", {}))}
    prints = {"fingerprint": content["fingerprint"], "data_fingerprint": provenance["data"]["fingerprint"]}
    return {**best, **cost["parameters"], **flops, **flat, **budget, **texts, **prints}
