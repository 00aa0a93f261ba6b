"""Whatever is wrong with a command is answered on a screen that names it: random wrong commands, the same ones every time.

A thousand of them, in processes of their own: `python -m tests.wrong_configurations.thousand`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wrong_configurations.case import Case
from tests.wrong_configurations.child import cpu_of_imports, run_child
from tests.wrong_configurations.generator import MAKERS, case_of
from tests.wrong_configurations.here import faults_here
from tests.wrong_configurations.late import CASES
from tests.wrong_configurations.oracle import faults

_CASE = Case(("head.dropout=banana",), (("head.dropout",), ("banana",)))


@pytest.mark.parametrize("number", range(100), ids=lambda number: f"{number}-{case_of(number).kind}")
def test_is_answered_on_a_screen(number: int, tmp_path: Path) -> None:
    case = case_of(number)
    assert faults_here(case, tmp_path) == [], case.arguments


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.arguments[-1])
def test_what_only_torch_shows(case: Case, tmp_path: Path) -> None:
    ended = run_child(case, tmp_path)
    assert ended.faults == [], ended.output


@pytest.mark.slow
def test_what_shows_without_torch_takes_little_more_than_imports(tmp_path: Path) -> None:
    """By the processor's time, and as a multiple of that of the imports, as other work may go on beside it."""
    ended = [run_child(case_of(number), tmp_path / str(number)) for number in range(1000, 1020)]
    assert [each.faults for each in ended] == [[]] * len(ended)
    assert max(each.cpu for each in ended) < 3 * cpu_of_imports(tmp_path)


def test_a_number_is_always_the_same_command() -> None:
    assert [case_of(number) for number in range(300)] == [case_of(number) for number in range(300)]
    assert {case_of(number).kind for number in range(len(MAKERS))} == {kind for kind, _ in MAKERS}


@pytest.mark.parametrize(
    ("code", "output", "fault"),
    [
        (0, "head.dropout must be a number, not 'banana'", "exit code 0"),
        (1, "head.dropout must be a number", "does not name 'banana'"),
        (1, "'banana' is no number", "does not name 'head.dropout'"),
        (1, "head.dropout: 'banana'\n" * 25, "25 lines"),
        (1, "head.dropout: 'banana' " + "x" * 120 * 24, "25 lines"),
        (1, "Traceback (most recent call last):\n head.dropout banana", "says 'Traceback'"),
        (1, "ConfigKeyError: head.dropout banana", "says 'ConfigKeyError'"),
        (1, "head.dropout \x1b[31mbanana", "prints ['\\x1b']"),
    ],
)
def test_a_wrong_answer_is_seen(code: int, output: str, fault: str) -> None:
    assert list(faults(_CASE, code, output)) == [fault]


def test_a_command_that_is_right_is_seen(tmp_path: Path) -> None:
    assert faults_here(Case(("head=gap",), ()), tmp_path) == ["is taken for right"]
