"""Stages: a network with exits cut into modules, each from one exit's value to the next; for compiling and exporting.

Where a network can be left, all that comes later depends on one tensor. So the traced graph falls into parts with one
input and one output each. A network that cannot be traced has no stages; it is routed with hooks all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, fx, nn

from layerwise.errors import ModelError
from layerwise.exits.network import ExitNetwork
from layerwise.taps.borrowing import borrowed, device_of, dtype_of
from layerwise.taps.calls import observe
from layerwise.taps.finding import PROBE_EXAMPLES
from layerwise.taps.graph import Network, Untraceable, ancestors, trace
from layerwise.taps.readers import Receive

__all__ = ["Stages", "cut_into_stages"]


@dataclass(frozen=True)
class Stages:
    """The parts of a network with exits.

    Attributes:
        parts: E + 1 modules; part e makes the value of exit e from that of exit e - 1 (part 0 from images), and the
            last part the network's own logits. They share their weights with the network.
        heads: E modules, from the value of exit e to logits (B, K).
        names: of the exits, E + 1 of them.
    """

    parts: tuple[nn.Module, ...]
    heads: tuple[nn.Module, ...]
    names: tuple[str, ...]

    def forward(self, images: Tensor, receive: Receive) -> Tensor:
        """A pass part by part, as `ExitNetwork.predict(..., forward=stages.forward)` routes it.

        Args:
            images: shape (B, C, H, W), as the network takes them.
            receive: is told each exit's value, and may give back the values of those that go on.
        """
        value = images
        for name, part in zip(self.names, self.parts[:-1], strict=False):
            value = part(value)
            going_on = receive(name, value)
            value = value if going_on is None else going_on
        last: Tensor = self.parts[-1](value)
        return last

    def compiled(self, **options: Any) -> Stages:
        """The same parts, each compiled when it is first run, for any number of images (for a single one, once more).

        Args:
            **options: of `torch.compile`.
        """
        chosen = {"dynamic": True, **options}
        parts = tuple(cast(nn.Module, torch.compile(part, **chosen)) for part in self.parts)
        return replace(self, parts=parts)

    def logits(self, images: Tensor) -> list[Tensor]:
        """The logits of all exits, (B, K) each, as the network gives them."""
        value, found = images, []
        for part, head in zip(self.parts, self.heads, strict=False):
            value = part(value)
            found.append(head(value))
        return [*found, self.parts[-1](value)]


def cut_into_stages(net: ExitNetwork) -> Stages:
    """Cut a network at its exits.

    Args:
        net: in any mode; it is traced in evaluation mode, and left as it was.

    Raises:
        ModelError: the network cannot be traced, or something that is made before an exit is used after it.
    """
    model = net.model
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(PROBE_EXAMPLES, *net.image_shape, generator=generator)
    with borrowed(net):
        images = images.to(device_of(model), dtype_of(model))
        traced = trace(model, images, observe(model, images))
        if isinstance(traced, Untraceable):
            raise ModelError(
                f"{type(model).__name__} cannot be cut into stages: it cannot be traced ({traced.reason}).\n"
                "    It can be routed all the same: net.predict(images, policy)."
            )
        nodes = [_node_of(name, traced) for name in net.names[:-1]]
        parts = tuple(
            _part(model, traced, start, end) for start, end in zip([None, *nodes], [*nodes, None], strict=True)
        )
    return Stages(parts, tuple(net.heads), net.names)


def _node_of(name: str, traced: Network) -> str:
    """The node that makes the value of a tap."""
    for call, called in traced.call_to_name.items():
        if called == name and call in traced.call_to_node:
            return traced.call_to_node[call]
    for node, named in traced.node_to_name.items():
        if named == name:
            return node
    raise ModelError(f'"{name}" is not in the traced graph, so the network cannot be cut there.')


def _part(model: nn.Module, traced: Network, start: str | None, end: str | None) -> fx.GraphModule:
    """The operations that lead from one node to another; None for the images and for the output."""
    nodes = {node.name: node for node in traced.graph.nodes}
    images = next(node for node in traced.graph.nodes if node.op == "placeholder")
    output = next(node for node in traced.graph.nodes if node.op == "output")
    first = images if start is None else nodes[start]
    last = output.all_input_nodes[0] if end is None else nodes[end]
    needed = ancestors(last, until=first)
    if first is not images and images in needed:
        raise ModelError(
            f'what is made before "{traced.node_to_name[first.name]}" is used after it, if only a size of the images: '
            "the network cannot be cut there into stages."
        )
    graph = fx.Graph()
    copies = {first: graph.placeholder("value")}
    for node in traced.graph.nodes:
        if node in needed and node is not first:
            copies[node] = graph.node_copy(node, lambda one: copies[one])
    graph.output(copies[last])
    found = {
        str(node.target): _attribute(model, traced, node) for node in needed if node.op in ("call_module", "get_attr")
    }
    return fx.GraphModule(found, graph, class_name="Stage").eval()


def _attribute(model: nn.Module, traced: Network, node: fx.Node) -> nn.Module | Tensor:
    name = str(node.target)
    if node.op == "call_module":
        return model.get_submodule(name)
    if name in traced.constants:
        return traced.constants[name]
    owner, _, attribute = name.rpartition(".")
    value: Tensor = getattr(model.get_submodule(owner), attribute)
    return value
