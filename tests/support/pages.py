"""A study with everything that goes wrong, and its page."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.report.figures import all_figures
from wisesr.report.page.blocks import blocks, shown_images
from wisesr.report.page.document import render_page
from wisesr.report.prediction_analysis import analyse_predictions
from wisesr.report.read import read_study

REASON = 'ran out of memory in </script><img src=x onerror="alert(2)">'


def write_study(root: Path) -> Path:
    """Five seeds of a backbone, one of another, with everything that goes wrong."""
    for head, shift in (("gap", 0.0), ("wise", 0.08), ("depthwise", -0.02)):
        for seed in range(5):
            config = cell_config(root, head=head, seed=seed)
            if (head, seed) == ("depthwise", 4):
                write_failed(config, REASON)
            else:
                write_cell(config, top1=0.6 + shift + 0.02 * ((seed * 7 + len(head)) % 5))
        write_cell(cell_config(root, head=head, seed=0, backbone="resnet34"), top1=0.7 + shift)
    write_waiting(cell_config(root, head="wise", seed=1, backbone="resnet34"))
    other = {"versions": {"python": "3.11.7", "wisesr": "0.1.0", "torch": "2.13.0", "timm": "1.0.31"}}
    write_cell(cell_config(root, head="gap", seed=1, backbone="resnet34"), top1=0.7, provenance=other)
    old = write_cell(cell_config(root, head="gap", seed=9))
    (old / "result.json").write_text((old / "result.json").read_text().replace('"schema": 1', '"schema": 0'))
    return root


def unpack(text: str) -> Any:
    """The value that `page.formatting.pack` was given, as the page's script has it."""
    return json.loads(zlib.decompress(base64.b64decode(text)))


def render(root: Path, script: str = "", files: Mapping[str, str] | None = None) -> str:
    """The page of the cells below a directory, with a picture for every test image, and files beside it."""
    study = read_study([root])
    analyses = tuple(analyse_predictions(study))
    return render_page(
        study,
        all_figures(study, analyses),
        made="now",
        command="wisesr report",
        blocks=blocks(study, analyses),
        pictures={key: {name: f"jpeg of {name}".encode() for name in ids} for key, _, ids in shown_images(analyses)},
        script=script,
        files=files,
    )
