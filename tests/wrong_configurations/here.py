"""A wrong command in this process, without a second of imports; what is taken for right ends where cells would start."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from tests.support.command import train_here
from tests.wrong_configurations.case import Case
from tests.wrong_configurations.generator import lay_out
from tests.wrong_configurations.oracle import faults, written
from wisesr.grid import prepared


class TakenForRightError(Exception):
    """Cells of a wrong command would have started."""


def faults_here(case: Case, folder: Path) -> list[str]:
    """What is wrong with the answer to a case, which has a folder of its own; after that the answer itself."""
    before = lay_out(case, folder)

    def start(*arguments: object, **settings: object) -> None:
        raise TakenForRightError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared, "warm_slots", start)
        try:
            ended = train_here(*case.arguments, cwd=folder)
        except TakenForRightError:
            return ["is taken for right"]
        except Exception:  # what nobody foresaw is what is looked for
            return ["raises", traceback.format_exc()[-2000:]]
    output = ended.stdout + ended.stderr
    found = [*faults(case, ended.returncode, output), *(f"writes {name}" for name in written(before, folder))]
    return [*found, output] if found else []
