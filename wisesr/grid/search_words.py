"""What a search tells: a line for each trial, the best of them, and what its user must know of a choice made this way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wisesr.config.schema import Config
from wisesr.results.cell_files import LOG
from wisesr.wording import count_of, percent

_DIGITS = 4
"""Of a number that a sampler drew, in a line to read; its cell has all of them."""

_IN_LABEL = ("dataset", "resolution", "resolution.size", "backbone", "head", "seed")
"""What every cell is called by."""


class Trial(NamedTuple):
    """One choice of settings, and what came of it."""

    settings: str
    """What was chosen: `recipe.optimizer.lr=0.0334 head.dropout=0.3`."""
    value: float | None = None
    """The higher the better; None where there is none."""
    reason: str = ""
    """Why there is none."""
    directory: Path | None = None
    """Of its cell; None where these settings were never run."""
    skipped: bool = False
    """Whether its cell was done before."""


def short(settings: str) -> str:
    """Settings with long numbers rounded: `recipe.optimizer.lr=0.03341`."""
    return re.sub(r"(?<==)-?\d+\.\d+(?:e-?\d+)?(?= |$)", lambda found: f"{float(found[0]):.{_DIGITS}g}", settings)


def label(settings: str) -> str:
    """What tells a cell from others of its names: settings without those that its label has anyway."""
    return " ".join(text for text in short(settings).split(" ") if text.partition("=")[0] not in _IN_LABEL)


def trial_sentence(trials: Sequence[Trial], total: int | None, figure: str) -> str:
    """The last of these trials: `trial 3 of 20: head.dropout=0.3: val top-1 91.61 %; the best so far is trial 1, 93.01 %`.

    Args:
        trials: at least one.
        total: how many there will be, where that is known.
        figure: what their values are.
    """
    number = len(trials)
    name = f"trial {number} of {total}" if total and number <= total else f"trial {number}"
    return ": ".join(filter(None, (name, short(trials[-1].settings), f"{_what(trials, figure)}{_standing(trials)}")))


def _what(trials: Sequence[Trial], figure: str) -> str:
    """What came of the last of these trials."""
    trial = trials[-1]
    same = [number for number, other in enumerate(trials[:-1], 1) if trial.directory and other.directory == trial.directory]
    if trial.value is not None:
        return (
            f"{figure} {percent(trial.value)} %{f', the cell of trial {same[0]}' if same else ', done before' * trial.skipped}"
        )
    if same:
        return f"failed, as trial {same[0]} did, whose cell it is"
    where = f" ({trial.directory / LOG})" if trial.directory and (trial.directory / LOG).is_file() else ""
    if trial.reason and (alike := [number for number, other in enumerate(trials[:-1], 1) if other.reason == trial.reason]):
        return f"failed, for the same reason as trial {alike[0]}{where}"
    reason = ". ".join(line.strip(" -") for line in trial.reason.splitlines() if line.strip())
    return f"failed: {reason or 'no reason was left'}{where}"


def _standing(trials: Sequence[Trial]) -> str:
    """How the last of these trials compares with the best of them."""
    best = best_of(trials)
    if best is None or len(trials) == 1:
        return ""
    if best == len(trials) - 1:
        return ", the best so far"
    return f"; the best so far is trial {best + 1}, {percent(trials[best].value or 0)} %"


def best_of(trials: Sequence[Trial]) -> int | None:
    """The index of the trial with the highest value, of equal ones the first; None where none has one."""
    values = [(-trial.value, index) for index, trial in enumerate(trials) if trial.value is not None]
    return min(values)[1] if values else None


def end_sentences(trials: Sequence[Trial], figure: str) -> list[str]:
    """The best of all trials, and what it takes to believe it."""
    best = best_of(trials)
    if best is None:
        return []
    leader, failed = trials[best], sum(trial.value is None for trial in trials)
    assert leader.value is not None
    cells = len({trial.directory for trial in trials if trial.value is not None})
    return [
        f"{count_of(len(trials), 'trial')}, {count_of(cells, 'cell')} done{f', {failed} failed' if failed else ''}. "
        f"The best is trial {best + 1}, {figure} {percent(leader.value)} %: {leader.settings}",
        f"  {leader.directory}",
        "The highest of several is partly luck: train these values with other seeds before they are compared.",
    ]


PAPER = (
    "This search chooses by accuracy on the test images (protocol=paper), so that of the best trial tells nothing of new ones: "
    "protocol=holdout chooses on held-out training images."
)


def seeds_note(seeds: set[object]) -> str:
    """What to know where trials differ in their seed; empty where they do not."""
    if len(seeds) < 2:
        return ""
    return (
        "note: seed is searched over like any other setting, so the best trial is also that of the luckiest seed. "
        "Give one for the search, and train what it finds with several."
    )


def seedless_note(option: str) -> str:
    """What to know where a search without a seed would be another one the next time; `option` is where it belongs, or empty."""
    if not option:
        return ""
    return f"note: the same command would choose other trials, and not continue this one; with {option}=0 it does."


def idle_note(trials: int, slots: int, option: str) -> str:
    """What to know where fewer trials are chosen at a time than cells could run; empty where they are not.

    Args:
        trials: of a batch.
        slots: cells at a time.
        option: the setting that says how many are chosen at a time; empty where it is not known.
    """
    if trials >= slots or not option:
        return ""
    return f"note: {count_of(trials, 'trial')} at a time, and room for {slots} cells: {option}={slots} uses all of it."


def protocol_figure(config: Config) -> str:
    """What the value of a trial is, in words."""
    return "test top-1" if config.get("protocol") == "paper" else "val top-1"
