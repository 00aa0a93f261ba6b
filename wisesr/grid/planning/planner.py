"""The child of `wisesr.grid.planning.plan`: says what each cell costs or what is wrong with it.

Run as `python -m wisesr.grid.planning.planner`, as torch takes seconds to import and the grid itself does without, or forked by
a warm parent. On stdin one line of JSON, {"cells": [config, ...], "gpus": 1, "cores": 2 or null, "forked": whether cells will
be}; on stdout lines of JSON, {"cell": 0, "done": 0} before each cell, then {"problems": [[cell, text], ...], "costs": [[...] or
null, ...], "kept": [[...], ...], "heads": [[...] or null, ...]}, {"timed": 0} before each cell whose model is timed, and
{"paces": [[...] or null, ...], "making": [seconds or null, ...]} at the end, of what is "kept". When stdin ends before that, so
does this process.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wisesr.cell.warm_up import import_libraries
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.grid.planning.map_heads import describe_heads
from wisesr.grid.planning.timing import time_cells

if TYPE_CHECKING:
    from wisesr.grid.planning.cell_planner import CellPlan
    from wisesr.grid.planning.hours import Pace
    from wisesr.grid.planning.kept import Kept


def plan_cells(configs: Sequence[Config], gpus: int, tell: Callable[[int, int], None]) -> list[CellPlan]:
    """Costs and problems of all cells, as of `plan_grid`."""
    return plan_grid(configs, gpus, tell)[0]


def plan_grid(configs: Sequence[Config], gpus: int, tell: Callable[[int, int], None]) -> tuple[list[CellPlan], list[Kept]]:
    """Plan all cells, in an order in which those of one backbone follow each other.

    Args:
        configs: of the cells, checked.
        gpus: that the grid sees.
        tell: called before each cell, with its index and how many are done.

    Returns:
        Costs and problems, in the order of `configs`; and what the cells make once for all of them.
    """
    from wisesr.grid.planning.cell_planner import CellPlanner  # imports torch: stdin is watched before that

    planner = CellPlanner(gpus)
    backbones = [json.dumps([config["backbone"], config["resolution"]], sort_keys=True) for config in configs]
    order = sorted(range(len(configs)), key=backbones.__getitem__)
    for done, index in enumerate(order):
        tell(index, done)
        planner.plan_cell(configs[index])
    try:
        return planner.share(configs)
    except UserError as error:
        return [(cost, [*problems, str(error)]) for cost, problems in map(planner.plan_cell, configs)], []
    except OSError:  # of a folder that cannot be looked into: cells say so, and do without
        return [planner.plan_cell(config) for config in configs], []


def _times(
    configs: Sequence[Config],
    plans: Sequence[CellPlan],
    kept: Sequence[Kept],
    *,
    cores: int | None,
    imports: float,
    tell: Callable[[int], None],
) -> tuple[list[Pace | None], list[float | None]]:
    """What cells take on so many cores of this machine, where that is asked for and nothing is wrong with one; and what is made
    once for all of them.
    """
    from wisesr.build.data import build_manifest

    if cores is None or any(problems for _, problems in plans):
        return [None] * len(plans), [None] * len(kept)
    costs = [cost for cost, _ in plans]
    return time_cells(configs, costs, build_manifest, kept=kept, cores=cores, imports=imports, tell=tell)


def _end_with_the_grid() -> None:
    """Leave when the other end of stdin is closed, by whatever ended the process there."""
    while os.read(0, 1 << 16):  # not sys.stdin's: an interpreter that ends while a thread holds that one's lock aborts
        pass
    os._exit(1)


def main() -> None:
    """The command: see above."""
    began = time.monotonic()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what foreign code prints is no answer
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_grid, daemon=True).start()

    def say(answer: Mapping[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    import_libraries()
    import wisesr.grid.planning.cell_planner  # noqa: F401  # to know how long it takes: a cell imports the same

    imports = 0.0 if asked.get("forked") else time.monotonic() - began
    cells, cores = asked["cells"], asked.get("cores")
    plans, kept = plan_grid(cells, asked["gpus"], lambda index, done: say({"cell": index, "done": done}))
    problems = [(index, problem) for index, (_, own) in enumerate(plans) for problem in own]
    costs = [cost for cost, _ in plans]
    maps = [cost and cost.feature_map for cost in costs]
    say({"problems": problems, "costs": costs, "kept": kept, "heads": describe_heads(cells, maps)})
    paces, making = _times(cells, plans, kept, cores=cores, imports=imports, tell=lambda index: say({"timed": index}))
    say({"paces": paces, "making": making})


if __name__ == "__main__":
    main()
