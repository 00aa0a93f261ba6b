"""One cell on two CPU processes: the same numbers as on one, for a model without BatchNorm."""

from __future__ import annotations

import copy
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from tests.support.cells import make, spawn, weights
from tests.support.command import TOY, train
from wisesr import constrain, create_head
from wisesr.cell.run import DONE, FAILED
from wisesr.results.metrics import read_metrics
from wisesr.results.record_file import read_record
from wisesr.results.status_file import read_status
from wisesr.training.metrics import MacroF1


@pytest.fixture
def odd(images: Path, tmp_path: Path) -> Path:
    """17 test images, which two processes cannot share evenly."""
    root = tmp_path / "odd"
    shutil.copytree(images, root)
    (root / "test" / "class1" / "03.png").unlink()
    return root


@pytest.mark.slow
def test_two_processes_compute_what_one_does(config: dict[str, Any], odd: Path, tmp_path: Path) -> None:
    config["backbone"]["model"] = "test_convnext"
    config["dataset"]["root"] = str(odd)
    config["head"]["dropout"] = 0.0
    config["augment"] = {"_target_": "wisesr.data.augmentation.Plain"}
    config["recipe"] |= {"ema": 0.8, "class_weights": "balanced", "label_smoothing": 0.1, "head_lr_scale": 2.0}
    config["recipe"]["optimizer"] = {
        "_target_": "wisesr.training.optimizers.sgd",
        "lr": 0.2,
        "momentum": 0.9,
        "weight_decay": 0.0,
    }
    config["trainer"]["precision"] = "64-true"
    double = copy.deepcopy(config)
    double["trainer"] |= {"strategy": "ddp", "devices": 2}
    cells = [make(config, tmp_path / "one"), make(double, tmp_path / "two")]
    assert [spawn(cell).wait() for cell in cells] == [DONE, DONE]
    rows = [read_metrics(cell) for cell in cells]
    assert rows[0] == [pytest.approx(row, rel=1e-5) for row in rows[1]]
    for (key, a), (_, b) in zip(weights(cells[0]).items(), weights(cells[1]).items(), strict=True):
        torch.testing.assert_close(a, b, msg=key)
    assert (weights(cells[1])["model.head.aggregation.kernel"] >= 0).all()
    one, two = (np.load(cell / "predictions.npz") for cell in cells)
    assert list(one["ids"]) == list(two["ids"]), "each test image once, in the same order"
    assert len(two["ids"]) == 17
    np.testing.assert_allclose(one["probabilities"], two["probabilities"], atol=1e-6)
    record = read_record(cells[1])
    assert record is not None
    assert record.provenance.data.images["test"] == 17
    assert (record.provenance.devices, record.provenance.by_part) == (2, ())


@pytest.mark.slow
def test_batchnorm_computes_something_else_on_two_processes(config: dict[str, Any], tmp_path: Path) -> None:
    """In double precision, from the same weights, on the same batches: not other last bits, and the record tells why."""
    config["backbone"]["model"] = "test_resnet"
    config["head"]["dropout"] = 0.0
    config["augment"] = {"_target_": "wisesr.data.augmentation.Plain"}
    config["trainer"]["precision"] = "64-true"
    double = copy.deepcopy(config)
    double["trainer"] |= {"strategy": "ddp", "devices": 2}
    cells = [make(config, tmp_path / "one"), make(double, tmp_path / "two")]
    assert [spawn(cell).wait() for cell in cells] == [DONE, DONE]
    first, second = (read_metrics(cell)[0]["train/loss"] for cell in cells)
    assert abs(first - second) > 1e-4
    records = [read_record(cell) for cell in cells]
    told = [(record.provenance.devices, record.provenance.by_part) for record in records if record is not None]
    assert told == [(1, ("BatchNorm",)), (2, ("BatchNorm",))]


def _step_and_compare(rank: int, port: int) -> None:
    """In each of two processes: train on images of its own, hold the kernel, and agree with the other."""
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    torch.manual_seed(0)
    head = create_head("wise", (4, 7, 7), 3)
    kernel = head.get_parameter("aggregation.kernel")
    model = torch.nn.parallel.DistributedDataParallel(head)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    constrain(optimizer, model)
    torch.manual_seed(rank)
    for _ in range(5):
        optimizer.zero_grad()
        (model(torch.randn(8, 4, 7, 7)).square().mean() + (kernel + 1).square().sum()).backward()
        optimizer.step()
        assert (kernel >= 0).all()
        both = [torch.empty_like(kernel) for _ in range(2)]
        dist.all_gather(both, kernel.detach())
        assert torch.equal(*both)
    dist.destroy_process_group()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.slow
def test_the_kernel_is_non_negative_on_both_ranks() -> None:
    torch.multiprocessing.spawn(_step_and_compare, (_free_port(),), nprocs=2)


def _measure_and_compare(rank: int, port: int) -> None:
    """In each of two processes: half of the images. Of five classes one lies on either side alone, and one nowhere."""
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    labels = torch.tensor([0, 1] * 10 + [3, 2] * 10)[rank::2]
    logits = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))[rank::2]
    metric = MacroF1(5)
    metric.update(logits, labels)
    both: list[tuple[torch.Tensor, torch.Tensor]] = [(logits, labels)] * 2
    dist.all_gather_object(both, (logits.argmax(1), labels))
    predicted, true = (torch.cat(parts) for parts in zip(*both, strict=True))
    assert 4 in predicted, "the absent class is predicted, or this shows nothing"
    assert set(labels.tolist()) != set(true.tolist()) == {0, 1, 2, 3}
    wanted = f1_score(true, predicted, labels=[0, 1, 2, 3], average="macro", zero_division=0)
    assert float(metric.compute()) == pytest.approx(wanted, abs=1e-6)
    dist.destroy_process_group()


@pytest.mark.slow
def test_macro_f1_averages_the_classes_of_all_ranks() -> None:
    torch.multiprocessing.spawn(_measure_and_compare, (_free_port(),), nprocs=2)


@pytest.mark.slow
def test_fewer_images_than_devices(config: dict[str, Any], tmp_path: Path) -> None:
    config["dataset"]["val_fraction"] = 0.001  # one of each class
    config["trainer"] |= {"strategy": "ddp", "devices": 4}
    cell = make(config, tmp_path / "cell")
    assert spawn(cell).wait() == FAILED
    assert "the val split has 3 images for 4 devices" in read_status(cell)["reason"]


@pytest.mark.slow
def test_one_image_for_each_device(config: dict[str, Any], tmp_path: Path) -> None:
    """The last batch has two images for two devices, and the map is 1x1: told by both before the first step."""
    config["backbone"]["model"] = "test_resnet"
    config["resolution"]["size"] = 32
    config["head"] |= {"pre_pool": 1}
    config["recipe"]["batch_size"] = 52
    config["trainer"] |= {"strategy": "ddp", "devices": 2}
    cell = make(config, tmp_path / "cell")
    assert spawn(cell).wait() == FAILED
    reason = read_status(cell)["reason"]
    assert "holds 2 (recipe.batch_size=52), of which the smallest of 2 parts (devices x trainer.accumulate) gets 1" in reason
    assert not (cell / "metrics.csv").exists()


@pytest.mark.slow
def test_ends_early_together(config: dict[str, Any], tmp_path: Path) -> None:
    """Each process has a clock of its own; they must agree on when the time is over."""
    config["recipe"]["epochs"] = 500
    config["trainer"] |= {"strategy": "ddp", "devices": 2, "max_time": "00:00:00:02"}
    cell = make(config, tmp_path / "cell")
    assert spawn(cell).wait() == DONE
    record = read_record(cell)
    assert record is not None
    assert record.budget.stopped == "max_time"


@pytest.mark.slow
@pytest.mark.parametrize("mode", [["head=wise"], ["-m", "head=gap,wise"]], ids=["run", "multirun"])
def test_from_the_command_line(mode: list[str], odd: Path, tmp_path: Path) -> None:
    """`trainer=ddp` in a run and in a sweep: the other process starts the cell, not `train.py -m` again."""
    arguments = ["trainer=ddp" if part == "trainer=cpu" else part for part in TOY]
    data = ["dataset=folder", f"dataset.root={odd}", "recipe.batch_size=8"]
    done = train(*mode, *arguments, "trainer.accelerator=cpu", "trainer.devices=2", *data, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    records = sorted(tmp_path.glob("outputs/default/odd-32/*/*/result.json"))
    assert [path.parent.parent.name.rpartition("-")[2] for path in records] == mode[-1].partition("=")[2].split(",")
    for path in records:
        assert len(set(np.load(path.parent / "predictions.npz")["ids"])) == 17
    kernel = weights(records[-1].parent)["model.head.aggregation.kernel"]
    assert (kernel >= 0).all()
