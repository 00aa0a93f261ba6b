"""What a command sweeps, as the overrides of each cell: every combination, but for axes that go together. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from hydra.core.override_parser.types import Override, ValueType

from wisesr.config.options import is_option
from wisesr.errors import UserError, unknown
from wisesr.wording import count_of, some_of

SIZES = ("resolution", "resolution.size")
"""A group and its one key: two names of one thing."""

_SHOWN = 4
"""Values of an axis that a message lists."""


def combinations(overrides: Sequence[Override], together: Sequence[Sequence[str]] = ()) -> list[list[str]]:
    """The overrides of each cell: every combination of what is swept, the last key varying fastest; of a key twice the later.

    Args:
        overrides: of the command, and what an experiment sweeps before them.
        together: keys whose values go together one by one, the first with the first (`zipped`).

    Raises:
        UserError: a sweep that has no end, `interval(0,1)`; keys that cannot go together.
    """
    choices: dict[str, list[str]] = {}
    for override in overrides:
        choices[override.get_key_element()] = values_of(override)
    groups = [_own_names(group, choices) for group in together]
    _refuse_uneven(groups, choices)
    axes = []
    for key in choices:
        group = next((group for group in groups if key in group), [key])
        if key == min(group, key=list(choices).index):
            axes.append(
                [dict(zip(group, values, strict=True)) for values in zip(*(choices[own] for own in group), strict=True)]
            )
    cells = [{key: value for part in parts for key, value in part.items()} for parts in product(*axes)]
    return [[f"{key}={cell[key]}" for key in choices] for cell in cells]


def values_of(override: Override) -> list[str]:
    """The values that an override lists, as Hydra writes them; one where it is no sweep.

    Raises:
        UserError: an interval, which has no values to list; a range or pattern of none.
    """
    if not override.is_sweep_override():
        return [override.get_value_element_as_str()]
    if not override.is_discrete_sweep():
        raise UserError(
            f"{override.input_line}: an interval has no values to list; give choices or range(FROM,TO,STEP), "
            f"or let hydra/sweeper=search choose from it"
        )
    values = list(override.sweep_string_iterator())
    if override.value_type == ValueType.GLOB_CHOICE_SWEEP:
        values = [value for value in values if is_option(value)]
    if not values:
        raise UserError(f"{override.input_line}: no value comes of it, and so no cell")
    return values


def zipped(setting: object) -> list[list[str]]:
    """`grid.zip` as lists of keys: one list stands for a list of one.

    Raises:
        UserError: fewer than two keys in one, or a key in two of them.
    """
    lists = setting if isinstance(setting, list) else []
    together = [lists] if lists and all(isinstance(key, str) for key in lists) else lists
    if short := [group for group in together if len(group) < 2]:
        raise UserError(f"grid.zip takes at least two keys that go together, and {_listed(short[0])} is {len(short[0])}")
    keys = [key for group in together for key in group]
    if twice := [key for key in dict.fromkeys(keys) if keys.count(key) > 1]:
        raise UserError(f"grid.zip: {twice[0]} stands in it twice; three that go together are one list, [a,b,c]")
    return together


def describe_zipped(together: Sequence[Sequence[str]], overrides: Sequence[Override]) -> str:
    """`resolution with recipe.batch_size: 2 pairs`; empty where nothing goes together."""
    choices = {override.get_key_element(): values_of(override) for override in overrides}
    names = [_own_names(group, choices) for group in together]
    kinds = {2: "pair", 3: "triple"}
    return ", ".join(
        f"{' with '.join(group)}: {count_of(len(choices[group[0]]), kinds.get(len(group), 'tuple'))}" for group in names
    )


def swept_keys(overrides: Iterable[Override]) -> list[str]:
    """The keys that have several values."""
    return list(dict.fromkeys(override.get_key_element() for override in overrides if override.is_sweep_override()))


def _own_names(group: Sequence[str], choices: Mapping[str, Sequence[str]]) -> list[str]:
    """Keys of `grid.zip` as this command writes them: the size has two names."""
    names = []
    for key in group:
        own = next((name for name in (key, *(SIZES if key in SIZES else ())) if name in choices), None)
        if own is None:
            several = [name for name, values in choices.items() if len(values) > 1]
            raise UserError(
                f"grid.zip: {unknown('key with a list of values', key, several)}. Give one, {key}=A,B, or grid.zip=null"
            )
        names.append(own)
    return names


def _refuse_uneven(groups: Sequence[Sequence[str]], choices: Mapping[str, Sequence[str]]) -> None:
    """Raises UserError where keys that go together have different numbers of values."""
    for group in groups:
        if len({len(choices[key]) for key in group}) > 1:
            told = " and ".join(f"{key} has {count_of(len(choices[key]), 'value')} ({_shown(choices[key])})" for key in group)
            raise UserError(
                f"grid.zip={_listed(group)}: the first value of one goes with the first of the other, and so on, but {told}. "
                f"Give as many of each, or grid.zip=null"
            )


def _shown(values: Sequence[str]) -> str:
    """Values as a user writes them: names of a group that are numbers have quotes here, for Hydra."""
    return some_of([value.strip("'") for value in values], _SHOWN)


def _listed(keys: Sequence[str]) -> str:
    return f"[{','.join(keys)}]"
