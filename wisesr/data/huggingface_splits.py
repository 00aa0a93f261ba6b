"""Which split each one of a Hugging Face dataset is. No torch."""

from __future__ import annotations

from collections.abc import Mapping

from wisesr.data.manifest import SPLITS, TEST, TRAIN, VAL
from wisesr.data.overrides import overrides
from wisesr.data.parts import split_of
from wisesr.data.split_words import meant
from wisesr.errors import UserError, unknown


def splits_by_name(source: str, labelled: Mapping[str, bool], given: Mapping[str, str | None]) -> dict[str, str]:
    """Train, val or test for each of a dataset's splits that is one of them.

    Args:
        source: what messages call the dataset.
        labelled: its splits, and whether they have labels.
        given: train, val and test, and what the user says they are called; by their names where he says nothing.

    Raises:
        UserError: no split is called as the user says; two are the same by their names, or one is most likely one.
    """
    chosen = {split: name for split, name in given.items() if name is not None}
    for split, name in chosen.items():
        if name not in labelled:
            raise UserError(f"dataset.{split}: {unknown('split', name, labelled)}")
        if list(chosen.values()).count(name) > 1:
            raise UserError(f"dataset.{split}={name}: it is given for two splits")
    if chosen:
        return {name: split for split, name in chosen.items()}
    if len(labelled) == 1:
        return dict.fromkeys(labelled, TRAIN)
    found = {name: own for name in labelled if (own := split_of(name))}
    with_labels = {name: split for name, split in found.items() if labelled[name]}
    for split in SPLITS:
        same = [name for name, own in with_labels.items() if own == split]
        if len(same) > 1:
            raise UserError(
                f"dataset.source={source} has {', '.join(same)}, all of them {split}: {_ways(with_labels, same[1:])}"
            )
    for name in labelled:
        like = meant(name)
        if name not in found and labelled[name] and like and like not in with_labels.values():
            raise UserError(
                f"{name} of dataset.source={source} would be left out: {_ways({**with_labels, name: like}, [name])}"
            )
    return found


def _ways(splits: Mapping[str, str], doubtful: list[str]) -> str:
    """Overrides that take splits for what they are, and without doubtful ones."""
    without = {split: name for name, split in splits.items() if name not in doubtful}
    ways = [f"{_given(without)} does without"] if without else []
    free = [split for split in (VAL, TEST) if split not in without]
    own = splits[doubtful[0]]
    use = own if own not in without else next(iter(free), None)
    if use is not None:
        ways.insert(0, f"{_given({**without, use: doubtful[0]})} takes {doubtful[0]} for {use}")
    return "; ".join(ways)


def _given(splits: Mapping[str, str]) -> str:
    return overrides({f"dataset.{split}": splits[split] for split in SPLITS if split in splits})
