"""Wrong commands that only torch shows: a model that there is not, a size that does not fit, code of another kind."""

from __future__ import annotations

from tests.wrong_configurations.case import Case

_TOY = ("backbone=timm", "backbone.model=test_resnet", "resolution.size=32", "logger=none", "trainer=cpu", "trainer.threads=1")


def _late(*arguments: str, named: tuple[tuple[str, ...], ...]) -> Case:
    return Case((*_TOY, *arguments), named, needs_torch=True, kind="late")


CASES = (
    _late("backbone.model=resnet5O", named=(("resnet5O",),)),
    _late("backbone.model=test_resnet", "backbone.weights=imagenet_22k", named=(("backbone.weights",), ("imagenet_22k",))),
    _late("head.dropout=1.5", named=(("dropout",), ("1.5",))),
    _late("head=gem", "head.p=-3", named=(("p",), ("-3",))),
    _late("recipe.optimizer.lr=-1", named=(("lr", "learning rate"), ("-1",))),
    _late("recipe.schedule.warmup=7", named=(("warmup",), ("7",))),
    _late("augment=standard", "augment.min_area=3", named=(("min_area",), ("3",))),
    _late("backbone.freeze=99", named=(("freeze",), ("99",))),
    _late("resolution.size=8", "backbone.model=test_vit", named=(("8",),)),
    _late("head._target_=os.system", named=(("head",), ("init",))),
    _late("head._target_=torch.nn.Linear", named=(("head",),)),
    _late("head._target_=json.no_such.Head", named=(("head",), ("json.no_such",))),
    _late("trainer.accelerator=gpu", "trainer.devices=9", named=(("gpu", "GPU", "devices"),)),
    _late("dataset.fold=0", "dataset.folds=1000", named=(("fold",), ("1000", "1,000"))),
)
