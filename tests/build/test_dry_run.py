"""Backbones that are kept change no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.configs import change
from wisesr.build import dry_run
from wisesr.config.options import load_option
from wisesr.errors import UserError
from wisesr.grid.planning.map_heads import describe_heads


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int | None]]:
    """Device, image size and stride of each backbone that is built."""
    seen: list[tuple[str, int, int | None]] = []
    measure = dry_run._measure

    def watched(device: str, config: Mapping[str, Any]) -> Any:
        seen.append((device, config["resolution"]["size"], config["backbone"]["output_stride"]))
        return measure(device, dict(config))

    monkeypatch.setattr(dry_run, "_measure", watched)
    return seen


def test_heads_of_one_backbone_share_its_larger_maps(
    config: dict[str, Any], built: list[tuple[str, int, int | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a map of one position each head asks for larger ones; the answers are those of building each anew."""
    small = change(config, "resolution.size", 32)
    cells = [small | {"head": {"name": name, **load_option("head", name)}} for name in ("wise", "gap")]
    shared = describe_heads(cells, [None] * len(cells))
    assert all(head is not None and head.ways for head in shared)
    assert len(built) == len(set(built)), "each once"
    monkeypatch.setattr(dry_run, "_KEPT", {"meta": 1, "cpu": 1})
    assert describe_heads(cells, [None] * len(cells)) == shared


def test_an_error_is_kept_too_and_few_backbones_are(config: dict[str, Any], built: list[tuple[str, int, int | None]]) -> None:
    planner = dry_run.DryRun()
    wrong = change(config, "backbone.model", "no_such_model")
    for _ in range(2):
        with pytest.raises(UserError, match="no_such_model"):
            planner.measure(wrong, 3)
    assert len(built) == 1
    for size in (32, 64, 96):
        planner.measure(change(config, "resolution.size", size), 3)
    assert len(planner._backbones["meta"]) == 4 <= dry_run._KEPT["meta"]
