"""trace: the network as a graph of named operations, checked against the network itself; replay: run it, show values.

Only a graph knows functional operations (`x + y`, `F.relu`) and who uses a value. Names follow torchvision's convention
for feature extraction: the path of the module in which the operation stands, then the operation (`layer1.0.add`), then
`_1`, `_2` … for repetitions; a module of torch.nn is one operation and bears its own path.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from layerwise.taps.calls import CallKey, Observation, free_name, numbered, shape_problem

Watch = Callable[[str, Any], Tensor | None]
"""Called with a node's name and its value when it is made; a tensor that it gives takes the value's place."""


@dataclass(frozen=True)
class Network:
    """A traced network: a plan of operations that holds none of the network's weights.

    Attributes:
        graph: the operations.
        constants: tensors that the forward function made while it was traced, by the graph's name for them.
        node_to_name: a node to the name of its place.
        call_to_node: a module's call to the node that made its output.
        call_to_name: a module's call to its name.
        node_to_shape: a node to its value's shape without N; only nodes whose value has an axis of examples.
    """

    graph: fx.Graph
    constants: Mapping[str, Tensor]
    node_to_name: Mapping[str, str]
    call_to_node: Mapping[CallKey, str]
    call_to_name: Mapping[CallKey, str]
    node_to_shape: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Untraceable:
    """Why there is no graph."""

    reason: str


def trace(model: nn.Module, images: Tensor, seen: Observation) -> Network | Untraceable:
    """Trace the network, and trust the graph only if it does on `images` what the network did.

    Args:
        model: in evaluation mode; left as it was.
        images: shape (N, C, H, W), as the network takes them.
        seen: what the network itself did with them.
    """
    tracer = _NamingTracer()
    with warnings.catch_warnings(), _kept_attributes(model):
        warnings.simplefilter("ignore")
        before = set(vars(model))
        try:
            graph = tracer.trace(model)
        except Exception as error:  # the network's own code runs on proxies here: anything can be raised
            return Untraceable(f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}")
        constants = {name: value for name, value in vars(model).items() if name not in before}
    found = Network(graph, constants, *tracer.names())
    return _checked(found, model, images, seen)


def replay(network: Network, model: nn.Module, images: Tensor, watch: Watch) -> Any:
    """Run the graph with the network's weights; `watch` sees every value, and may replace it, before it is used."""
    return _Replay(network, model, watch).run(images)


def ancestors(node: fx.Node, *, until: fx.Node | None = None) -> set[fx.Node]:
    """The node and all that it is computed from, no further back than `until`."""
    found: set[fx.Node] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += () if node is until else node.all_input_nodes
    return found


def _checked(network: Network, model: nn.Module, images: Tensor, seen: Observation) -> Network | Untraceable:
    shapes: dict[str, tuple[int, ...]] = {}

    def note(node: str, value: Any) -> None:
        shape, _ = shape_problem(value, len(images))
        if shape is not None:
            shapes[node] = shape

    unseen = set(network.call_to_name) - {call.key for call in seen.calls}
    if unseen:
        return Untraceable(f'tracing calls "{numbered(*min(unseen))}", which a real forward pass does not')
    try:
        output = replay(network, model, images, note)
    except Exception as error:  # as above: what a wrong graph raises is anyone's guess
        return Untraceable(f"its graph cannot be run ({type(error).__name__})")
    if not isinstance(output, Tensor) or output.shape != seen.logits.shape:
        return Untraceable("its graph gives another output than the network")
    if not torch.allclose(output, seen.logits, rtol=1e-4, atol=1e-5, equal_nan=True):
        return Untraceable("its graph gives other numbers than the network")
    return replace(network, node_to_shape=shapes)


@contextmanager
def _kept_attributes(model: nn.Module) -> Iterator[None]:
    """Put back every module's attributes: a forward function that stores values stores proxies while it is traced."""
    kept = [(module, dict(vars(module)), dict(module._buffers)) for module in model.modules()]
    try:
        yield
    finally:
        for module, attributes, buffers in kept:
            vars(module).clear()
            vars(module).update(attributes)
            module._buffers.clear()
            module._buffers.update(buffers)


class _NamingTracer(fx.Tracer):
    """Gives every node the name of its place, and keeps which node made the output of each module's call."""

    def __init__(self) -> None:
        super().__init__()
        self._path = ""
        self._ended: Counter[str] = Counter()
        self._repeats: Counter[str] = Counter()
        self._node_to_name: dict[str, str] = {}
        self._call_to_node: dict[CallKey, str | None] = {}

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        outer, self._path = self._path, self.path_of_module(m)
        path = self._path
        try:
            value = super().call_module(m, forward, args, kwargs)
        finally:
            self._path = outer
        proxy = _first_proxy(value)
        self._call_to_node[path, self._ended[path]] = proxy.node.name if proxy is not None else None
        self._ended[path] += 1
        return value

    def create_node(self, kind: str, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(kind, *args, **kwargs)
        if kind not in ("get_attr", "output"):
            self._node_to_name[node.name] = self._name_of(node)
        return node

    def _name_of(self, node: fx.Node) -> str:
        # The tracer numbers operations over the whole network; a place counts them within its module.
        operation = re.sub(r"_\d+$", "", node.name)
        functional = f"{self._path}.{operation}" if self._path else operation
        place = self._path if node.op == "call_module" else functional
        self._repeats[place] += 1
        return numbered(place, self._repeats[place] - 1)

    def names(self) -> tuple[dict[str, str], dict[CallKey, str], dict[CallKey, str]]:
        """Node to name, call to node, call to name. A module of several operations gets a name that is free."""
        made = {call: node for call, node in self._call_to_node.items() if node is not None}
        operations = {node.name: str(node.target) for node in self.graph.nodes if node.op == "call_module"}
        taken = set(self._node_to_name.values())
        call_to_name: dict[CallKey, str] = {}
        for path, number in self._call_to_node:
            node = made.get((path, number), "")
            if operations.get(node) == path:
                call_to_name[path, number] = self._node_to_name[node]
            else:
                call_to_name[path, number] = free_name(path, number, taken)
        return self._node_to_name, made, call_to_name


def _first_proxy(value: Any) -> fx.Proxy | None:
    if isinstance(value, fx.Proxy):
        return value
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return next((proxy for item in value if (proxy := _first_proxy(item)) is not None), None)
    return None


class _Replay(fx.Interpreter):
    """Runs the graph on another module's weights; forgets each value after its last use."""

    def __init__(self, network: Network, model: nn.Module, watch: Watch) -> None:
        super().__init__(model, graph=network.graph)
        self.extra_traceback = False
        self._constants = network.constants
        self._watch = watch
        self._device = torch.device("cpu")

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if n.op == "output":
            return value
        if n.op == "placeholder":
            self._device = value.device
        replaced = self._watch(n.name, value)
        if not n.users:
            return None
        return value if replaced is None else replaced

    def fetch_attr(self, target: str) -> Any:
        constant = self._constants.get(target)
        return super().fetch_attr(target) if constant is None else constant.to(self._device)
