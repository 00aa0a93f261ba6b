"""A run into one file and its model card; the file is only there once it answers as the run does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from wisesr.errors import UserError
from wisesr.inference.exporting.about import about
from wisesr.inference.exporting.card import model_card
from wisesr.inference.exporting.formats import Format, capture
from wisesr.inference.exporting.network import Network
from wisesr.inference.exporting.trial import Checked, Trial, largest_difference, noise_trial, scale_of, split_trial
from wisesr.inference.run import Run
from wisesr.results.atomic_files import replacing, write_text

Preprocessing = Literal["inside", "metadata"]


class Exported(NamedTuple):
    """What was written."""

    path: Path
    card: Path
    bytes: int
    """Of the file."""
    differences: dict[str, float]
    """By what was fed: the largest distance of its logits from the run's."""


def export(
    run: Run,
    path: Path,
    format: Format,
    *,
    preprocessing: Preprocessing = "inside",
    tolerance: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write a file that computes what the run does, in float32, and `path` + `.md`, its model card.

    Args:
        run: as it was loaded: a resolution other than the trained one is that of the file.
        path: of the file; it is replaced whole, once the new one has passed its check.
        format: ONNX or torch.
        preprocessing: "inside": the file takes uint8 RGB pixels of the run's size, and normalises them; "metadata": it takes
            what the run's transform makes of them, and says how. Resizing is never in it.
        tolerance: to the run's logits, times the largest of them where it is above 1; None for the format's own.
        say: called with a line for each thing that takes seconds.

    Raises:
        UserError: a package is missing; the network cannot be had in this format; the file answers otherwise than the run.
    """
    if preprocessing not in ("inside", "metadata"):
        raise UserError(f"preprocessing must be inside or metadata, not {preprocessing!r}")
    format.require()
    inside, allowed = preprocessing == "inside", format.tolerance if tolerance is None else tolerance
    trials = [trial for trial in (noise_trial(run), split_trial(run)) if trial is not None]
    fed = trials[0].pixels if inside else trials[0].images
    say("capturing the graph")
    program = capture(Network(run, inside=inside, probabilities=len(format.outputs) > 1), fed[:2])
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        say(f"writing it as {format.name}")
        format.write(program, about(run, format, inside=inside), partial)
        say(f"checking it with {format.runtime}")
        differences = _differences(trials, partial, format, inside=inside)
        _require_equal(trials, differences, allowed, path, inside=inside)
    card = path.with_name(f"{path.name}.md")
    write_text(card, model_card(run, path.name, format, Checked(differences, allowed, tuple(trials)), inside=inside))
    return Exported(path, card, path.stat().st_size, differences)


def _differences(trials: list[Trial], path: Path, format: Format, *, inside: bool) -> dict[str, float]:
    answer = format.open(path)
    return {trial.what: largest_difference(trial, answer, inside=inside) for trial in trials}


def _require_equal(trials: list[Trial], differences: dict[str, float], allowed: float, path: Path, *, inside: bool) -> None:
    bounds = {trial.what: allowed * scale_of(trial) for trial in trials}
    off = {what: apart for what, apart in differences.items() if not apart <= bounds[what]}  # NaN is not
    if off:
        ways = ["a larger --tolerance, if that is near enough"]
        if inside:
            ways.append("--preprocessing metadata, if an augmentation of your own normalises otherwise than it says")
        told = ", ".join(f"{apart:.2g} on {what} (allowed: {bounds[what]:.2g})" for what, apart in off.items())
        raise UserError(
            f"{path} was not written: its logits differ from the run's by {told}. The way out: {'; or '.join(ways)}"
        )
