"""`wisesr predict`: what a trained cell says of picture files, a row each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.cli.numbers import at_least_1
from wisesr.cli.predict_output import format_of, require_output, write_rows
from wisesr.cli.runs import RUN, add_run_options, load_run
from wisesr.errors import UserError

if TYPE_CHECKING:
    from wisesr.inference.run import Run

_PREDICT = f"""\
The classes that a finished cell sees in picture files, one row a file, in the
order given. Files are read as in the training (EXIF, grey range) and resized as
in its test.

{RUN}
PATH is one of
  a file       tried by its content, whatever its name
  a folder     all images below it by the ending of their names, in natural
               order (2 before 10); hidden files and what systems leave are
               skipped; links are followed, a folder is read once
  a pattern    'photos/**/*.jpg', quoted; ** is any number of folders; in
               natural order too
  -            a list of paths from standard input, one a line; with -0 each
               ended by NUL, as find -print0 writes them

columns: path, class, probability; with --top 3 class_2, probability_2, class_3,
probability_3 follow; with --probabilities a column probability:NAME for every
class; the last one, error, is empty unless the file cannot be read.
  csv       UTF-8; bytes of a path that are no UTF-8 stay as they are
  jsonl     {{"path", "predictions": [{{"class", "probability"}}, ...], "error"}},
            with --probabilities also "probabilities": {{NAME: ...}}
  parquet   what is empty is null; path_bytes has paths that are no UTF-8.
            Needs pip install 'wisesr[parquet]'

A file that cannot be read (damaged, empty, a pipe, a single pixel, above 179
million pixels, ...), and a path or pattern that finds nothing, gets a row with
an error and no class, and a line on standard error; the rest is done.

--output FILE appears when all is done, and replaces an older one; after Ctrl-C,
or an error, the rows so far are in FILE.partial. On standard output rows appear
batch by batch.

exit code: 0 if every file could be read, as of an empty list; 1 if one could
not, or if run, options or output cannot be used; 2 for options that there are
not; 130 after Ctrl-C.

examples:
  wisesr predict houses:efficientnet_lite0-wise-0 photos/
  wisesr predict digits-64/resnet18-wise/seed-0 a.png b.png --top 3
  wisesr predict resnet18-wise '/data/**/*.jpg' --output all.parquet
  find /data -name '*.jpg' -print0 | wisesr predict resnet18-wise - -0
"""


def add_predict(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _PREDICT
    parser.set_defaults(run=predict)
    parser.add_argument("cell", metavar="RUN", help="a finished cell")
    parser.add_argument("paths", metavar="PATH", nargs="+", help="files, folders, quoted patterns, or - for a list")
    parser.add_argument("--top", metavar="K", type=at_least_1, default=1, help="classes in a row (1); all if there are fewer")
    parser.add_argument("--probabilities", action="store_true", help="the probability of every class as well")
    parser.add_argument("--output", metavar="FILE", type=Path, help="instead of standard output; format by its ending")
    parser.add_argument("--format", choices=("csv", "jsonl", "parquet"), help="csv, unless FILE ends otherwise")
    parser.add_argument("-0", "--null", action="store_true", help="the list on standard input is divided by NUL")
    parser.add_argument(
        "--batch-size", metavar="N", type=at_least_1, default=32, help="pictures that the model gets at once (32)"
    )
    parser.add_argument("--workers", metavar="N", type=at_least_1, help="threads that decode (one a core)")
    add_run_options(parser)


def predict(chosen: argparse.Namespace) -> int:
    """Write a row for every file.

    Returns:
        1 if a file could not be read; else 0.

    Raises:
        UserError: options that do not go together, or a run that cannot be loaded.
    """
    kind = format_of(chosen.format, chosen.output)
    _require_list(chosen.paths, chosen.null)
    require_output(chosen.output)
    if kind == "parquet":
        from wisesr.inference.prediction.parquet import require_pyarrow

        require_pyarrow()
    return _predict(chosen, kind, load_run(chosen.cell, chosen))


def _require_list(paths: Sequence[str], null: bool) -> None:
    from wisesr.inference.prediction.paths import LIST

    if paths.count(LIST) > 1:
        raise UserError(
            f"the list on standard input can be read once, and {LIST} stands {paths.count(LIST)} times among the paths"
        )
    if LIST in paths and sys.stdin is None:
        raise UserError(f"{LIST} stands for a list on standard input, and that is closed")
    if null and LIST not in paths:
        raise UserError(f"-0 says how the list on standard input is divided, and no path is {LIST}")


def _predict(chosen: argparse.Namespace, kind: str, run: Run) -> int:
    """The rows, with what is to be told on standard error."""
    from wisesr.cli.predict_messages import Told
    from wisesr.cli.predict_progress import stderr_console, with_bar
    from wisesr.inference.predict import predict_files
    from wisesr.inference.prediction.paths import LIST, Skipped, find_pictures, read_list
    from wisesr.inference.prediction.rows import Layout

    console, skipped = stderr_console(rows_on_stdout=chosen.output is None), Skipped()
    listed = read_list(sys.stdin.buffer, b"\0" if chosen.null else b"\n") if LIST in chosen.paths else ()
    pictures = find_pictures(chosen.paths, skipped, listed)
    batches = predict_files(run, pictures, batch_size=chosen.batch_size, workers=chosen.workers)
    count = None if LIST in chosen.paths else lambda: sum(1 for _ in find_pictures(chosen.paths, Skipped()))
    layout = Layout(run.class_names, chosen.top, chosen.probabilities)
    told = Told(console, skipped)
    try:
        write_rows(told.problems(with_bar(batches, console, count)), chosen.output, kind, layout)
    except BaseException:
        told.cut_short(chosen.output)
        raise
    told.end(chosen.output)
    return 1 if told.bad else 0
