"""Plan: all places of one network, from its calls and its graph; chooses among them, and how to read the chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from layerwise.errors import ModelError, UnknownNameError
from layerwise.taps.blocks import block_calls, block_nodes
from layerwise.taps.calls import CallKey, ModuleCall, Observation, free_name
from layerwise.taps.graph import Network, Untraceable
from layerwise.taps.readers import GraphReader, HookReader, Reader
from layerwise.taps.tap import INPUT, SOFTMAX, Tap, Taps, unknown_taps

PLACEMENTS = ("children", "blocks", "leaves")


@dataclass(frozen=True)
class _Place:
    """Where a tap may be: a module's call, a node of the graph, or both."""

    name: str
    shape: tuple[int, ...] | None
    problem: str = ""
    call: CallKey | None = None
    node: str | None = None


class Plan:
    """All places of one network, and the choice among them."""

    def __init__(self, model: nn.Module, seen: Observation, traced: Network | Untraceable) -> None:
        self.model = model
        self.seen = seen
        self.traced = traced
        self.network = type(model).__name__
        self.calls = self._places_of_calls()
        self.nodes = self._places_of_nodes()

    def taps(self, place: str | Sequence[str], *, image_shape: tuple[int, ...]) -> Taps:
        """The places of a placement, or with the given names, in order of execution, between input and softmax."""
        chosen = self._placed(place) if isinstance(place, str) else self._named(place)
        readable = [found for found in chosen if found.shape is not None]
        shapes = [(found.name, found.shape or ()) for found in readable]
        ends = [(INPUT, image_shape), *shapes, (SOFTMAX, tuple(self.seen.logits.shape[1:]))]
        return Taps(
            taps=tuple(Tap(name, order, shape) for order, (name, shape) in enumerate(ends)),
            reader=self._reader(readable),
            network=self.network,
            skipped={found.name: found.problem for found in chosen if found.shape is None},
        )

    def _placed(self, place: str) -> list[_Place]:
        if place == "blocks" and isinstance(self.traced, Network):
            nodes = dict.fromkeys(block_nodes(self.traced, self.model))
            last = _output_node(self.traced)
            return [self.nodes[node] for node in nodes if node != last]
        if place == "blocks":
            calls = block_calls(self.seen.calls, self.model)
        else:
            calls = [call for call in self.seen.calls if (call.is_leaf if place == "leaves" else call.depth == 0)]
        while calls and calls[-1].is_output:
            calls.pop()
        return [self.calls[call.key] for call in calls]

    def _named(self, names: Sequence[str]) -> list[_Place]:
        places = {found.name: found for found in (*self.nodes.values(), *self.calls.values())}
        asked = [name for name in dict.fromkeys(names) if name not in (INPUT, SOFTMAX)]
        unknown = [name for name in asked if name not in places]
        if unknown:
            message = unknown_taps(unknown, (INPUT, *places, SOFTMAX), self.network, near=PLACEMENTS)
            raise UnknownNameError(message + self._untraced())
        chosen = [places[name] for name in asked]
        faults = [f'"{found.name}" cannot be a tap: {found.problem}.' for found in chosen if found.shape is None]
        if faults:
            raise ModelError("\n".join(faults))
        return sorted(chosen, key=self._order(chosen))

    def _untraced(self) -> str:
        if isinstance(self.traced, Network):
            return ""
        return f"\n    Only modules have names here: {self.network} cannot be traced ({self.traced.reason})."

    def _reader(self, places: Sequence[_Place]) -> Reader:
        if all(found.call for found in places):
            path_to_taps: dict[str, dict[int, str]] = {}
            for found in places:
                path, number = found.call or ("", 0)
                path_to_taps.setdefault(path, {})[number] = found.name
            return HookReader(path_to_taps)
        hidden = [f'"{found.name}"' for found in places if found.node is None]
        if hidden or not isinstance(self.traced, Network):
            raise ModelError(
                f"{', '.join(hidden)} cannot be read together with functional operations: the graph of {self.network} "
                "does not look into these modules.\n    Read modules and operations in two recordings."
            )
        node_to_taps: dict[str, tuple[str, ...]] = {}
        for found in places:
            node = found.node or ""
            node_to_taps[node] = (*node_to_taps.get(node, ()), found.name)
        return GraphReader(self.traced, node_to_taps)

    def _order(self, places: Sequence[_Place]) -> Callable[[_Place], int]:
        """In order of the observed calls when all are modules, else of the graph."""
        if all(found.call for found in places):
            keys = {call.key: order for order, call in enumerate(self.seen.calls)}
            return lambda found: keys[found.call] if found.call else 0
        nodes = {node: order for order, node in enumerate(self.nodes)}
        return lambda found: nodes.get(found.node or "", 0)

    def _places_of_calls(self) -> dict[CallKey, _Place]:
        taken = {INPUT, SOFTMAX}
        if isinstance(self.traced, Network):
            taken |= {*self.traced.node_to_name.values(), *self.traced.call_to_name.values()}
        return {call.key: self._place_of(call, taken) for call in self.seen.calls}

    def _place_of(self, call: ModuleCall, taken: set[str]) -> _Place:
        name = self.traced.call_to_name.get(call.key) if isinstance(self.traced, Network) else None
        node = self.traced.call_to_node.get(call.key) if isinstance(self.traced, Network) else None
        if name is None or name in (INPUT, SOFTMAX):
            name = free_name(*call.key, taken)
        return _Place(name, call.shape, call.problem, call=call.key, node=node)

    def _places_of_nodes(self) -> dict[str, _Place]:
        if isinstance(self.traced, Untraceable):
            return {}
        by_name = {found.name: found for found in self.calls.values()}
        places = {}
        for node, name in self.traced.node_to_name.items():
            shape = self.traced.node_to_shape.get(node)
            problem = "" if shape else "its value has no axis of examples first"
            functional = _Place(name, shape, problem, node=node)
            module = by_name.get(name)
            places[node] = module if module is not None and module.node == node else functional
        return places


def _output_node(network: Network) -> str:
    output = next(node for node in network.graph.nodes if node.op == "output")
    return "".join(node.name for node in output.all_input_nodes[:1])
