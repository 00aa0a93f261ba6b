"""How threads wait: what a policy sets, what a user has set stands, and a cell is told nothing twice."""

from __future__ import annotations

import pytest

from wisesr.cell.wait import VARIABLES, describe_wait, wait_note, wait_variables
from wisesr.grid.cell_process import environment

POLICIES = ("auto", "spin", "passive")


def test_each_policy_is_another() -> None:
    found = [wait_variables(policy, {"PATH": "/bin"}) for policy in POLICIES]
    assert all(len(variables) == 1 and set(variables) <= set(VARIABLES) for variables in found)
    spins = [int(variables.get("GOMP_SPINCOUNT", 0)) for variables in found]
    assert spins[1] > spins[0] > spins[2] == 0
    assert found[2] == {"OMP_WAIT_POLICY": "PASSIVE"}
    with pytest.raises(ValueError, match="grid.wait must be one of auto, spin, passive, not 'sleep'"):
        wait_variables("sleep", {})


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("policy", POLICIES)
def test_what_the_user_has_set_stands(name: str, policy: str) -> None:
    assert wait_variables(policy, {name: "7"}) == {}
    assert describe_wait(2, {name: "7"}) == f"2 threads, which wait for one another by {name}=7"
    assert describe_wait(1, {name: "7"}) == ""
    assert (f"{name}=7 of the environment decides" in wait_note(policy, {name: "7"})) == (policy != "auto")
    assert wait_note(policy, {}) == ""


@pytest.mark.parametrize("policy", POLICIES)
def test_a_cell_keeps_what_its_grid_has_chosen(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    given = environment(policy)
    assert wait_variables("auto", given) == {}, "of its own choice, when it is started by hand, nothing is left"
    (chosen,) = wait_variables(policy, {}).items()
    assert chosen in given.items()
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert {name: environment(policy).get(name) for name in VARIABLES} == dict.fromkeys(VARIABLES) | {
        "OMP_WAIT_POLICY": "ACTIVE"
    }
