"""What Hydra says of keys that are added, taken away or not found is said in our words, by the command that a user types."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import train_here


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("~head=gap",), "~head=gap: head=gap is not chosen here"),
        (("~foo",), "~foo: there is no foo that could be taken away"),
        (("~head.foo",), "~head.foo: there is no head.foo that could be taken away"),
        (("~recipe.epochs=77",), "~recipe.epochs=77: recipe.epochs is 3 here, and not 77"),
        (("~head.name",), "~head.name: no cell can do without head.name"),
        (("+seed=5",), "+seed=5: there is a seed; without the +: seed=5"),
        (("+head=gap",), "head: one is chosen already; without a +: head=gap"),
        (("++head=gap",), "++head=gap: options are chosen without the ++: head=gap"),
        (("logger.wandb=[1]",), "logger.wandb is a node, and has settings in place of a value: logger.wandb.KEY=VALUE"),
        (("head@foo=gap",), "an option of head stands at head and nowhere else: head=OPTION"),
        (("logger=1.5",), "no logger is called '1.5'"),
        (("head=null",), "no head is called 'null'"),
        (("resolution=true",), "no resolution is called 'true'"),
        (("hydra.swep.dir=1",), "no key of hydra is called 'swep'. Did you mean sweep"),
        (("--config-dir", "nope", "head=gap"), "there is no folder"),
        (("--config-path", "nope"), "--config-path nope: there is no such folder"),
        (("head." + "k" * 10_000 + "=1",), "(10,005 characters)"),
        (("head=" + "k" * 10_000,), "no head is called 'kkkk"),
        (("recipe.init=" + "[" * 50 + "]" * 50,), "brackets stand 50 deep within one another, at most 16 can"),
        (("-m", "seed=glob(zz*)"), "seed=glob(zz*): no value comes of it, and so no cell"),
    ],
)
def test_said(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ended = train_here(*arguments, cwd=tmp_path)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr) < 1000
