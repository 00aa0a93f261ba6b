"""The last feature map of a model of whatever make, found in its graph: what its own pooling gets.

All ways from the images to the logits lead through some nodes of the graph; a squeeze-and-excitation block's pooling is none
of them, as there is a way around it. On this path, maps end where positions do: at a global pooling or a flattening.
https://docs.pytorch.org/docs/stable/fx.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from wisesr.types import FeatureShape

MAP = "map"
"""What the last map is called in a model that is cut there."""


class NoMapError(Exception):
    """A model leaves no feature map; its text says why."""


class Step(NamedTuple):
    """A node of the graph that all ways lead through."""

    name: str
    """As torchvision's feature extraction has it."""
    shape: tuple[int, ...]
    """Of its tensor, with the batch; empty where it is no tensor."""
    module: nn.Module | None
    """What it calls, if that is a module."""
    function: str
    """What it calls, if that is a function or method."""
    weighted: bool
    """Whether it computes with parameters of its own."""

    @property
    def is_map(self) -> bool:
        """Whether it is a map, be it of one position."""
        return len(self.shape) == 4

    @property
    def adapts(self) -> bool:
        """Whether it pools to an extent that does not depend on the map's."""
        return isinstance(self.module, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)) or self.function.startswith("adaptive_")


def cut_at(model: nn.Module, node: str) -> nn.Module:
    """A model that computes one node of a model's graph, and nothing behind it: images -> {MAP: tensor}."""
    extractor: nn.Module = create_feature_extractor(model, {node: MAP}, suppress_diff_warning=True)
    return extractor


def find_last_map(model: nn.Module, images: Tensor) -> tuple[str, FeatureShape]:
    """The node of a model's graph that holds its last map before pooling and classifier, and the map's shape.

    Args:
        model: on the meta device, in eval mode.
        images: (2, channels, height, width), on the meta device.

    Raises:
        NoMapError: it leaves no map, with the reason.
        Exception: whatever the model says to images that it refuses, and torch.fx to a model that it cannot trace.
    """
    with torch.inference_mode(False):
        answer = model(images)
        if not isinstance(answer, Tensor):
            raise NoMapError(f"it answers with a {type(answer).__name__}, not with logits")
        path = _path(model, images)
    step = path[choose(path)]
    if min(step.shape[1:]) < 1:
        raise NoMapError(f"it leaves a map of {tuple(step.shape[1:])}")
    return step.name, FeatureShape(*step.shape[1:])


def choose(path: Sequence[Step]) -> int:
    """Which step of a path, images first and logits last, is the last map.

    Raises:
        NoMapError: none, with the reason.
    """
    pooling = next((index for index in range(len(path) - 1, 0, -1) if _pools(path[index - 1], path[index])), None)
    if pooling is not None and not any(step.weighted and _extent(step) > 1 for step in path[pooling + 1 :]):
        behind = any(step.weighted for step in path[pooling:])
        return _before_dropout(path, pooling - 1 if behind else _before_convolved_classes(path, pooling - 1))
    if path[-1].is_map:
        return len(path) - 1
    last = max((index for index, step in enumerate(path) if step.is_map), default=0)
    if last == 0:
        raise NoMapError("nothing between its images and its logits is a map")
    after = next(step.shape for step in path[last + 1 :] if step.shape)
    if after != (path[last].shape[0], _numbers(path[last])):
        what = "tokens" if len(after) == 3 else f"a tensor of {after[1:]} an image"
        raise NoMapError(f"its last map, {path[last].name}, becomes {what}")
    return _before_dropout(path, last)


def _pools(before: Step, step: Step) -> bool:
    """Whether a step leaves one number of each channel, or pools to a fixed extent."""
    if not before.is_map or step.weighted:
        return False
    ends = step.shape in (before.shape[:2], (*before.shape[:2], 1, 1))
    return step.adapts or (ends and _extent(before) > 1)


def _before_convolved_classes(path: Sequence[Step], index: int) -> int:
    """SqueezeNet's logits are pooled: their map is the 1x1 convolution's (with a bias, as none has that a norm follows)."""
    weighted = next((at for at in range(index, 0, -1) if path[at].weighted), 0)
    module = path[weighted].module
    if isinstance(module, nn.Conv2d) and set(module.kernel_size) == {1} and module.bias is not None:
        return weighted - 1
    return index


def _before_dropout(path: Sequence[Step], index: int) -> int:
    """Dropout belongs to the classifier that it stands before."""
    while isinstance(path[index].module, (nn.Dropout, nn.Dropout2d)):
        index -= 1
    if not path[index].is_map:
        raise NoMapError(f"what its pooling gets, {path[index].name}, is no map")
    return index


def _extent(step: Step) -> int:
    """Positions of a map; 0 of what is none."""
    return step.shape[2] * step.shape[3] if step.is_map else 0


def _numbers(step: Step) -> int:
    """Numbers of one image."""
    return step.shape[1] * _extent(step)


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps what each node answers."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.answers: dict[fx.Node, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        """As torch.fx does, and keep the answer."""
        self.answers[n] = super().run_node(n)
        return self.answers[n]


def _path(model: nn.Module, images: Tensor) -> list[Step]:
    """The steps that every way from the images to the logits goes through, in order."""
    _, names = get_graph_node_names(model, suppress_diff_warning=True)
    (first, *_) = names
    kept = {name: name for name in names}
    whole = create_feature_extractor(
        model, train_return_nodes={first: first}, eval_return_nodes=kept, suppress_diff_warning=True
    )
    recorder = _Recorder(whole)
    recorder.run(images)
    (output,) = (node for node in whole.graph.nodes if node.op == "output")
    named = {node: name for name, node in output.args[0].items()}
    nodes = [node for node in whole.graph.nodes if node is not output and _holds_tensor(recorder.answers[node])]
    return [_step(node, named.get(node, ""), recorder.answers, whole) for node in _unavoidable(nodes)]


def _unavoidable(nodes: Sequence[fx.Node]) -> list[fx.Node]:
    """The dominators of the last node that depends on the first: those of its inputs in common, and itself.

    https://en.wikipedia.org/wiki/Dominator_(graph_theory); a set of nodes is a number with a bit for each.
    """
    order = {node: index for index, node in enumerate(nodes)}
    start = next(node for node in nodes if node.op == "placeholder")
    through = {start: 1 << order[start]}
    last = start
    for node in nodes:
        inputs = [through[one] for one in node.all_input_nodes if one in through]
        if inputs and node is not start:
            common = inputs[0]
            for other in inputs[1:]:
                common &= other
            through[node] = common | 1 << order[node]
            last = node
    return [node for node in nodes if through[last] >> order[node] & 1]


def _step(node: fx.Node, name: str, answers: dict[fx.Node, Any], graph: fx.GraphModule) -> Step:
    answer = answers[node]
    module = graph.get_submodule(str(node.target)) if node.op == "call_module" else None
    called = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    function = called if node.op in ("call_function", "call_method") else ""
    own = [answers[one] for one in node.all_input_nodes if one.op == "get_attr"]
    weighted = any(isinstance(value, nn.Parameter) and value.ndim > 1 for value in own)
    weighted = weighted or (module is not None and next(module.parameters(), None) is not None)
    return Step(name, tuple(answer.shape) if isinstance(answer, Tensor) else (), module, function, weighted)


def _holds_tensor(answer: Any) -> bool:
    if isinstance(answer, (list, tuple)):
        return any(map(_holds_tensor, answer))
    return isinstance(answer, Tensor)
