"""`trainer.channels_last`, the default, trains the larger backbones faster on CPU: steps with and without it, in turn.

python benchmarks/memory_layout.py [--backbone resnet50 densenet201] [--size 64] [--threads 2]      # 3 minutes
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

import torch  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

from benchmarks.measured import Row, write_rows  # noqa: E402
from wisesr import create_model  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", nargs="+", default=["resnet18", "resnet50", "densenet201"])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--to", type=Path, help="JSON of the rows")
    parser.add_argument("--quick", action="store_true", help="ResNet18 alone, one round")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.backbone, arguments.rounds = arguments.backbone[:1], 1
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    lines = ["| backbone | images/s, NCHW | images/s, channels_last | ratio |", "| --- | ---: | ---: | ---: |"]
    rows = []
    labels = torch.randint(10, (arguments.batch,))
    for name in arguments.backbone:
        runs = []
        for layout in (torch.contiguous_format, torch.channels_last):
            model = create_model(name, "wise", 10, arguments.size).to(memory_format=layout)
            images = torch.randn(arguments.batch, 3, arguments.size, arguments.size).contiguous(memory_format=layout)
            runs.append((model, torch.optim.AdamW(model.parameters()), images, []))
        for turn in range(arguments.rounds + 1):
            for model, optimizer, images, times in runs:
                start = time.perf_counter()
                optimizer.zero_grad()
                cross_entropy(model(images), labels).backward()
                optimizer.step()
                if turn:
                    times.append(time.perf_counter() - start)
        plain, last = (arguments.batch / statistics.median(times) for *_, times in runs)
        lines.append(f"| {name} | {plain:.1f} | {last:.1f} | {last / plain:.2f} |")
        print(lines[-1], flush=True)
        larger = name != "resnet18"
        rows.append(
            Row(
                f"a training step of {name}, channels_last over NCHW, images/s",
                ">= 1.0 x" if larger else "no bound",
                f"{last / plain:.2f} x",
                last >= plain if larger else None,
                "the same model in NCHW",
                f"{arguments.size} px, batches of {arguments.batch}, {arguments.threads} threads",
            )
        )
    write_rows(arguments.to, rows, table="\n".join(lines))


if __name__ == "__main__":
    main()
