"""What a type checker sees of the public names, in a script of somebody's that is checked strictly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

import wisesr
from tests.support.paths import ROOT

SCRIPT = """\
import torch
from torch import nn
import wisesr

given: nn.Module = nn.Sequential()
new = wisesr.replace_head(given, "wise", num_classes=10, image_size=(64, 96), dropout=0.2)
reveal_type(new)
reveal_type(new.backbone.feature_shape.height)
reveal_type(new.head.evidence(new.backbone(torch.zeros(1))))
head = wisesr.create_head("wise", (512, 7, 7), 10)
reveal_type(head)
model = wisesr.create_model("resnet18", "wise", 10, 224)
reveal_type(model)
reveal_type(wisesr.constrain(torch.optim.SGD(new.parameters(), lr=0.1), new))
reveal_type(wisesr.ConstraintCallback())
run = wisesr.load("digits:resnet18-wise-0")
reveal_type(run)
reveal_type(run.class_names)
reveal_type(run.predict(["a.png"])[0].probability)
reveal_type(run.evidence("a.png").logit)
"""
REVEALED = [
    "wisesr.models.replace_backbone.ModelWithHead",
    "int",
    "torch._tensor.Tensor",
    "wisesr.models.heads.base.Head",
    "wisesr.models.classifier.Classifier",
    "torch.utils.hooks.RemovableHandle",
    "wisesr.training.constraint_callback.ConstraintCallback",
    "wisesr.inference.run.Run",
    "tuple[str, ...]",
    "float",
    "float",
]


def test_all_names_are_there_and_none_else() -> None:
    assert all(getattr(wisesr, name) is not None for name in wisesr.__all__)
    with pytest.raises(AttributeError, match="module 'wisesr' has no attribute 'replace_heads'"):
        wisesr.replace_heads  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.slow
def test_a_strict_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (ROOT / "wisesr" / "py.typed").is_file()
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "wrong.py").write_text("import wisesr\nwisesr.replace_heads\nwisesr.constrain(1, 2)\n")
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    settings = ["--strict", "--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
    packages = ["--namespace-packages", "--explicit-package-bases", f"--cache-dir={tmp_path / 'cache'}"]
    out, _, code = api.run([*settings, *packages, str(tmp_path / "script.py")])
    assert re.findall(r'Revealed type is "([^"]*)"', out) == REVEALED, out
    assert code == 0, out
    out, _, code = api.run([*settings, *packages, str(tmp_path / "wrong.py")])
    assert code == 1
    assert out.count("[attr-defined]") == 1
    assert out.count("[arg-type]") == 2
