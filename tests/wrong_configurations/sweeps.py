"""Wrong sweeps: a wrong value among right ones, what cannot be swept, a sweep of nothing."""

from __future__ import annotations

import random

from tests.wrong_configurations.case import Case, told, typo
from tests.wrong_configurations.settings import COUNTS, KEYS, NUMBERS, OPTIONS, WORDS


def option_among_others(rng: random.Random) -> Case:
    group = rng.choice(["head", "backbone", "augment", "recipe"])
    right = [name for name in OPTIONS[group] if name[0].isalpha()]
    slip = typo(rng, rng.choice(right), OPTIONS[group])
    names = rng.sample(right, 2)
    names.insert(rng.randint(0, 2), slip)
    return Case(("-m", f"{group}={','.join(names)}", "seed=0,1"), ((group,), (slip,)))


def value_among_others(rng: random.Random) -> Case:
    key, right = rng.choice(
        [("seed", "0,1,2"), ("recipe.epochs", "1,2"), ("head.dropout", "0.1,0.5"), ("recipe.mixup", "0,0.2")]
    )
    wrong = rng.choice(["banana", "nan", "[1]", "-x", "null", "1e400"])
    values = right.split(",")
    values.insert(rng.randint(0, len(values)), wrong)
    return Case(("-m", f"{key}={','.join(values)}", "head=gap,wise"), ((key,), told(wrong)))


def key_of_some(rng: random.Random) -> Case:
    """Some of the swept options have the key."""
    heads = ["gap", "wise", "gem"]
    rng.shuffle(heads)
    key, value = rng.choice([("non_negative", "none,softplus"), ("p", "1,3"), ("pre_pool", "1,2")])
    return Case(("-m", f"head={','.join(heads)}", f"head.{key}={value}"), ((key,), ("head",)))


def all_wrong(rng: random.Random) -> Case:
    key = rng.choice([key for key in (*COUNTS, *NUMBERS) if not key.startswith("grid.")])
    count = rng.choice([3, 20, 40])
    return Case(("-m", f"{key}={','.join(f'x{number}' for number in range(count))}"), ((key,), ("x0",)))


def all_options_wrong(rng: random.Random) -> Case:
    return Case(("-m", f"head={','.join(f'x{number}' for number in range(rng.choice([3, 60])))}"), (("head",), ("x0",)))


def grid(rng: random.Random) -> Case:
    key, values = rng.choice(
        [("grid.slots", "1,2"), ("grid.wait", "spin,passive"), ("grid.force", "true,false"), ("grid.start", "a,b")]
    )
    return Case(("-m", f"{key}={values}"), (("grid",),))


def experiments(rng: random.Random) -> Case:
    return Case(("-m", "experiment=quickstart,size"), (("experiment",), ("quickstart,size", "quickstart")))


def without_m(rng: random.Random) -> Case:
    key, values = rng.choice(
        [("head", "gap,wise"), ("seed", "0,1"), ("seed", "range(0,3)"), ("recipe.epochs", "1,2,3"), ("augment", "none,paper")]
    )
    return Case((f"{key}={values}",), ((key,), ("-m",)))


def function(rng: random.Random) -> Case:
    values = [
        "range(3,0)",
        "range(0,3,0)",
        "range(a,b)",
        "choice()",
        "interval(0,1)",
        "glob(zz*)",
        "nope(1,2)",
        "range()",
        "sort(",
        "shuffle(1",
    ]
    values += [
        "choice(1,2",
        "range(0,inf)",
        "extend_list(1)",
        "tag(a,b)",
        "int(banana)",
        "float(x)",
        "choice(choice(1,2))",
        "range(0,1,1,1)",
    ]
    value = rng.choice(values)
    return Case(("-m", f"seed={value}"), (("seed",), (*told(value), value.partition(",")[0])))


def without_values(rng: random.Random) -> Case:
    key = rng.choice(["seed", "recipe.epochs", "head"])
    value = rng.choice([",", "1,", ",1", "1,,2", ",,", "1, 2,", "[1,2],,"])
    return Case(("-m", f"{key}={value}"), ((key,),))


def key_that_is_not(rng: random.Random) -> Case:
    node, _, last = rng.choice([key for key in KEYS if "." in key]).rpartition(".")
    slip = typo(rng, last, (*tuple(key.rpartition(".")[2] for key in KEYS), "p", "root"))
    return Case(("-m", f"{node}.{slip}=1,2", "head=gap,wise"), ((slip,), (node,)))


def word_among_others(rng: random.Random) -> Case:
    key = rng.choice([key for key in sorted(WORDS) if not key.startswith("grid.")])
    slip = typo(rng, "banana")
    return Case(("-m", f"{key}={WORDS[key]},{slip}", "seed=0,1"), ((key,), (slip,)))


def together(rng: random.Random) -> Case:
    values = [
        "banana",
        "[a,b]",
        "[seed]",
        "[[seed]]",
        "[seed,nope]",
        "[seed,head.dropout]",
        "{a:1}",
        "[1,2]",
        "3",
        "[[seed,[head]]]",
    ]
    zipped = rng.choice(values)
    return Case(("-m", f"grid.zip={zipped}", "seed=1,2", "head.dropout=0.1,0.2,0.3"), (("grid.zip", *told(zipped)),))


def left_out(rng: random.Random) -> Case:
    values = ["banana", "[banana]", "[{nope:1}]", "['seed=']", "['head']", "{a:1}", "3", "[3]", "[seed]"]
    excluded = rng.choice(values)
    return Case(("-m", f"grid.exclude={excluded}", "seed=1,2"), (("grid.exclude", *told(excluded)),))


def by_optuna(rng: random.Random) -> Case:
    return Case(
        ("-m", f"hydra/sweeper={rng.choice(['optuna', 'ax', 'nevergrad'])}", "seed=1,2"),
        (("hydra/sweeper",), ("pip", "optuna")),
    )


MAKERS = (
    *(
        option_among_others,
        value_among_others,
        key_of_some,
        all_wrong,
        all_options_wrong,
        grid,
        experiments,
        without_m,
        function,
    ),
    *(without_values, key_that_is_not, word_among_others, by_optuna, together, left_out),
)
