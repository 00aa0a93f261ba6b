"""A thousand wrong commands, each in a process of its own: `python -m tests.wrong_configurations.thousand [FROM TO [JOBS]]`."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.wrong_configurations.child import Ended, cpu_of_imports, run_child
from tests.wrong_configurations.generator import case_of

LIMIT = 1.5
"""Seconds that an answer may take on a machine that has nothing else to do: here of a core, as it may have."""


def main(first: int = 0, last: int = 1000, jobs: int = 2) -> int:
    """Run them, print what is wrong with each and what all took; 1 if anything is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        imports = cpu_of_imports(Path(folder))

        def run(number: int) -> Ended:
            return run_child(case_of(number), Path(folder) / str(number))

        with ThreadPoolExecutor(jobs) as pool:
            ended = list(pool.map(run, range(first, last)))
    kinds: Counter[str] = Counter()
    for number, each in enumerate(ended, first):
        case = case_of(number)
        slow = [f"takes {each.cpu:.2f} s of a core"] if each.cpu > LIMIT else []
        if found := [*each.faults, *slow]:
            kinds[case.kind] += 1
            print(
                f"{number} {case.kind}: {'; '.join(found)}\n  $ {_short(' '.join(case.arguments))}\n  | {_short(each.output)}"
            )
    _print_times(ended, imports)
    print(f"{sum(kinds.values())} of {len(ended)} are answered wrongly: {dict(kinds) or 'none'}")
    return 1 if kinds else 0


def _short(text: str) -> str:
    return ascii(text if len(text) < 600 else f"{text[:400]} ... {text[-150:]}")[1:-1]


def _print_times(ended: Sequence[Ended], imports: float) -> None:
    print(f"imports alone: {imports:.2f} s of a core")
    for name, values in (("s of a core", [each.cpu for each in ended]), ("s by the clock", [each.seconds for each in ended])):
        ninth = statistics.quantiles(values, n=100)[98]
        print(f"{name}: median {statistics.median(values):.2f}, 99 % within {ninth:.2f}, longest {max(values):.2f}")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
