"""What a report needs of datasets and models: test images, and what models say of them. Torch is loaded when they are asked."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr.errors import UserError

if TYPE_CHECKING:
    from wisesr.report.study import ReportCell
    from wisesr.report.write import Load
    from wisesr.results.explanation import Explanation


class TestImages:
    """Test images of datasets, each of which is looked for once."""

    __test__ = False

    def __init__(self) -> None:
        self._known: dict[str, Load | str] = {}

    def __call__(self, config: Mapping[str, Any], fingerprint: str) -> Load | str:
        """The images that a cell was tested on, or why they cannot be had."""
        key = f"{fingerprint} {config['dataset']} {config['resolution']}"
        if key not in self._known:
            self._known[key] = _test_images(config, fingerprint)
        return self._known[key]


def _test_images(config: Mapping[str, Any], fingerprint: str) -> Load | str:
    from wisesr.build.data import build_manifest

    try:
        manifest = build_manifest(config)
    except UserError as error:
        return str(error)
    if manifest.fingerprint() != fingerprint:
        return "the dataset is not what it was: names, sizes, labels or splits differ"
    index = {name: at for at, name in enumerate(manifest.ids)}
    return lambda name: manifest.load(index[name])


class Explainer:
    """Has cells explain test images, with the options of `wisesr report --evidence`."""

    def __init__(self, images: TestImages, chosen: argparse.Namespace) -> None:
        self._images, self._chosen = images, chosen

    def __call__(self, cell: ReportCell, labels: Mapping[str, str], path: Path) -> str | None:
        """Write what a cell says of images, of their true classes; or answer why it cannot.

        Args:
            cell: a finished one.
            labels: true classes by the names of images.
            path: of the file.
        """
        from wisesr.results.explanation import write_explanations

        load = self._images(cell.config, cell.finished_record.provenance.data.fingerprint)
        if isinstance(load, str):
            return f"its test images cannot be had: {load}"
        try:
            found = self._explain(cell, labels, load)
        except UserError as error:
            return str(error)
        if found:
            write_explanations(path, found)
        return None

    def _explain(self, cell: ReportCell, labels: Mapping[str, str], load: Load) -> dict[str, Explanation]:
        """Images that cannot be read any more are left out, as they are of the page's other pictures, which says so."""
        from wisesr.cli.runs import device_of
        from wisesr.inference.explain import explain, see
        from wisesr.inference.load import load as load_run

        run = load_run(cell.directory, device=device_of(self._chosen.device or "auto"), trust=self._chosen.trust)
        found = {}
        for name, label in labels.items():
            try:
                seen = see(run, load(name))
            except (UserError, OSError, ValueError):
                continue
            found[name] = _shrunk(explain(run, seen, [label]))
        return found


def _shrunk(explanation: Explanation) -> Explanation:
    """With a picture no larger than it is drawn."""
    import numpy as np
    from PIL import Image

    from wisesr.report.evidence.block import PIXELS

    picture = Image.fromarray(explanation.view)
    picture.thumbnail((PIXELS, PIXELS), Image.Resampling.LANCZOS)
    return explanation._replace(view=np.asarray(picture))
