"""What a workspace's specification says, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wandb_workspaces.workspaces import Workspace


def spec_of(made: Workspace) -> dict[str, Any]:
    """What would be sent to the server."""
    return dict(made._spec["spec"]["section"])


def named_figures(made: Workspace) -> set[str]:
    """Figures, pictures and tables that panels, columns and the order of runs name; not W&B's own."""
    spec, found = spec_of(made), set()
    for section in spec["panelBankConfig"]["sections"]:
        for panel in section["panels"]:
            config = panel["config"]
            found |= {*config.get("metrics", ()), *config.get("mediaKeys", ())}
            found |= {config[axis].removeprefix("summary:") for axis in ("xAxis", "yAxis") if axis in config}
            found |= set(_texts(config)) if panel["viewType"] == "Weave" else set()
    (runs,) = spec["runSets"]
    found |= {name.removeprefix("summary:") for name in runs["runFeed"]["columnPinned"] if name.startswith("summary:")}
    return found | {key["key"]["name"] for key in runs["sort"]["keys"]}


def _texts(node: Any) -> list[str]:
    """Names that a query picks out of summaries."""
    if isinstance(node, dict):
        mine = [node["val"]] if node.get("nodeType") == "const" and isinstance(node.get("val"), str) else []
        return mine + [text for value in node.values() for text in _texts(value)]
    return [text for value in node for text in _texts(value)] if isinstance(node, list) else []
