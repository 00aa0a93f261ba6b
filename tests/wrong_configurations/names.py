"""Wrong names: of groups, options, keys, choices, flags."""

from __future__ import annotations

import random

from tests.wrong_configurations.case import Case, told, typo, wrong
from tests.wrong_configurations.settings import GROUPS, KEYS, OPTIONS, TOP, WORDS


def group(rng: random.Random) -> Case:
    name = typo(rng, rng.choice(GROUPS), TOP)
    return Case((f"{name}=gap",), ((name,),))


def key_at_the_top(rng: random.Random) -> Case:
    name = typo(rng, rng.choice(["study", "seed", "protocol", "output_dir", "replicate"]), TOP)
    return Case((f"{name}={rng.choice(['1', 'x', 'null'])}",), ((name,),))


def option(rng: random.Random) -> Case:
    name = rng.choice(sorted(OPTIONS))
    choice = rng.choice(OPTIONS[name])
    slip = typo(rng, choice) if choice[0].isalpha() else choice + rng.choice("7px")
    if slip in OPTIONS[name]:
        slip += "_x"
    return Case((f"{name}={slip}",), ((name,), (slip,)))


def key(rng: random.Random) -> Case:
    node, _, last = rng.choice([name for name in KEYS if "." in name]).rpartition(".")
    slip = typo(rng, last, (*tuple(name.rpartition(".")[2] for name in KEYS), "p", "root"))
    return Case((f"{node}.{slip}=1",), ((slip,), (node,)))


def node(rng: random.Random) -> Case:
    node, _, last = rng.choice([name for name in KEYS if "." in name]).rpartition(".")
    slip = typo(rng, node, TOP)
    return Case((f"{slip}.{last}=1",), ((slip.split(".")[0], slip),))


def choice(rng: random.Random) -> Case:
    name = rng.choice(sorted(WORDS))
    word = WORDS[name]
    slip = typo(rng, word) if word[0].isalpha() else rng.choice(["16", "32", "bf16", "16-mixd", "fp16"])
    return wrong(name, slip)


def capitals(rng: random.Random) -> Case:
    if rng.random() < 0.5:
        name = rng.choice(sorted(OPTIONS))
        choice = next(option for option in OPTIONS[name] if option[0].isalpha() and len(option) > 2)
        slip = rng.choice([choice.upper(), choice.capitalize()])
        return Case((f"{name}={slip}",), ((name,), (slip,)))
    name = rng.choice(KEYS)
    slip = rng.choice([name.upper(), name.capitalize()])
    return Case((f"{slip}=1",), ((slip.split(".")[0],),))


def key_of_another_option(rng: random.Random) -> Case:
    head, last = rng.choice(
        [("gap", "non_negative"), ("gap", "pre_pool"), ("wise", "p"), ("gem", "arithmetic"), ("flatten", "p")]
    )
    return Case((f"head={head}", f"head.{last}=1"), ((last,), ("head",)))


def key_without_its_group(rng: random.Random) -> Case:
    name = rng.choice([name for name in KEYS if "." in name and name.rpartition(".")[2] not in ("name", "resolution")])
    last = name.rpartition(".")[2]
    return Case((f"{last}=1",), ((last,),))


def hydra(rng: random.Random) -> Case:
    name = rng.choice(
        ["hydra/launcher", "hydra/sweeper", "hydra/job_logging", "hydra/help", "hydra/hydra_logging", "hydra/output"]
    )
    value = rng.choice(["nope", "submitit_slrum", "optuna_", "wisesr_gird", "Basic"])
    return Case((f"{name}={value}",), ((name, name.rpartition("/")[2]), (value, name)))


def key_of_hydra(rng: random.Random) -> Case:
    name = rng.choice(["hydra.sweep.dirr", "hydra.sweeper.parms", "hydra.run.dirr", "hydra.mod", "hydra.launcher.timeout_mins"])
    return Case((f"{name}=1",), ((name, name.rpartition(".")[2]),))


def flag(rng: random.Random) -> Case:
    given = rng.choice(
        ["--nope", "--hlep", "--multi-run", "-x", "--config_dir", "--cfgs", "--plan", "-mm", "--verbose", "--gpu"]
    )
    return Case((given,), ((given,),))


def place_of_a_flag(rng: random.Random) -> Case:
    flag, value = rng.choice(
        [("--cfg", "jobs"), ("--cfg", "yaml"), ("--info", "nope"), ("--package", ""), ("--config-name", "nope")]
    )
    return Case((flag, value), ((flag, value),)) if value else Case((flag,), ((flag,),))


def folder_of_conf(rng: random.Random) -> Case:
    flag = rng.choice(["--config-dir", "-cd", "--config-path", "-cp"])
    return Case((flag, "no/such/folder"), (told("no/such/folder"),))


def no_override(rng: random.Random) -> Case:
    word = rng.choice(
        ["gap", "head", "head:gap", "wise,gap", "resnet50", "outputs/x", "path/to/images", "head.dropout", "-", "@x"]
    )
    return Case((word,), ((word,),))


def spaces_around(rng: random.Random) -> Case:
    word, value = rng.choice([("head", "gap"), ("seed", "1"), ("recipe.epochs", "5"), ("dataset", "folder")])
    arguments = rng.choice([(word, "=", value), (f"{word}=", value), (word, f"={value}"), (f"{word}:", value)])
    return Case(arguments, ((word,),))


MAKERS = (
    *(group, key_at_the_top, option, option, key, key, node, choice, capitals, key_of_another_option, key_without_its_group),
    *(hydra, key_of_hydra, flag, place_of_a_flag, folder_of_conf, no_override, spaces_around),
)
