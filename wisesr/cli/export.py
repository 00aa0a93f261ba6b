"""`wisesr export`: a run as one file, ONNX or a program of torch, checked against the run, with a model card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.cli.names import file_name
from wisesr.cli.runs import RUN, add_run_options, load_run
from wisesr.errors import UserError

if TYPE_CHECKING:
    from wisesr.inference.export import Exported
    from wisesr.inference.exporting.formats import Format
    from wisesr.inference.run import Run

_EXPORT = f"""\
Write a run as one file that computes its logits without wisesr and timm, and
beside it FILE.md, a model card: data, figures, protocol, cost, licence of the
weights, limits, and a program that uses the file.

{RUN}
--format onnx    (default) answers with logits and probabilities; needs
                 pip install 'wisesr[onnx]'
--format torch   a .pt2 for torch.export.load; answers with logits

Any batch size; float32, whatever the precision of the training; on the CPU. The
head is folded: pre-averaging becomes part of the kernel, dropout is gone.

--preprocessing inside     (default) the input `images` is uint8, RGB, (batch, 3,
                           size, size), and the file normalises as in training
--preprocessing metadata   it is float32, normalised by you

Resizing is never in the file. Its way and filter, the class names, mean and
std, and what the run is are in its metadata.

Before the file appears it must answer as the run does, on random pictures and,
where they still lie there, on test images, one at a time and five together:
logits within 1e-4 (onnx, computed by onnxruntime) or 1e-5 (torch) of the run's
without mixed precision, times the largest logit where that is above 1. If not,
no file is written, and the distance is said.

exit code: 1 if nothing was written, else 0.

examples:
  wisesr export digits:resnet18-wise-0
  wisesr export resnet18-wise --format torch --output models/digits.pt2
"""


def add_export(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _EXPORT
    parser.set_defaults(run=export)
    parser.add_argument("name", metavar="RUN", help="a finished cell")
    parser.add_argument("--format", choices=("onnx", "torch"), default="onnx", help="of the file (onnx)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: ./STUDY-BACKBONE-HEAD-SIZE-seed-N.onnx or .pt2")
    parser.add_argument(
        "--preprocessing", choices=("inside", "metadata"), default="inside", help="where images are normalised (inside)"
    )
    parser.add_argument("--opset", type=int, metavar="N", help="version of ONNX's operators, 18 or later (18)")
    parser.add_argument("--resolution", type=int, metavar="PX", help="of the input, if not the trained one")
    parser.add_argument("--tolerance", type=float, metavar="X", help="in place of 1e-4 (onnx) or 1e-5 (torch)")
    add_run_options(parser, device=False)


def export(chosen: argparse.Namespace) -> int:
    """Export a run and say what was checked.

    Returns:
        0.

    Raises:
        UserError: no such run; a setting that does not fit the format; the file answers otherwise than the run.
    """
    from wisesr.inference.export import export as write
    from wisesr.results.writable import require_writable

    format = _format(chosen)
    format.require()
    if chosen.tolerance is not None and not chosen.tolerance > 0:
        raise UserError(f"--tolerance must be above 0, not {chosen.tolerance}")
    _say("loading the run")
    run = load_run(chosen.name, chosen, chosen.resolution)
    path = chosen.output or Path(_default_name(run) + format.suffix)
    if path.suffix != format.suffix:
        raise UserError(f"--output must end in {format.suffix} for --format {format.name}, and {path} does not")
    if path.is_dir():
        raise UserError(f"--output must be a file, and {path} is a folder")
    require_writable("--output", path)
    made = write(run, path, format, preprocessing=chosen.preprocessing, tolerance=chosen.tolerance, say=_say)
    _print(run, made, format, chosen.preprocessing)
    return 0


def _format(chosen: argparse.Namespace) -> Format:
    from wisesr.inference.exporting.onnx_format import OPSET, OnnxFormat
    from wisesr.inference.exporting.torch_format import TorchFormat

    if chosen.format == "onnx":
        return OnnxFormat(OPSET if chosen.opset is None else chosen.opset)
    if chosen.opset is not None:
        raise UserError("--opset is of ONNX: --format torch has none")
    return TorchFormat()


def _default_name(run: Run) -> str:
    labels = run.labels
    return file_name(f"{labels.study}-{labels.backbone}-{labels.head}-{run.image_size}-seed-{labels.seed}")


def _print(run: Run, made: Exported, format: Format, preprocessing: str) -> None:
    precision, trained = run.config["trainer"]["precision"], run.config["resolution"]["size"]
    for what, apart in made.differences.items():
        print(f"logits on {what}: within {apart:.1e} of the run's")
    if precision != "32-true":
        print(f"trained in {precision}: the file is in float32, and was held against the run without mixed precision")
    if run.image_size != trained:
        print(f"trained at {trained} px, exported at {run.image_size} px: the card's figures are of {trained} px")
    size, kind = run.image_size, "uint8 RGB" if preprocessing == "inside" else "normalised float32"
    opset = "".join(f", {name} {value}" for name, value in format.about().items())
    shapes = f"images (batch, 3, {size}, {size}), {kind} -> {', '.join(format.outputs)}"
    print(f"{made.path} ({made.bytes / 1e6:.1f} MB{opset}): {shapes}")
    print(f"{made.card}: its model card")


def _say(text: str) -> None:
    print(f"{text} ...", flush=True)
