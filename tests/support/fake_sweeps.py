"""Sweeps of the W&B server on localhost: what `wandb sweep` and `wandb agent` ask for, and the choice of the next run.

Requests are those of wandb 0.31 (`apis/public/sweeps.py`). Which combination comes next follows W&B's own open source
(`grid_search.py` of https://github.com/wandb/sweeps): one was had where a run's configuration holds its very values under the
sweep's names; and a search reads the rows of a figure, and the summary's.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.support.fake_wandb import FakeRun, FakeServer


@dataclass
class FakeSweep:
    """What the server knows of a sweep."""

    name: str
    text: str
    """Its configuration, YAML."""
    agents: int = 0
    runs: list[str] = field(default_factory=list)
    """Ids of the runs that agents were told to start, in their order."""

    @property
    def config(self) -> dict[str, Any]:
        return dict(yaml.safe_load(self.text))

    def combinations(self) -> list[dict[str, Any]]:
        """Of its parameters, the last name varying fastest; names may be nested (`parameters` below one)."""
        found = [_choices(given) for given in self.config["parameters"].values()]
        return [dict(zip(self.config["parameters"], values, strict=True)) for values in itertools.product(*found)]


def _choices(given: dict[str, Any]) -> list[Any]:
    if "parameters" in given:
        below = given["parameters"]
        return [dict(zip(below, values, strict=True)) for values in itertools.product(*map(_choices, below.values()))]
    return list(given["values"]) if "values" in given else [given["value"]]


class SweepServer(FakeServer):
    """Use as a context, as `FakeServer`."""

    def __init__(self) -> None:
        super().__init__()
        self.sweeps: dict[str, FakeSweep] = {}
        self.stops: Callable[[FakeRun], bool] = lambda run: False
        """Whether a running run of a sweep is to be stopped."""
        self.stopped: list[str] = []
        self.repeats = 0
        """Combinations that are asked for once more, after all."""

    def graphql(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """Of sweeps; everything else as of `FakeServer`."""
        project = {"id": "P", "name": given.get("projectName") or "p", "entity": {"id": "E", "name": "me"}}
        if operation == "UpsertSweep":
            sweep = FakeSweep(f"sweep{len(self.sweeps)}", given["config"])
            self.sweeps[sweep.name] = sweep
            return {"upsertSweep": {"sweep": {"name": sweep.name, "project": project}, "configValidationWarnings": []}}
        if operation == "SweepWithRuns":
            about = {"id": given["sweep"], "name": given["sweep"], "config": self.sweeps[given["sweep"]].text}
            return {"project": {"sweep": about | {"runs": {"edges": []}}}}
        if operation == "CreateAgent":
            self.sweeps[given["sweep"]].agents += 1
            return {"createAgent": {"agent": {"id": given["sweep"]}}}
        if operation == "Heartbeat":
            command = self._next(self.sweeps[given["id"]], json.loads(given["runState"]))
            return {"agentHeartbeat": {"agent": {"id": given["id"]}, "commands": json.dumps(command)}}
        return super().graphql(operation, given)

    def _next(self, sweep: FakeSweep, running: dict[str, bool]) -> list[dict[str, Any]]:
        if running:
            stop = [name for name in running if self.stops(self.runs[name])]
            self.stopped += [name for name in stop if name not in self.stopped]
            return [{"type": "stop", "run_id": name} for name in stop]
        seen = [self.had(sweep, self.runs[name]) for name in sweep.runs]
        left = [values for values in sweep.combinations() if values not in seen]
        if not left and self.repeats:
            self.repeats -= 1
            left = sweep.combinations()
        if not left:
            return [{"type": "exit"}]
        args = {name: {"value": value} for name, value in left[0].items()}
        run = FakeRun(secrets.token_hex(4), config=json.dumps(args), state="pending", sweep=sweep.name)
        self.runs[run.name] = run  # ahead, without what a run has that was begun
        sweep.runs.append(run.name)
        return [{"type": "run", "run_id": run.name, "program": sweep.config.get("program", ""), "args": args}]

    def had(self, sweep: FakeSweep, run: FakeRun) -> dict[str, Any]:
        """The combination that a run counts for: the values of its configuration under the sweep's names."""
        config = json.loads(run.config)
        return {
            name: _same_keys(config.get(name, {}).get("value"), given) for name, given in sweep.config["parameters"].items()
        }

    def metric(self, run: FakeRun) -> list[Any]:
        """What a search reads of a run: the figure in its rows, and the summary's."""
        name = self.sweeps[str(run.sweep)].config["metric"]["name"]
        return [row[name] for row in run.history if name in row] + [run.summary[name]] * (name in run.summary)


def _same_keys(value: Any, given: dict[str, Any]) -> Any:
    """Of a nested parameter, those keys alone that the sweep has."""
    if "parameters" in given and isinstance(value, dict):
        return {key: _same_keys(value.get(key), its) for key, its in given["parameters"].items()}
    return value
