"""Odd characters in names and values, values without end, and what a terminal would take for a command."""

# ruff: noqa: RUF001 -- letters that look like others are what is typed here

from __future__ import annotations

import random

from tests.wrong_configurations.case import SHOWN, Case, told
from tests.wrong_configurations.settings import COUNTS, GROUPS, WHOLE, WORDS

_MARKS = "!\"#$%&'()*,:;<=>?@[\\]^`{|}~ "
_LETTERS = "wisé頭головаß\N{ROCKET}\N{ZERO WIDTH SPACE}\N{RIGHT-TO-LEFT OVERRIDE}\N{NO-BREAK SPACE}\N{COMBINING ACUTE ACCENT}"
_CONTROLS = (
    "\x1b[31m",
    "\x1b]0;x\x07",
    "\x07",
    "\r",
    "\x7f",
    "\b\b\b",
    "\x9b2J",
    "\n",
    "\t",
    "\x1b[2J",
    "\v",
    "\x01",
    "\u2028",
)


def marks_in_a_word(rng: random.Random) -> Case:
    key = rng.choice(sorted(WORDS))
    text = "".join(rng.choice("abxyz" + _MARKS) for _ in range(rng.randint(3, 12)))
    return Case((f"{key}=a{text}z",), ((key,),))


def marks_in_an_option(rng: random.Random) -> Case:
    group = rng.choice(GROUPS)
    text = "".join(rng.choice("ab" + _MARKS) for _ in range(rng.randint(2, 8)))
    return Case((f"{group}=a{text}z",), ((group,),))


def marks_in_a_key(rng: random.Random) -> Case:
    keys = [
        "head..dropout",
        ".head",
        "head.",
        "..",
        "he ad",
        "head/",
        "/head",
        "head//x",
        "head.0",
        "head[0]",
        "he,ad",
        "'head'",
    ]
    keys += [
        "$head",
        "head.dropout!",
        "head:dropout",
        "head@",
        "@",
        "(head)",
        "head-dropout",
        "#head",
        "hea\\d",
        "*",
        "head.*",
        "1",
    ]
    key = rng.choice(keys)
    last = key.rpartition(".")[2]
    return Case((f"{key}=1",), ((*told(key), f"'{last}'"),))


def no_key(rng: random.Random) -> Case:
    argument = rng.choice(["=", "=1", "==", "=gap=", " =1", "+=1", "~=1", "++", "+", "++=", "head==gap", "seed==1"])
    return Case((argument,), (told(argument),))


def study_of_marks(rng: random.Random) -> Case:
    text = rng.choice(
        ["a/b", "../x", "..", ".", "/", "a\\b", "a b", "a:b", "a*", "-", "a,b", "$HOME", "a\nb", "a|b", "", "'a/b'"]
    )
    return Case((f"study={text}",), (("study",), told(text)) if text else (("study",),))


def letters_of_others(rng: random.Random) -> Case:
    text = "x" + "".join(rng.choice(_LETTERS) for _ in range(rng.randint(1, 5))) + rng.choice("éß頭Ж")
    if rng.random() < 0.5:
        group = rng.choice(GROUPS)
        return Case((f"{group}={text}",), ((group,),))
    key = rng.choice((*COUNTS, *WHOLE, *WORDS))
    return Case((f"{key}={text}",), ((key,),))


def letters_of_others_in_a_key(rng: random.Random) -> Case:
    key = rng.choice(
        ["hеad", "sееd", "голова", "頭", "tête.dropout", "head.dröpout", "recipe.épochs", "\N{ROCKET}", "ｓｅｅｄ"]
    )
    return Case((f"{key}=1",), (told(key) + tuple(told(key.rpartition(".")[2])),))


def controls(rng: random.Random) -> Case:
    text = f"x{rng.choice(_CONTROLS)}y"
    place = rng.choice([*GROUPS, *COUNTS, *sorted(WORDS), "study", "head.name"])
    if place == "head.name":
        place = "recipe.init"
    return Case((f"{place}={text}",), ((place,),))


def controls_in_a_key(rng: random.Random) -> Case:
    key = f"head.dro{rng.choice(_CONTROLS)}pout"
    return Case((f"{key}=1",), (("head", "dro"),))


def no_utf_8(rng: random.Random) -> Case:
    """Bytes that are no UTF-8 come to Python as halves of surrogate pairs."""
    place = rng.choice(["study", "head", "recipe.init", "seed", "recipe.epochs"])
    return Case((f"{place}=x\udcff\udce9",), ((place,),))


def long_value(rng: random.Random) -> Case:
    place = rng.choice([*GROUPS, *COUNTS, *sorted(WORDS)])
    text = rng.choice("abcxyz") * rng.choice([300, 5000, 100_000])
    return Case((f"{place}={text}",), ((place,), (text[:SHOWN],)))


def long_key(rng: random.Random) -> Case:
    name = "k" * rng.choice([300, 5000, 100_000])
    return Case((f"{rng.choice(['', 'head.', 'recipe.optimizer.', '+', '+head.'])}{name}=1",), ((name[:SHOWN],),))


def long_list(rng: random.Random) -> Case:
    place = rng.choice([*COUNTS, *sorted(WORDS)])
    return Case((f"{place}=[{','.join(map(str, range(rng.choice([50, 2000]))))}]",), ((place,),))


def deep(rng: random.Random) -> Case:
    place, depth = rng.choice([*COUNTS, *sorted(WORDS)]), rng.choice([30, 120])
    opening, closing = rng.choice([("[", "]"), ("{a:", "}")])
    return Case((f"{place}={opening * depth}1{closing * depth}",), ((place,),))


def deep_key(rng: random.Random) -> Case:
    key = ".".join(["a"] * rng.choice([5, 50, 400]))
    return Case((f"{rng.choice(['', '+', '++', 'head.', '+head.'])}{key}=1",), (("a.a", "'a'"),))


def typographic(rng: random.Random) -> Case:
    arguments = [
        "head=“gap”",
        "seed=‘1’",
        "recipe.epochs=–5",
        "—mm",
        "head＝gap",
        "seed=１",
        "“head=gap”",
        "recipe.optimizer.lr=0٫1",
    ]
    argument = rng.choice(arguments)
    return Case((argument,), (tuple(word for word in (argument, argument.split("=")[0], "gap", "--mm") if word),))


MAKERS = (
    *(
        marks_in_a_word,
        marks_in_an_option,
        marks_in_a_key,
        no_key,
        study_of_marks,
        letters_of_others,
        letters_of_others_in_a_key,
    ),
    *(controls, controls_in_a_key, no_utf_8, long_value, long_key, long_list, deep, deep_key, typographic),
)
