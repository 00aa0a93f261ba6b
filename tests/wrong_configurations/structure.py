"""Wrong structure: what is missing, added, asked of another value, of another kind, or names no code."""

from __future__ import annotations

import random

from tests.wrong_configurations.case import Case, told, wrong
from tests.wrong_configurations.settings import COUNTS, GROUPS, KEYS, NOT_LESS, NUMBERS, TEXTS, WHOLE, WORDS

_PARTS = ("head", "backbone", "augment", "dataset", "recipe.optimizer", "recipe.schedule")
"""Nodes with a `_target_`."""


def missing(rng: random.Random) -> Case:
    key = rng.choice(NOT_LESS)
    return Case((f"~{key}",), ((key,),))


def taken_from_where_it_is_not(rng: random.Random) -> Case:
    key = rng.choice(
        ["head.foo", "foo", "recipe.optimizer.momentum", "dataset.root.x", "a.b.c", "head.dropout.x", "recipe.epoch"]
    )
    return Case((f"~{key}",), ((key, key.rpartition(".")[2]),))


def taken_at_another_value(rng: random.Random) -> Case:
    key, value = rng.choice([("head", "gap"), ("recipe.epochs", "77"), ("logger", "csv"), ("seed", "9")])
    return Case((f"~{key}={value}",), ((key,), (value,)))


def must_be_given(rng: random.Random) -> Case:
    key = rng.choice((*COUNTS, *WHOLE, *NUMBERS, *WORDS, *TEXTS))
    return Case((f"{key}=???",), ((key,),))


def must_be_given_by_an_option(rng: random.Random) -> Case:
    option, key = rng.choice(
        [
            ("dataset=folder", "dataset.root"),
            ("backbone=timm", "backbone.model"),
            ("dataset=arrays", "dataset.file"),
            ("dataset=huggingface", "dataset.source"),
        ]
    )
    return Case((option,), ((key,),))


def added(rng: random.Random) -> Case:
    group = rng.choice(
        ["head", "backbone", "recipe", "trainer", "resolution", "dataset", "augment", "recipe.optimizer", "grid"]
    )
    key = rng.choice(["foo", "drop_out", "x1", "lr_", "a.b", "momentums"])
    value = rng.choice(["1", "null", "[1,2]", "{a:1}", "text"])
    return Case((f"{rng.choice(['+', '++'])}{group}.{key}={value}",), ((key.split(".")[0],), (group,)))


def added_at_the_top(rng: random.Random) -> Case:
    key = rng.choice(["foo", "a.b.c", "heads", "optimizer.lr", "lr", "models.x"])
    return Case((f"{rng.choice(['+', '++'])}{key}={rng.choice(['1', 'x', 'null', '[1]'])}",), ((key.split(".")[0],),))


def added_although_there(rng: random.Random) -> Case:
    key, value = rng.choice(
        [("head", "gap"), ("seed", "x"), ("recipe.epochs", "0"), ("dataset", "nope"), ("head.init", "banana")]
    )
    return Case((f"+{key}={value}",), ((key,),))


def asks_for_nothing(rng: random.Random) -> Case:
    key = rng.choice((*COUNTS, *NUMBERS, *TEXTS, "seed"))
    names = (
        "nope",
        "nope.a",
        "head.nope",
        "recipe.nope.x",
        "oc.env:NO_SUCH_VARIABLE",
        "nope:1",
        "..foo",
        ".foo",
        "seeed",
        "env:HOME",
    )
    names += ("oc.select:nope", "hydra:nope", "oc.decode:]", "now:%Y", "stem:", "paper_batch:1,2,3", "first_of:")
    name = rng.choice(names)
    return Case((f"{key}=${{{name}}}",), ((key, name.split(":")[0]),))


def asks_in_a_circle(rng: random.Random) -> Case:
    key = rng.choice([key for key in (*COUNTS, *NUMBERS) if not key.startswith("grid.")])
    other = rng.choice(["recipe.mixup", "trainer.accumulate", "dataset.folds"])
    if key == other:
        return Case((f"{key}=${{{key}}}",), ((key,),))
    return Case((f"{key}=${{{other}}}", f"{other}=${{{key}}}"), ((key, other),))


def asks_for_a_node(rng: random.Random) -> Case:
    key = rng.choice([key for key in (*COUNTS, *NUMBERS) if not key.startswith("grid.")])
    node = rng.choice(["head", "trainer", "augment", key.partition(".")[0]])
    return Case((f"{key}=${{{node}}}",), ((key,),))


def no_interpolation(rng: random.Random) -> Case:
    key = rng.choice((*COUNTS, *TEXTS))
    return Case((f"{key}={rng.choice(['${', '${}', '${a', '${{a}', '${a}}${', '${:}', '${.}', '${oc.env}'])}",), ((key,),))


def no_code(rng: random.Random) -> Case:
    part = rng.choice(_PARTS)
    targets = ("wisesr.models.nope.Foo", "wisesr.models.heads.wise.Nope", "wisesr.models.heads.wise._Hidden", "wisesr.nope")
    targets += (
        "wisesr",
        "wisesr.",
        ".wisesr",
        "wisesr..models.Head",
        "wisesr.models.heads.wise.WiseHaed",
        "Foo",
        "a b",
        "wise-head",
    )
    targets += (
        "wisesr.errors.UserError.x",
        "wisesr.types.TOP",
        "wisesr.models.heads",
        "wisesr.__init__.x",
        "no_such_package.Foo",
    )
    targets += ("no_such_package.models.Foo", "wisesr/models/heads/wise.py", "wisesr.models.heads.wise:WiseHead")
    target = rng.choice(targets)
    return Case((f"{part}._target_={target}",), ((part,), told(target)))


def no_text_for_code(rng: random.Random) -> Case:
    part = rng.choice(_PARTS)
    value = rng.choice(["1", "null", "[1]", "true", "{a:1}", "''", "0.5"])
    return Case((f"{part}._target_={value}",), ((part,), told(value)))


def code_of_another_kind(rng: random.Random) -> Case:
    part = rng.choice(_PARTS)
    targets = {
        "head": "wisesr.models.heads.wise.WiseHead",
        "backbone": "wisesr.models.backbones.TimmBackbone",
        "augment": "wisesr.data.augmentation.Plain",
        "dataset": "wisesr.data.digits.digits",
        "recipe.optimizer": "wisesr.training.optimizers.adamw",
        "recipe.schedule": "wisesr.training.schedules.cosine",
    }
    target = targets[rng.choice([name for name in targets if name != part])]
    return Case((f"{part}._target_={target}",), ((part,),))


def value_for_a_node(rng: random.Random) -> Case:
    node = rng.choice(["recipe.optimizer", "recipe.schedule", "logger.wandb"])
    value = rng.choice(["null", "5", "adamw", "[1]", "true", "''"])
    return wrong(node, value)


def value_for_a_group(rng: random.Random) -> Case:
    group = rng.choice(GROUPS)
    value = rng.choice(["null", "5", "1.5", "true", "{a:1}", "[]", "[a]", "''", "."])
    return Case((f"{group}={value}",), ((group,),))


def another_package(rng: random.Random) -> Case:
    argument = rng.choice(
        ["head@foo=gap", "+head@foo=gap", "head@=gap", "head@_global_=gap", "head@head.x=gap", "dataset@d:e=digits"]
    )
    return Case((argument,), (("head", "dataset"),))


def key_twice(rng: random.Random) -> Case:
    """Of two values the later is taken by Hydra, where it is a key; a group may be chosen once."""
    key = rng.choice(KEYS)
    return wrong(key, "[1]", f"{key}=[1]")


MAKERS = (
    *(missing, missing, taken_from_where_it_is_not, taken_at_another_value, must_be_given, must_be_given_by_an_option, added),
    *(added, added_at_the_top, added_although_there, asks_for_nothing, asks_for_nothing, asks_in_a_circle, asks_for_a_node),
    *(no_interpolation, no_code, no_code, no_text_for_code, code_of_another_kind, value_for_a_node, value_for_a_group),
    *(another_package, key_twice),
)
