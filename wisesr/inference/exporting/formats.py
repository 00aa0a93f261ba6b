"""What a format of exported files has to do, and the graph that both are made of."""

from __future__ import annotations

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from wisesr.errors import UserError
from wisesr.inference.exporting.network import Network

INPUT = "images"
"""What the input is called."""
About = Mapping[str, Any]
"""What a file says of itself, as plain data by name."""


class Format(ABC):
    """A kind of file."""

    name: str
    suffix: str
    tolerance: float
    """Between a file's logits and the run's, times the largest of them where it is above 1."""
    outputs: tuple[str, ...]
    """What its answers are called."""

    @abstractmethod
    def require(self) -> None:
        """Hold what is installed against what is needed, before anything is computed.

        Raises:
            UserError: something is not.
        """

    @abstractmethod
    def write(self, program: ExportedProgram, about: About, path: Path) -> None:
        """Make the file.

        Raises:
            UserError: this network cannot be had in this format.
        """

    @abstractmethod
    def open(self, path: Path) -> Callable[[Tensor], Tensor]:
        """A file that was written, as a function from its input to logits."""

    @property
    @abstractmethod
    def runtime(self) -> str:
        """By what an opened file computes: name and version."""

    def about(self) -> dict[str, Any]:
        """What is to be said of the format itself."""
        return {}


def capture(network: Network, example: Tensor) -> ExportedProgram:
    """The network as a graph, for any batch size.

    Args:
        network: in eval mode.
        example: of its input, (2 or more, 3, size, size): torch takes a batch of 1 for a batch of 1 for ever.

    Raises:
        UserError: torch cannot capture it.
    """
    try:
        with quietly():
            program = torch.export.export(network, (example,), dynamic_shapes=({0: Dim("batch")},), strict=False)
    except Exception as error:  # whatever the tracer, or the code that it runs through, raises
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"torch.export cannot make one graph of this network for any batch size: {reason}") from error
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine, which are nobody's business
    return program


@contextmanager
def quietly() -> Iterator[None]:
    """Without what torch's exporter and onnxscript warn of and log: their own parts, deprecated or skipped.

    What matters of it ends in an exception, or in a file that does not pass its check.
    https://docs.pytorch.org/docs/stable/onnx_export.html
    """
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
