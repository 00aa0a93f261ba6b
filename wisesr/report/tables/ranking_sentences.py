"""What is said of heads ranked over datasets: what the tests found, how, what that is about, and why there is no ranking."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.report.ranking import LEAST, Ranking, sizes_text
from wisesr.report.tables.numbers import p_value
from wisesr.statistics.families import LEVEL
from wisesr.statistics.ranks import DRAWS, Friedman, Pair, datasets_needed, least_p
from wisesr.wording import count_of, some_of

_SHOWN = 4
"""Pairs, heads or datasets that a sentence names."""


def verdict(ranking: Ranking) -> str:
    """What the tests over datasets show, or why there are none; a sentence or two."""
    if ranking.refused:
        return refusal(ranking)
    apart, pairs = ranking.apart, len(ranking.pairs)
    over = f"Over {len(ranking.of.datasets)} datasets ({_place(ranking)})"
    if not apart:
        result = "the two heads do not differ" if pairs == 1 else f"none of {pairs} pairs of heads differs"
        return f"{over}, {result} at 5 % after Holm{_of_any(ranking)}.{impossible(ranking)}"
    names = some_of([_named(ranking, pair) for pair in apart], _SHOWN, "; ")
    number = f"all {pairs}" if len(apart) == pairs else f"{len(apart)} of {pairs}"
    result = "the two heads differ" if pairs == 1 else f"{number} pairs of heads differ{'s' * (len(apart) == 1)}"
    return f"{over}, {result} at 5 % after Holm: {names}."


def _place(ranking: Ranking) -> str:
    at = f"{sizes_text(ranking.sizes)}, {ranking.ranked_by}"
    return f"{at}, protocol=paper" if ranking.protocol == "paper" else at


def _of_any(ranking: Ranking) -> str:
    """What Friedman's test says where no pair differs."""
    found = ranking.friedman
    if found is None:
        return ""
    if found.p >= LEVEL:
        return f", and Friedman's test ({_p(found)}) leaves open whether any heads do"
    return f", though not all heads are equal (Friedman's test, {_p(found)})"


def _p(found: Friedman) -> str:
    """`p = 0.012`, `p < 0.001`."""
    return f"p {'' if found.p < 0.001 else '= '}{p_value(found.p)}"


def _named(ranking: Ranking, pair: Pair) -> str:
    """Which is ahead of which: mean ranks depend on the other heads, too, and may say the opposite of two."""
    ahead, behind, datasets = pair.first, pair.second, pair.higher
    if pair.lower > pair.higher:
        ahead, behind, datasets = pair.second, pair.first, pair.lower
    names = f"{ranking.heads[ahead].head} is ahead of {ranking.heads[behind].head}"
    return f"{names} on {datasets} of {len(ranking.of.datasets)}"


def impossible(ranking: Ranking) -> str:
    """Where so few datasets could set no pair of so many heads apart."""
    heads, datasets = len(ranking.heads), len(ranking.of.datasets)
    if datasets >= (needed := datasets_needed(heads)):
        return ""
    lowest = len(ranking.pairs) * least_p(datasets)
    least = f"{lowest:.2g} or more" if lowest < 1 else "always 1"
    return (
        f" None could: with {datasets} datasets and {len(ranking.pairs)} pairs, p after Holm is {least}; "
        f"{heads} heads need {needed} datasets."
    )


def refusal(ranking: Ranking) -> str:
    """Why no heads are ranked; empty where they are."""
    of = ranking.of
    if len(of.heads) < 2:
        every = some_of(of.datasets, _SHOWN)
        return f"Heads are not ranked over {count_of(len(of.datasets), 'dataset')} ({every}): no two heads are on all of them."
    datasets = len(of.datasets)
    if datasets >= LEAST:
        return ""
    if not datasets:
        return "Heads are not ranked over datasets: no backbone has all heads with a seed in common."
    lowest = f"2/{2**datasets} = {least_p(datasets):g}"
    return (
        f"Heads are not ranked over {count_of(datasets, 'dataset')} ({some_of(of.datasets, _SHOWN)}): over so many, Wilcoxon's "
        f"exact test, two-sided, cannot fall below {lowest}, so no two heads could ever differ at 5 %. "
        f"{LEAST} datasets are the least."
    )


def caption(ranking: Ranking) -> str:
    """Of the figure and the tables: what stands there, how it came about, what it is about."""
    of = f"{len(ranking.heads)} heads over {len(ranking.of.datasets)} datasets"
    holm = "" if len(ranking.pairs) == 1 else f", after Holm over all {len(ranking.pairs)} pairs"
    parts = [
        f"Mean ranks of {of} by {ranking.ranked_by}; equal heads share a rank.",
        "A dataset counts once: with a head's mean over the seeds, then over the backbones, that all ranked heads have there.",
        f"A bar joins heads, neighbours by rank, of whom no two differ at 5 %: Wilcoxon's exact test, two-sided{holm}."
        f"{impossible(ranking) or ' A bar is no proof that they are equal.'}",
        _of_all(ranking),
        _barless(ranking),
        "Ranks tell how consistently a head is ahead over datasets like these, and not by how much, nor on which of them.",
    ]
    return " ".join(filter(None, parts))


def _of_all(ranking: Ranking) -> str:
    found = ranking.friedman
    if found is None:
        return "" if len(ranking.heads) == 2 else "All heads are equal on every dataset."
    closed = "; as it leaves open whether any heads differ, no pair is said to" if found.p >= LEVEL else ""
    statistic = f"chi-squared {found.statistic:.1f}, {_p(found)} by {DRAWS:,} permutations within datasets"
    return f"Friedman's test of all heads: {statistic}{closed}."


def _barless(ranking: Ranking) -> str:
    """Pairs of whom the lack of a bar would say too much."""
    if not ranking.barless:
        return ""
    names = [f"{ranking.heads[pair.first].head} and {ranking.heads[pair.second].head}" for pair in ranking.barless]
    return f"No bar, and yet no difference, as a head between them differs from one of them: {some_of(names, _SHOWN, '; ')}."


def notes(ranking: Ranking) -> tuple[str, ...]:
    """What a reader should know: heads and datasets that are not in the ranking, heads that are not the same everywhere."""
    of = ranking.of
    lacking = [f"{head} is not on {some_of(datasets, _SHOWN)}" for head, datasets in of.absent.items()]
    parts = [] if ranking.refused else [f"Datasets: {', '.join(of.datasets)}."]
    parts += [f"Not ranked, as only heads on all datasets are: {'; '.join(lacking)}."] if lacking else []
    if of.without_row and len(of.datasets):
        curves = " and curves that can be read" if of.last_epochs else ""
        reason = f"no backbone there has all ranked heads with a seed in common{curves}"
        parts.append(f"Left out: {some_of(of.without_row, _SHOWN)}, as {reason}.")
    parts += [f"One computation everywhere, and ranked once: {' and '.join((head, *same))}." for head, same in of.twins.items()]
    unlike = [f"{head} ({', '.join(keys)})" for head, keys in of.unlike.items()]
    parts += [f"Not of the same settings on all datasets: {'; '.join(unlike)}."] if unlike else []
    return tuple(parts) + _protocol(ranking)


def _protocol(ranking: Ranking) -> tuple[str, ...]:
    if ranking.protocol != "paper" or ranking.refused:
        return ()
    favours = "a head whose accuracy moves more from epoch to epoch"
    if ranking.of.last_epochs:
        return (f"protocol=paper: ranked by the mean over the last epochs, as the best of all epochs would favour {favours}.",)
    return (f"protocol=paper: the epoch was chosen on the test images, which favours {favours}.",)


def found_sentences(rankings: Sequence[Ranking]) -> tuple[str, ...]:
    """What the tests over datasets show, of the rankings that are there."""
    return tuple(verdict(ranking) for ranking in rankings if not ranking.refused)
