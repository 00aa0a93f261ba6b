"""What an epoch's time went to, held against timelines that are drawn here: a host's, and a GPU's that works behind it."""

from __future__ import annotations

import logging
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.configs import change
from tests.support.training import plain, trained
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.build.keep import keep_images
from wisesr.config.options import load_option
from wisesr.training import epoch_time
from wisesr.training.epoch_time import COMPUTING, MOVING, WAITING, CudaStopwatch, Feeding, Stopwatch, advise, describe_epoch
from wisesr.training.progress import _reading


def test_what_is_waited_for_decides_on_the_advice() -> None:
    """More workers decode files; kept images need none of it; of maps nothing is said."""
    much = {WAITING: 5.0, MOVING: 0.0, COMPUTING: 5.0}
    files = Feeding(workers=0, cores=4, threads=1, on_gpu=False)
    assert "dataset.workers=1 would decode more" in (advise(much, files) or "")
    assert "would augment more" in (advise(much, files._replace(reads="decoded")) or "")
    assert advise(much, files._replace(reads="maps")) is None
    assert "dataset.cache=auto" in (advise(much, files._replace(kept_by="auto")) or "")
    assert "another computation" in (advise(much, files._replace(kept_by="reduced")) or "")
    assert advise({WAITING: 1.0, MOVING: 0.0, COMPUTING: 9.0}, files._replace(kept_by="auto")) is None


@pytest.mark.parametrize(
    ("augment", "cache", "expected"),
    [("none", "off", ("files", "auto")), ("none", "auto", ("decoded", None)), ("standard", "auto", ("files", "reduced"))],
)
def test_what_an_epoch_reads(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, augment: str, cache: str, expected: Any
) -> None:
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    config = change(change(config, "augment", load_option("augment", augment)), "dataset.cache", cache)
    data = build(config, build_manifest(config)).data
    keep_images(config, data)
    assert _reading(data) == expected


class Timeline:
    """A host's clock, and a GPU that does what it is given one after the other."""

    def __init__(self) -> None:
        self.host = self.gpu = 0.0

    def perf_counter(self) -> float:
        return self.host

    def queue(self, seconds: float) -> None:
        self.gpu = max(self.gpu, self.host) + seconds


def events(timeline: Timeline) -> type:
    class Event:
        def __init__(self, *, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            timeline.queue(0.0)
            self.at = timeline.gpu

        def query(self) -> bool:
            return self.at <= timeline.host

        def synchronize(self) -> None:
            timeline.host = max(timeline.host, self.at)

        def elapsed_time(self, later: Event) -> float:
            assert later.query(), "torch refuses an event that is not past"
            return 1e3 * (later.at - self.at)

    return Event


def test_on_the_host_each_part_is_what_its_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    timeline = Timeline()
    monkeypatch.setattr(epoch_time, "time", timeline)
    watch, drawn = Stopwatch(), random.Random(0)
    expected = {WAITING: 0.0, MOVING: 0.0, COMPUTING: 0.0}
    for _ in range(3):
        timeline.host += 7.0  # validation, which does not count
        watch.start()
        for _ in range(20):
            for part in expected:
                seconds = drawn.random()
                timeline.host += seconds
                expected[part] += seconds
                watch.end_of(part)
    assert watch.take() == pytest.approx(expected)
    assert set(watch.take().values()) == {0.0}


@pytest.mark.parametrize(("fetching", "computing"), [(0.5, 0.1), (0.1, 0.5), (0.3, 0.3)])
def test_a_gpu_waits_only_where_it_has_nothing_to_do(
    monkeypatch: pytest.MonkeyPatch, fetching: float, computing: float
) -> None:
    """The host queues a step in no time at all; by its own clock it would wait for data in all cases."""
    timeline = Timeline()
    monkeypatch.setattr(epoch_time, "Event", events(timeline))
    watch = CudaStopwatch()
    watch.start()
    steps, moving = 50, 0.01
    for _ in range(steps):
        timeline.host += fetching
        watch.end_of(WAITING)
        timeline.queue(moving)
        watch.end_of(MOVING)
        timeline.queue(computing)
        watch.end_of(COMPUTING)
        if timeline.gpu - timeline.host > 2:  # a queue that is full
            timeline.host = timeline.gpu - 2
    seconds = watch.take()
    assert seconds[COMPUTING] == pytest.approx(steps * computing)
    assert seconds[MOVING] == pytest.approx(steps * moving)
    first = fetching  # for which all wait
    assert seconds[WAITING] == pytest.approx(first + (steps - 1) * max(0.0, fetching - moving - computing))


def test_shares_in_words() -> None:
    assert describe_epoch({WAITING: 1.0, MOVING: 0.0, COMPUTING: 3.0}) == (
        "4.0 s of training: 25 % waiting for data, 75 % computing"
    )
    assert ", 2 % moving it to the GPU, 49 %" in describe_epoch({WAITING: 49.0, MOVING: 2.0, COMPUTING: 49.0})
    assert describe_epoch({WAITING: 0.0, MOVING: 0.0, COMPUTING: 0.0}).startswith("0.0 s of training: 0 %")


@pytest.mark.parametrize(
    ("feeding", "said"),
    [
        (Feeding(0, 2, 1, on_gpu=False), "dataset.workers=1 would decode more of them meanwhile (now the process that trains"),
        (Feeding(2, 16, 1, on_gpu=True), "dataset.workers=4 would decode more of them meanwhile (2 now)"),
        (Feeding(12, 16, 1, on_gpu=True), "dataset.workers=16 "),
        (Feeding(8, 8, 1, on_gpu=True), "all 8 cores decode already"),
        (Feeding(0, 2, 2, on_gpu=False), None),
        (Feeding(1, 2, 1, on_gpu=False), None),
    ],
)
def test_advice_names_a_way_out_that_there_is(feeding: Feeding, said: str | None) -> None:
    found = advise({WAITING: 3.0, MOVING: 0.0, COMPUTING: 7.0}, feeding)
    assert (found is None) if said is None else (found is not None and said in found)
    assert advise({WAITING: 1.0, MOVING: 0.0, COMPUTING: 9.0}, feeding) is None


def test_a_cell_tells_it_at_the_end_of_each_epoch(
    config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="wisesr"):
        trained(plain(config), tmp_path / "cell")
    told = [message for message in caplog.messages if " s of training: " in message]
    assert [message.partition(":")[0] for message in told] == ["epoch 1/2", "epoch 2/2"]
    for message in told:
        shares = [int(word) for word in message.split() if word.isdigit()]
        assert sum(shares) in (99, 100, 101)
