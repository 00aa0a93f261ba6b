"""The `wisesr` command: what there is to do with data and cells besides training. What a command needs is imported on use."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from wisesr import __version__
from wisesr.cli.data import add_data
from wisesr.cli.evaluate import add_evaluate
from wisesr.cli.explain import add_explain
from wisesr.cli.export import add_export
from wisesr.cli.predict import add_predict
from wisesr.cli.report import add_report
from wisesr.cli.status import add_status
from wisesr.cli.sync import add_sync
from wisesr.encoding import begin_in_utf_8, take_any_text
from wisesr.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        An exit code.
    """
    if arguments is None:
        begin_in_utf_8()
    else:
        take_any_text()
    parser = argparse.ArgumentParser(prog="wisesr", description="Look at what train.py has left. Training: train.py --help")
    parser.add_argument("--version", action="version", version=f"wisesr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    layout = argparse.RawDescriptionHelpFormatter
    add_status(commands.add_parser("status", help="where the cells below a directory stand", formatter_class=layout))
    add_report(commands.add_parser("report", help="tables, statistics, figures and a page", formatter_class=layout))
    add_evaluate(commands.add_parser("evaluate", help="trained models measured again", formatter_class=layout))
    add_predict(commands.add_parser("predict", help="what a trained cell says of picture files", formatter_class=layout))
    add_explain(commands.add_parser("explain", help="what in a picture spoke for a class", formatter_class=layout))
    add_export(commands.add_parser("export", help="a trained model as one file, ONNX or torch", formatter_class=layout))
    add_sync(commands.add_parser("sync", help="offline W&B runs to the server", formatter_class=layout))
    add_data(commands.add_parser("data", help="datasets: prepare, check, show", formatter_class=layout))
    chosen, others = parser.parse_known_args(arguments)
    if others and (not hasattr(chosen, "overrides") or any(other.startswith("-") for other in others)):
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    if others:
        chosen.overrides = [*chosen.overrides, *others]  # argparse takes no more of them once an option stood between
    try:
        return int(chosen.run(chosen))
    except BrokenPipeError:  # `| head` has read enough: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
