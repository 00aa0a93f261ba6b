"""Where a cell's numbers come from, as its record says it: code, versions, machine, settings of torch, data."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr.build.cell import Parts
from wisesr.cell.attempt import Started, utc_now
from wisesr.config.schema import Config
from wisesr.data.manifest import Manifest
from wisesr.data.prepare.origin import archive_of
from wisesr.results.code import Code
from wisesr.results.installation import kept_variables, packages_hash, read_command
from wisesr.results.provenance import commit, hardware, installed_version, package_hash, versions
from wisesr.results.run_address import online_address
from wisesr.results.uncommitted import describe_uncommitted
from wisesr.training.flags import torch_flags

if TYPE_CHECKING:
    from wisesr.data.datamodule import ImageData

_DRIVER = Path("/proc/driver/nvidia/version")


def provenance(
    directory: Path, config: Config, manifest: Manifest, parts: Parts, started: Started, code: Code
) -> dict[str, Any]:
    """`provenance` of a record, under the keys of the file.

    Args:
        directory: of the cell.
        config: of the cell.
        manifest: its images.
        parts: what it has computed with; its trainer knows the device.
        started: how it began.
        code: that it has computed by.
    """
    import torch

    device = parts.module.trainer.strategy.root_device
    on_gpu = device.type == "cuda"
    root = config["dataset"].get("root")
    return {
        "commit": commit(),
        "uncommitted": describe_uncommitted(directory),
        "source": code.source,
        "sources": list(dict.fromkeys([*started.sources, code.source])),
        "code": {"files": len(code.files), "package": package_hash(), "edited": code.edited, "unfollowed": code.unfollowed},
        "versions": versions(),
        "software": _software(on_gpu=on_gpu),
        "packages_sha256": packages_hash(),
        "hardware": hardware(torch.cuda.get_device_name(device) if on_gpu else device.type),
        "flags": torch_flags(),
        "environment": kept_variables(os.environ),
        "command": read_command(directory),
        "run": online_address(directory) or None,
        "threads": started.threads,
        "devices": started.devices,
        "attempts": started.attempts,
        "weights": _weights(config, parts, started),
        "inputs": parts.module.inputs,
        "archive": archive_of(Path(root)) if isinstance(root, str) else {},
        "data": {
            "fingerprint": started.data,
            "images": Counter(manifest.splits),
            "left_out": list(manifest.left_out),
            "rules": manifest.rules,
            "notes": manifest.notes.as_dict(),
        },
        "started": started.begun or None,
        "finished": utc_now(),
    }


def reads(data: ImageData, maps: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an epoch begins with: `maps`, images that are `decoded` already, or `files`; and of maps how they were come by."""
    if maps is not None:
        return {"training": "maps", "maps": dict(maps)}
    return {"training": "decoded" if True in data.kept else "files"}


def _software(*, on_gpu: bool) -> dict[str, str | None]:
    import torch

    found = {"scikit_learn": installed_version("scikit-learn"), "scipy": installed_version("scipy")}
    if not on_gpu:
        return found
    cudnn = torch.backends.cudnn.version()
    return found | {"cuda": torch.version.cuda, "cudnn": None if cudnn is None else str(cudnn), "driver": nvidia_driver()}


def nvidia_driver() -> str | None:
    """`550.54.15`: from the kernel's own word where it gives one, else from nvidia-smi; None where neither tells."""
    try:
        words = _DRIVER.read_text(encoding="utf-8", errors="replace")
    except OSError:
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        try:
            words = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=10).stdout
        except (OSError, subprocess.TimeoutExpired):
            return None
    found = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", words)
    return found[0] if found else None


def _weights(config: Config, parts: Parts, started: Started) -> dict[str, Any]:
    """What the backbone started from."""
    backbone = parts.module.model.backbone
    pretrained = getattr(getattr(backbone, "model", None), "pretrained_cfg", {})
    source = config["backbone"].get("weights")
    hub = {"timm": pretrained.get("hf_hub_id") or pretrained.get("url")} if source == "imagenet" else {}
    return {"source": source, "sha256": started.weights, "tensors": getattr(backbone, "weights_hash", None), **hub}
