"""A logger that cannot end a training, whatever is wrong with it: a full disk, a lost server, a bug of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wisesr.results.kernels import KernelSummary
from wisesr.results.metrics import Row
from wisesr.training.loggers.base import Findings, RunLogger, StepRow

log = logging.getLogger(__name__)


class Guarded(RunLogger):
    """Hands everything on, rows as copies. After the first error it tells the logger that it failed, and nothing more."""

    def __init__(self, logger: RunLogger) -> None:
        super().__init__(logger.run)
        self._logger: RunLogger | None = logger

    def kernel(self, epoch: int, summary: KernelSummary) -> None:
        """Hand on the kernel of an epoch, its arrays as copies."""
        own = summary._replace(mean=summary.mean.copy(), spread=summary.spread.copy())
        self._tell("kernel", lambda logger: logger.kernel(epoch, own))

    def start(self, history: Sequence[Row]) -> None:
        """Hand on that training starts, with copies of the finished epochs' rows."""
        self._tell("start", lambda logger: logger.start([dict(row) for row in history]))

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        """Hand on a finished epoch, in copies."""
        self._tell("epoch", lambda logger: logger.epoch(dict(row), list(steps)))

    def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
        """Hand on the summary, as a copy, and the findings."""
        self._tell("finish", lambda logger: logger.finish(dict(summary), findings))

    def fail(self) -> None:
        """Hand on that the attempt ended with an error."""
        self._tell("fail", lambda logger: logger.fail())

    def _tell(self, what: str, call: Callable[[RunLogger], None]) -> None:
        logger = self._logger
        if logger is None:
            return
        try:
            call(logger)
        except Exception as error:
            self._logger = None
            name = type(logger).__name__
            log.warning("%s.%s failed, and is left out from now on: %s: %s", name, what, type(error).__name__, error)
            if what != "fail":
                self._close(logger)

    def _close(self, logger: RunLogger) -> None:
        try:
            logger.fail()
        except Exception as error:
            log.warning("%s.fail failed too: %s: %s", type(logger).__name__, type(error).__name__, error)
