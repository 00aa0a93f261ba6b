"""Wrong values: of another type, out of range, absent, many at once."""

from __future__ import annotations

import random

from tests.wrong_configurations.case import Case, told, wrong
from tests.wrong_configurations.settings import COUNTS, NUMBERS, OUT_OF_RANGE, TEXTS, WHOLE, WORDS, YES_OR_NO

NO_NUMBERS = (
    "banana",
    "many",
    "half",
    "1x",
    "1.2.3",
    "0x1F",
    "2026-11-29",
    "12:30",
    "auto_",
    "ten",
    "1e",
    "--5",
    "+-1",
    "5%",
    "1/3",
)
NO_NUMBERS += ("'3'", '"0.5"', "\N{FULLWIDTH DIGIT ONE}", "\N{VULGAR FRACTION ONE HALF}", "true", "false")
NODES = ("[]", "[1]", "[1,2]", "{a:1}", "[[]]", "[a]")
NOT_FINITE = ("nan", "inf", "-inf", "1e400", "-1e400", "NaN")


def text_for_a_number(rng: random.Random) -> Case:
    return wrong(rng.choice((*COUNTS, *WHOLE, *NUMBERS)), rng.choice(NO_NUMBERS))


def fraction_for_a_count(rng: random.Random) -> Case:
    return wrong(rng.choice((*COUNTS, *WHOLE)), rng.choice(["1.5", "0.1", "1e-3", "2.0000001", "-0.5"]))


def node_for_a_value(rng: random.Random) -> Case:
    return wrong(rng.choice((*COUNTS, *WHOLE, *NUMBERS, *YES_OR_NO, *WORDS, *TEXTS)), rng.choice(NODES))


def not_finite(rng: random.Random) -> Case:
    return wrong(rng.choice((*COUNTS, *WHOLE, *NUMBERS)), rng.choice(NOT_FINITE))


def out_of_range(rng: random.Random) -> Case:
    key = rng.choice(sorted(OUT_OF_RANGE))
    return wrong(key, rng.choice(OUT_OF_RANGE[key]))


def no_yes_or_no(rng: random.Random) -> Case:
    return wrong(rng.choice(YES_OR_NO), rng.choice(["yes", "no", "on", "off", "1", "0", "banana", "null", "'true'", "1.0"]))


def no_such_word(rng: random.Random) -> Case:
    key = rng.choice(sorted(WORDS))
    return wrong(key, rng.choice(["banana", "1", "true", "null", "0.5", "''", "None", "some_thing"]))


def null(rng: random.Random) -> Case:
    return wrong(rng.choice((*COUNTS, *WHOLE, *NUMBERS, *YES_OR_NO, *TEXTS)), rng.choice(["null", "NULL"]))


def nothing(rng: random.Random) -> Case:
    return wrong(rng.choice((*COUNTS, *WHOLE, *NUMBERS, *WORDS, *YES_OR_NO)), "")


def huge(rng: random.Random) -> Case:
    return wrong(rng.choice((*COUNTS, *WHOLE)), rng.choice(["9" * 20, "9" * 40, "1" + "0" * 400, "7" * 5000]))


def time(rng: random.Random) -> Case:
    texts = ["2 hours", "banana", "10", "24:00", "1.5", "true", "-1", "[1]", "00:00:00:00", "1d", "99999999999999999999:0:0:0"]
    return wrong("trainer.max_time", rng.choice(texts))


def several(rng: random.Random) -> Case:
    """All of them are to be named at once."""
    keys = rng.sample((*COUNTS, "seed", *NUMBERS), rng.randint(2, 6))
    keys = [key for key in keys if not key.startswith("grid.")] or ["seed"]
    values = [rng.choice(("banana", "nan", "half", "null")) for _ in keys]
    named = tuple(names for key, value in zip(keys, values, strict=True) for names in ((key,), told(value)))
    return Case(tuple(f"{key}={value}" for key, value in zip(keys, values, strict=True)), named)


def many(rng: random.Random) -> Case:
    """More than a screen has lines."""
    keys = [key for key in (*COUNTS, "seed", *NUMBERS, *YES_OR_NO, *WORDS) if not key.startswith("grid.")]
    rng.shuffle(keys)
    return Case(tuple(f"{key}=x{number}" for number, key in enumerate(keys)), (tuple(keys), ("more",)))


MAKERS = (
    *(text_for_a_number, text_for_a_number, fraction_for_a_count, node_for_a_value, node_for_a_value, not_finite, out_of_range),
    *(out_of_range, no_yes_or_no, no_such_word, null, nothing, huge, time, several, many),
)
