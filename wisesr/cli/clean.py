"""`wisesr clean`: the disk of a study, told first and then freed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wisesr.cli.studies import find_study
from wisesr.errors import UserError
from wisesr.space.names import KEEP, KINDS
from wisesr.wording import count_of

if TYPE_CHECKING:
    from rich.console import Console

    from wisesr.space.plan import Choice, CleanPlan

_CLEAN = """\
Free the disk of what nobody needs of finished cells. What would go is told
first, as a table, and then asked for:

  best      best.ckpt of cells that are not the best of their row: of all heads
            and seeds of a backbone, dataset and size the one with the highest
            validation top-1 keeps it (of equals the lower loss, then the lower
            seed). --keep head keeps one of each head, for evaluate, predict,
            explain and export, --keep all keeps all, --keep none keeps none
  last      last.ckpt of finished cells, which no command reads any more:
            other epochs make another cell, and grid.force=true begins anew
  loggers   folders of W&B, TensorBoard and Lightning's loggers; W&B runs that
            are not on the server stay, unless --unsent is given
  partial   files that killed processes left half written
  code      the code that a study was frozen with (grid.frozen=true), once all
            of its cells are finished

Records, metrics, predictions, kernels, logs and configurations stay: finished
cells stay finished, and `wisesr report`, `status`, `sync` and the same training
command go on as before. Cells that run, were interrupted, failed or are done
anew are left alone; so are checkpoints that other cells start from, and links
with what they lead to. What went, and when, a cell notes in its cleaned.json.

`python -m wisesr.cell DIRECTORY --force` trains a cell again, and so makes its
checkpoints again. `wisesr report --evidence` compares heads of one seed: make
it before, or --keep all. With trainer.keep_checkpoints=best training itself
keeps no last.ckpt of a finished cell.

exit code: 1 if something could not be removed, or the answer was no

examples:
  wisesr clean digits_heads --dry-run --list    only tell, file by file
  wisesr clean digits_heads                     tell, ask, remove
  wisesr clean digits_heads --keep head         leave a model of each head
  wisesr clean digits_heads --keep all --yes    all but best.ckpt, unasked
  wisesr clean outputs --only last              last.ckpt of all studies
"""


def add_clean(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _CLEAN
    parser.set_defaults(run=clean)
    help_study = "directories with cells, or names of such below outputs/"
    parser.add_argument("studies", metavar="STUDY", nargs="+", help=help_study)
    parser.add_argument("--keep", choices=KEEP, default="row", help="whose best.ckpt stays (default: row)")
    help_only = f"no more than this: {', '.join(KINDS)}; may be given several times"
    parser.add_argument("--only", choices=KINDS, action="append", metavar="KIND", help=help_only)
    parser.add_argument("--unsent", action="store_true", help="W&B runs too that are not on the server; nothing else has them")
    help_cache = "also what this machine keeps of datasets, of all studies (wisesr cache); it is made again when needed"
    parser.add_argument("--cache", action="store_true", help=help_cache)
    parser.add_argument("--list", action="store_true", help="name every file and folder that would go")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--dry-run", action="store_true", help="tell what would go, and remove nothing")
    either.add_argument("--yes", action="store_true", help="do not ask")


def clean(chosen: argparse.Namespace) -> int:
    """Tell what would go, ask, remove.

    Returns:
        1 if something could not be removed, or the answer was no.

    Raises:
        UserError: there is no such study, no cell, or nobody to ask.
    """
    from wisesr.grid.console import make_console
    from wisesr.space.cache import cache_place
    from wisesr.space.leftovers import Kind
    from wisesr.space.plan import Choice
    from wisesr.space.told import tell

    kinds = tuple(Kind(name) for name in chosen.only) if chosen.only else tuple(Kind)
    choice, console = Choice(chosen.keep, kinds, chosen.unsent), make_console()
    roots = list(dict.fromkeys(find_study(name) for name in chosen.studies))
    plan, needed = _plan(roots, choice, console)
    cache = cache_place() if chosen.cache else None
    frees = tell(console, plan, choice, cache, listed=chosen.list)
    if not frees or chosen.dry_run:
        return 0
    if not chosen.yes and not _agreed(console):
        console.print("Nothing was removed.")
        return 1
    return _remove(console, plan, choice, needed, cache)


def _plan(roots: Sequence[Path], choice: Choice, console: Console) -> tuple[CleanPlan, set[Path]]:
    """What is to go of all studies together, and the checkpoints that cells start from."""
    from wisesr.grid.console import tracked
    from wisesr.results.cell_files import CONFIG, RESULT
    from wisesr.results.store import find_cells, is_cell
    from wisesr.space.plan import checkpoints_in_use, make_plan

    cells = {cell.resolve(): cell for root in roots for cell in find_cells(root)}
    for root in roots:
        if is_cell(root):
            raise UserError(f"{root} is one cell, and which are the best shows in their study: give that, or a folder of it")
        if not find_cells(root):
            raise UserError(f"there are no cells below {root}: a cell is a directory with a config.yaml, made by training")
    outputs = {cell.parents[3] for cell in cells if len(cell.parents) > 3}  # other studies may start from this one's cells
    beside = {path.parent for place in outputs for name in (CONFIG, RESULT) for path in place.glob(f"*/*/*/seed-*/{name}")}
    needed = checkpoints_in_use([*cells.values(), *sorted(beside)])
    shown = tracked(cells.values(), len(cells), "reading cells", console)
    return make_plan(list(shown), choice, needed), needed


def _agreed(console: Console) -> bool:
    """Ask; only where somebody can answer."""
    if not sys.stdin.isatty():
        raise UserError("Nothing was removed: there is no terminal to ask on. Add --yes to remove all this, or --dry-run")
    console.print("Remove? \\[y/N] ", end="")
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        return False


def _remove(console: Console, plan: CleanPlan, choice: Choice, needed: set[Path], cache: Path | None) -> int:
    """Remove it, cell by cell; what cannot be is named."""
    from wisesr.grid.console import say, tracked
    from wisesr.space.cache import clear_cache
    from wisesr.space.removal import ChangedError, UnfinishedError, clean_cell
    from wisesr.wording import size

    bytes_free, failed = 0, 0
    for cell in tracked(plan.cells, len(plan.cells), "removing", console):
        try:
            bytes_free += clean_cell(cell, choice, needed)
        except ChangedError as reason:
            say(console, f"left alone: {cell.directory}: {reason}")
        except UnfinishedError as reason:
            bytes_free, failed = bytes_free + reason.bytes_free, failed + 1
            say(console, f"FAILED: {reason}")
        except OSError as error:
            failed += 1
            say(console, f"FAILED: {cell.directory}: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
    if cache is not None:
        bytes_free += clear_cache(cache)
    console.print(f"{size(bytes_free)} are free again.")
    if failed:
        console.print(f"{count_of(failed, 'cell')} could not be cleaned.")
    return 1 if failed else 0
