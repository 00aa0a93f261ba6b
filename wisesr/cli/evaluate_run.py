"""One run evaluated into its folder, as `wisesr evaluate` does with a cell, and with each of a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.cli.names import file_name
from wisesr.wording import percent

if TYPE_CHECKING:
    from wisesr.data.progress import Progress
    from wisesr.inference.evaluation.evaluation import Evaluation
    from wisesr.inference.evaluation.pictures import Pictures
    from wisesr.inference.evaluation.samples import Decoder
    from wisesr.inference.run import Run

EVALUATIONS = "evaluations"
"""Where evaluations go, below the outputs."""


class Request(NamedTuple):
    """What is asked for, of whichever run."""

    split: str | None
    """None for the test split of another folder, or all of one that has none."""
    data: Path | None
    """Another folder; None for the run's own dataset."""
    layout: Mapping[str, Any]
    root: Path | None
    workers: int | None
    trust: bool
    command: str

    def what(self, resolution: int | None) -> str:
        """A name for it, as names of folders have it: `test`, `photos-all-448px`."""
        parts = [] if self.data is None else [self.data.resolve().name]
        parts += [self.split] if self.split else []
        return file_name("-".join(parts + ([f"{resolution}px"] if resolution else [])))


def output_of(run: Run, request: Request, outputs: Path) -> Path:
    """The folder of an evaluation where none is named; the digits of the fingerprint tell settings and datasets apart."""
    return outputs / EVALUATIONS / f"{name_of(run)}-{request.what(_other_size(run))}"


def name_of(run: Run) -> str:
    """A run as names of files have it: `digits-resnet18-wise-seed-0-1a2b3c4d`."""
    labels = run.labels
    names = f"{labels.study}-{labels.backbone}-{labels.head}-seed-{labels.seed}-{run.record.fingerprint[:8]}"
    return file_name(names)


def _other_size(run: Run) -> int | None:
    return run.image_size if run.image_size != run.config["resolution"]["size"] else None


def evaluate_run(run: Run, request: Request, output: Path, *, label: str = "", decoder: Decoder | None = None) -> Evaluation:
    """Evaluate a run and write the files.

    Args:
        run: at its resolution.
        request: what is evaluated.
        output: the folder.
        label: that progress bars begin with.
        decoder: that keeps decoded pictures for the next run.

    Raises:
        UserError: the data is not there or does not fit, no image can be read, or the folder is none for this.
    """
    from rich.console import Console

    from wisesr.grid.console import tracked
    from wisesr.inference.evaluate import evaluate
    from wisesr.inference.evaluation.files import check_folder, identity_of, write_evaluation

    console = Console(stderr=True, highlight=False)

    def shown(items: Any, total: int, text: str) -> Any:
        return tracked(items, total, f"{label} {text}".strip(), console)

    pictures = _pictures(run, request, shown)
    identity = identity_of(run, pictures.source.kind, pictures.source.root, pictures.source.split)
    check_folder(output, identity)
    done = evaluate(run, pictures, workers=request.workers, progress=shown, decoder=decoder)
    write_evaluation(output, run, done, identity=identity, command=request.command, pictures=_drawn(run, done))
    return done


def _pictures(run: Run, request: Request, progress: Progress) -> Pictures:
    from wisesr.inference.evaluation.other_folder import folder_pictures
    from wisesr.inference.evaluation.own_data import own_pictures

    if request.data is not None:
        return folder_pictures(run, request.data, split=request.split, layout=request.layout, progress=progress)
    return own_pictures(run, request.split or "test", root=request.root, trust=request.trust, progress=progress)


def _drawn(run: Run, done: Evaluation) -> dict[str, bytes]:
    """The reliability diagram, by the names of its files."""
    from wisesr.cli.evaluation_tables import described, model_of
    from wisesr.inference.evaluation.class_figures import calibration
    from wisesr.inference.evaluation.files import RELIABILITY_PNG, RELIABILITY_SVG
    from wisesr.report.figures.reliability import reliability_spec
    from wisesr.report.figures.render import render

    subtitle = f"{described(done)}; calibration error {percent(done.figures['ece'])} %"
    picture = render(reliability_spec(calibration(done.predictions), model_of(run), subtitle))
    return {RELIABILITY_SVG: picture.svg.encode(), RELIABILITY_PNG: picture.png}
