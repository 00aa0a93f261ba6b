"""ONNX, written by torch's exporter and run by onnxruntime. Both, and onnxscript, are an extra: `wisesr[onnx]`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from wisesr.errors import UserError
from wisesr.inference.exporting.formats import INPUT, About, Format, quietly
from wisesr.results.provenance import installed_version

if TYPE_CHECKING:
    import onnx

OPSET = 18
"""What torch's exporter writes of its own; onnxscript converts to others. https://docs.pytorch.org/docs/stable/onnx_export.html"""
_PACKAGES = ("onnx", "onnxruntime", "onnxscript")
_LARGEST = 2**31 - 2**24
"""Bytes of weights in one file: protobuf takes 2 GiB, and the graph needs some of it."""


class OnnxFormat(Format):
    """`.onnx`, with logits and probabilities as answers.

    Args:
        opset: version of ONNX's operators.
    """

    name = "onnx"
    suffix = ".onnx"
    tolerance = 1e-4
    outputs = ("logits", "probabilities")

    def __init__(self, opset: int = OPSET) -> None:
        self.opset = opset

    def require(self) -> None:
        """The three packages of the extra, and an opset that the installed onnx knows.

        Raises:
            UserError: one is not installed; no such opset.
        """
        missing = [name for name in _PACKAGES if find_spec(name) is None]
        if missing:
            raise UserError(
                f"--format onnx needs {', '.join(_PACKAGES)}, of which {', '.join(missing)} is not installed: "
                "pip install 'wisesr[onnx]' (--format torch does without)"
            )
        from onnx.defs import onnx_opset_version

        if not 1 <= self.opset <= onnx_opset_version():
            raise UserError(f"--opset must be from 1 to {onnx_opset_version()}, which onnx here ends with, not {self.opset}")

    def write(self, program: ExportedProgram, about: About, path: Path) -> None:
        """Make the file: one, with its weights in it.

        Raises:
            UserError: more weights than one file holds; an operator that ONNX, or this opset, lacks.
        """
        held = sum(
            tensor.nbytes for tensor in (*program.state_dict.values(), *program.constants.values()) if torch.is_tensor(tensor)
        )
        if held > _LARGEST:
            raise UserError(
                f"ONNX holds 2 GiB in one file, and this network's weights are {held / 2**30:.1f} GiB: --format torch"
            )
        import onnx

        proto = self._converted(program)
        _tidy(proto)
        onnx.helper.set_model_props(
            proto,
            {name: value if isinstance(value, str) else json.dumps(value, allow_nan=False) for name, value in about.items()},
        )
        onnx.checker.check_model(proto, full_check=True)
        path.write_bytes(proto.SerializeToString())

    def _converted(self, program: ExportedProgram) -> onnx.ModelProto:
        try:
            with quietly():
                made = torch.onnx.export(
                    program,
                    (),
                    dynamo=True,
                    input_names=[INPUT],
                    output_names=list(self.outputs),
                    opset_version=self.opset,
                    optimize=True,
                    verbose=False,
                )
        except Exception as error:  # whatever onnxscript raises
            reason = str(error).strip().partition("\n")[0]
            raise UserError(f"torch cannot write this network as ONNX of opset {self.opset}: {reason}") from error
        if made is None:
            raise RuntimeError("torch.onnx.export answered with nothing, which it does for the old exporter alone")
        proto = made.model_proto
        written = {entry.domain: entry.version for entry in proto.opset_import}[""]
        if written != self.opset:  # onnxscript leaves a graph as it is that it cannot convert, and only logs it
            raise UserError(f"this network cannot be had in opset {self.opset}, only in {written}: --opset {written}")
        return proto

    def open(self, path: Path) -> Callable[[Tensor], Tensor]:
        """By onnxruntime, on the CPU."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors, which it raises as well
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda images: torch.from_numpy(session.run([self.outputs[0]], {INPUT: images.numpy()})[0])

    @property
    def runtime(self) -> str:
        """Onnxruntime."""
        return f"onnxruntime {installed_version('onnxruntime')}"

    def about(self) -> dict[str, Any]:
        """The opset."""
        return {"opset": self.opset}


def _tidy(proto: onnx.ModelProto) -> None:
    """The axis that may be of any size by its name; without stack traces, which tell where on this machine the code lies."""
    graph = proto.graph
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del graph.value_info[:]  # runtimes infer them
    for part in (graph, *graph.input, *graph.output, *graph.initializer, *_nodes(proto)):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _nodes(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    yield from proto.graph.node
    for function in proto.functions:
        yield from function.node
