"""Records and configurations without what belongs to one machine or person: for `wisesr report --publish`.

What is computed stays word for word, so that a report of the copies has the same numbers; a record's configuration and its
`config.yaml` are rewritten alike, as a report holds the one against the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

LEFT_OUT = (
    "names of machines (`machine-1`, ... in their place)",
    "paths: of datasets, of outputs, of what is kept, of files of weights and lists, of which the last part is left",
    "settings of loggers, addresses of runs, the command line, variables of the environment, logs, checkpoints",
    "changes that were not committed (`provenance.commit` ends in `-dirty` where there were some)",
    "test images",
    "why trainings failed, though not that they did",
)
"""What a publication does not have, for its README."""
_PRIVATE = ("environment", "command", "uncommitted", "run")
"""Of a record's provenance."""
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]")


class Anonymiser:
    """Rewrites what belongs to a machine, the same value always in the same way, different values differently."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, str]] = {"machine": {}, "path": {}}

    def record(self, content: Mapping[str, Any], study: str) -> dict[str, Any]:
        """The content of `result.json`, without host, environment, command, diff and paths.

        Args:
            content: of the file.
            study: the name of its study.
        """
        provenance = {key: value for key, value in content["provenance"].items() if key not in _PRIVATE}
        hardware = dict(provenance["hardware"])
        if "host" in hardware:
            hardware["host"] = self._machine(str(hardware["host"]))
        rewritten = self._without_paths(provenance) | {"hardware": self._without_paths(hardware)}
        return {**self._without_paths(content), "config": self.config(content["config"], study), "provenance": rewritten}

    def config(self, config: Mapping[str, Any], study: str) -> dict[str, Any]:
        """A configuration: the same computation, elsewhere."""
        changed: dict[str, Any] = self._without_paths(config)
        for key, value in (("study", study), ("output_dir", "outputs"), ("logger", {})):
            if key in changed:
                changed[key] = value
        if isinstance(dataset := changed.get("dataset"), dict) and isinstance(dataset.get("root"), str):
            dataset["root"] = f"data/{dataset.get('name', 'dataset')}"
        if isinstance(dataset, dict) and "cache_dir" in dataset:
            dataset["cache_dir"] = None
        return changed

    def _machine(self, host: str) -> str:
        known = self._names["machine"]
        return known.setdefault(host, f"machine-{len(known) + 1}")

    def _without_paths(self, value: Any) -> Any:
        """Every absolute path by its last part, in whatever it stands."""
        if isinstance(value, Mapping):
            return {key: self._without_paths(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._without_paths(item) for item in value]
        return self._last_part(value) if isinstance(value, str) and is_absolute(value) else value

    def _last_part(self, path: str) -> str:
        """Two files of one name stay two: `start.pth`, `2-start.pth`."""
        known = self._names["path"]
        if path not in known:
            name = (PureWindowsPath(path) if _WINDOWS.match(path) else PurePosixPath(path)).name or "path"
            same = sum(other == name or other.endswith(f"-{name}") for other in known.values())
            known[path] = f"{same + 1}-{name}" if same else name
        return known[path]


def is_absolute(text: str) -> bool:
    """Whether a text is a path from a root or from somebody's home."""
    return text.startswith(("/", "~")) or _WINDOWS.match(text) is not None
