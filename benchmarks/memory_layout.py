"""Training steps with and without `trainer.channels_last`, in turn within one run.

python benchmarks/memory_layout.py [--backbone resnet50 densenet201] [--size 64] [--threads 2]
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch.nn.functional import cross_entropy

from wisesr import create_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", nargs="+", default=["resnet18", "resnet50", "densenet201"])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    print(f"torch {torch.__version__}, {arguments.threads} threads, {arguments.size} px, batches of {arguments.batch}\n")
    print("| backbone | images/s | channels last | ratio |\n| --- | ---: | ---: | ---: |")
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
        print(f"| {name} | {plain:.1f} | {last:.1f} | {last / plain:.2f} |", flush=True)


if __name__ == "__main__":
    main()
