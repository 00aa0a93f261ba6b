"""The `wisesr` command: training, and what there is to do with data and cells. What a command needs is imported on use."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from wisesr import __version__
from wisesr.cli.cache import add_cache
from wisesr.cli.clean import add_clean
from wisesr.cli.data import add_data
from wisesr.cli.evaluate import add_evaluate
from wisesr.cli.explain import add_explain
from wisesr.cli.export import add_export
from wisesr.cli.help import HelpFormatter
from wisesr.cli.predict import add_predict
from wisesr.cli.report import add_report
from wisesr.cli.status import add_status
from wisesr.cli.sync import add_sync
from wisesr.cli.train import add_train, train
from wisesr.cli.train_words import as_train_takes
from wisesr.data.legible import legible
from wisesr.encoding import begin_in_utf_8, take_any_text
from wisesr.errors import UserError, message, unknown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        An exit code.
    """
    if arguments is None:
        begin_in_utf_8()
    else:
        take_any_text()
    parser = argparse.ArgumentParser(prog="wisesr", description="Train classifiers, and look at what was trained.")
    parser.add_argument("--version", action="version", version=f"wisesr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, formatter_class=HelpFormatter, allow_abbrev=False)

    add_train(command("train", "one cell, or a grid of them (as python train.py): wisesr train --help"))
    add_status(command("status", "where the cells below a directory stand"))
    add_report(command("report", "tables, statistics, figures and a page"))
    add_evaluate(command("evaluate", "trained models measured again"))
    add_predict(command("predict", "what a trained cell says of picture files"))
    add_explain(command("explain", "what in a picture spoke for a class"))
    add_export(command("export", "a trained model as one file, ONNX or torch"))
    add_sync(command("sync", "offline W&B runs to the server"))
    add_clean(command("clean", "the disk freed of what nobody needs of a study"))
    add_cache(command("cache", "what is kept between cells: decoded images, feature maps"))
    add_data(command("data", "datasets: prepare, check, show"))
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["train"]:
        return train(given[1:])
    if given and not given[0].startswith("-") and given[0] not in commands.choices:
        parser.exit(2, message(unknown("command", given[0], commands.choices)) + "\n")
    chosen, others = parser.parse_known_args(given)
    if hasattr(chosen, "overrides"):
        try:
            others, chosen.overrides = as_train_takes(others), as_train_takes(chosen.overrides)
        except UserError as error:
            parser.exit(1, message(str(error)) + "\n")
    several = next((name for name in ("overrides", "paths") if hasattr(chosen, name)), None)
    if others and (several is None or any(other.startswith("-") for other in others)):
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    if others and several is not None:  # argparse takes no more of a list once an option stood between
        setattr(chosen, several, [*getattr(chosen, several), *others])
    try:
        return int(chosen.run(chosen))
    except BrokenPipeError:  # `| head` has read enough: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (UserError, OSError) as error:
        print(message("\n".join(map(legible, str(error).splitlines()))), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
