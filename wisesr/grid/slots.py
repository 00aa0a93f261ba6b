"""Places for cells on this machine: GPUs, or shares of its cores. No torch, and CUDA is never initialised here.

A process that has initialised CUDA keeps memory on every GPU that it saw, and hands its view of them to its children.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.grid.core_shares import deal
from wisesr.wording import count_of


class Slot(NamedTuple):
    """A place for one cell at a time."""

    number: int
    gpus: tuple[str, ...] = ()
    """As CUDA_VISIBLE_DEVICES names them; empty on CPU."""
    cores: int = 1
    """CPU cores of its cell."""
    cluster: str = ""
    """The kind of cluster on which it is; empty for this machine."""
    cpus: tuple[int, ...] = ()
    """Numbers of the CPUs that its cell is bound to; empty where it may use any."""
    wait: str = "auto"
    """`grid.wait`."""
    code: Path | None = None
    """Folder of frozen code that its cell runs from; None for the code as it is."""

    def __str__(self) -> str:
        if self.cluster:
            return self.cluster
        if self.gpus:
            return "GPU " + ",".join(gpu.removeprefix("GPU-")[:8] for gpu in self.gpus)  # of a UUID the beginning is enough
        return f"slot {self.number + 1}"


def visible_gpus(environment: Mapping[str, str]) -> list[str]:
    """NVIDIA GPUs that cells may use: those of CUDA_VISIBLE_DEVICES where it is set, else all that the driver lists.

    By their UUIDs, as CUDA and the driver number them differently: https://docs.nvidia.com/cuda/cuda-programming-guide/
    None where torch is built without CUDA, which its version file tells without importing it.
    """
    if not _torch_has_cuda():
        return []
    if "CUDA_VISIBLE_DEVICES" in environment:
        named = [name.strip() for name in environment["CUDA_VISIBLE_DEVICES"].split(",")]
        end = next((index for index, name in enumerate(named) if name in ("", "-1", "NoDevFiles")), len(named))
        return named[:end]  # CUDA itself ignores what comes after a name that it does not know
    query = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        listed = subprocess.run(query, capture_output=True, encoding="utf-8", errors="replace", timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.stdout.splitlines() if line.strip().startswith("GPU-")]


def _torch_has_cuda() -> bool:
    torch = find_spec("torch")
    file = Path(torch.origin or "").with_name("version.py") if torch else None
    if file is None or not file.is_file():
        return True
    return re.search(r"^cuda\b.*= None$", file.read_text(encoding="utf-8"), re.MULTILINE) is None


def make_slots(
    configs: Sequence[Config], grid: Mapping[str, Any], *, gpus: Sequence[str], cores: int, cpus: Sequence[int] = ()
) -> list[Slot]:
    """The slots of a grid on a machine with these GPUs and so many cores.

    Slots of several cores and no GPU have cores of their own, dealt out of `cpus`, the numbers of them all. With GPUs they have
    not: which cores are near a GPU nobody tells here, and cells that share one take turns anyway.

    Raises:
        UserError: more is asked for than there is, or settings that exclude each other.
    """
    if not gpus or all(config["trainer"]["accelerator"] == "cpu" for config in configs):
        return _on_cpu(configs, grid, cores, cpus)
    size = _gpus_per_cell(configs, grid, gpus)
    share = grid["cells_per_gpu"]
    if share > 1 and size > 1:
        raise UserError(f"grid.cells_per_gpu={share} shares a GPU, and a cell here takes {size}: one of the two must be 1")
    groups = [tuple(gpus[start : start + size]) for start in range(0, len(gpus) - size + 1, size)] * share
    if grid["slots"] != "auto":
        if grid["slots"] > len(groups):
            each = f"{share} cells each (grid.cells_per_gpu)" if share > 1 else f"{size} a cell"
            raise UserError(f"grid.slots={grid['slots']}: {len(gpus)} GPUs with {each} are {len(groups)} slots")
        groups = groups[: grid["slots"]]
    _check_threads(configs, len(groups), cores)
    return [Slot(number, group, max(1, cores // len(groups))) for number, group in enumerate(groups)]


def _gpus_per_cell(configs: Sequence[Config], grid: Mapping[str, Any], gpus: Sequence[str]) -> int:
    """`grid.gpus_per_cell`; where it is auto, what the cells' trainer.devices ask for."""
    devices = {config["trainer"]["devices"] for config in configs if config["trainer"]["accelerator"] != "cpu"}
    wanted = max(len(gpus) if count == "auto" else int(count) for count in devices)
    size = int(wanted if grid["gpus_per_cell"] == "auto" else grid["gpus_per_cell"])
    if size > len(gpus):
        name = "trainer.devices" if grid["gpus_per_cell"] == "auto" else "grid.gpus_per_cell"
        raise UserError(f"{name}={size}: there are {len(gpus)} GPUs")
    if other := sorted(int(count) for count in devices if count not in ("auto", size) and grid["gpus_per_cell"] != "auto"):
        raise UserError(
            f"grid.gpus_per_cell={size} and trainer.devices={other[0]} exclude each other: trainer=ddp takes all GPUs of a slot"
        )
    return size


def _on_cpu(configs: Sequence[Config], grid: Mapping[str, Any], cores: int, cpus: Sequence[int]) -> list[Slot]:
    if grid["gpus_per_cell"] != "auto" or grid["cells_per_gpu"] != 1:
        raise UserError("grid.gpus_per_cell and grid.cells_per_gpu need GPUs, and these cells run on the CPU: use grid.slots")
    count = 1 if grid["slots"] == "auto" else grid["slots"]
    share = max(1, cores // count)
    _check_threads(configs, count, cores)
    return [Slot(number, (), share, cpus=own) for number, own in enumerate(deal(cpus, count))]


def _check_threads(configs: Sequence[Config], slots: int, cores: int) -> None:
    """Raise UserError where cells insist on more threads than there are cores. One cell at a time may do as it likes."""
    threads = max(_threads(config) for config in configs)
    if slots > 1 and slots * threads > cores:
        raise UserError(
            f"grid.slots={slots} with {count_of(threads, 'thread')} a cell need {slots * threads} cores, "
            f"and there are {cores}: cells that fight for cores run many times slower. "
            f"At most grid.slots={max(1, cores // threads)}"
        )


def _threads(config: Config) -> int:
    """Threads that a cell insists on: of each of its processes at least one."""
    threads, devices = config["trainer"]["threads"], config["trainer"]["devices"]
    return (1 if threads == "auto" else int(threads)) * (1 if devices == "auto" else int(devices))
