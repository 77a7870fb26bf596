"""Reader: how values at taps are got during a forward pass: HookReader by hooks, GraphReader by a replay of the graph.

Hooks are taken whenever every tap is a module's output: the network's own forward function runs, with its users' hooks.
A value may also be replaced on the way, and the network goes on with what the receiver gives back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from layerwise.errors import ModelError
from layerwise.taps.calls import first_tensor
from layerwise.taps.graph import Network, replay

Receive = Callable[[str, Tensor], Tensor | None]
"""Told a tap's name and its value (N, …) when it is made: use or copy it at once, it may be rewritten.

The network goes on with the tensor that is given back; None leaves the value as it is."""

Forward = Callable[[Tensor, Receive], Any]
"""From preprocessed images (N, C, H, W) to the network's output; the second argument is told the taps' values."""


class Reader(ABC):
    """A plan that reads taps. It holds no network, and works on any that has the same modules."""

    @abstractmethod
    def open(self, model: nn.Module) -> AbstractContextManager[Forward]:
        """The network's forward pass with its taps; closing leaves no trace in the network.

        Raises:
            ModelError: the network lacks a module that is to be read.
        """


@dataclass(frozen=True)
class HookReader(Reader):
    """Reads outputs of modules.

    Attributes:
        path_to_taps: a module's path to {number of its call: name of the tap}.
    """

    path_to_taps: Mapping[str, Mapping[int, str]]

    @contextmanager
    def open(self, model: nn.Module) -> Iterator[Forward]:
        """See Reader.open."""
        modules = dict(model.named_modules())
        _refuse_missing(model, set(self.path_to_taps) - set(modules))
        ended: Counter[str] = Counter()
        receivers: list[Receive] = []

        def hook(path: str) -> Callable[[nn.Module, Any, Any], Tensor | None]:
            def show(module: nn.Module, arguments: Any, value: Any) -> Tensor | None:  # noqa: ARG001
                tap = self.path_to_taps[path].get(ended[path])
                ended[path] += 1
                return None if tap is None else _shown(tap, value, receivers[-1])

            return show

        def forward(images: Tensor, receive: Receive) -> Any:
            ended.clear()
            receivers[:] = [receive]
            try:
                return model(images)
            finally:
                receivers.clear()  # else it would refer to this function, and a whole recording be held by the cycle

        with ExitStack() as hooks:
            for path in self.path_to_taps:
                hooks.callback(modules[path].register_forward_hook(hook(path)).remove)
            yield forward


@dataclass(frozen=True)
class GraphReader(Reader):
    """Reads values of a traced network's operations.

    Attributes:
        network: the graph to replay.
        node_to_taps: a node's name to the names of the taps that show its value.
    """

    network: Network
    node_to_taps: Mapping[str, tuple[str, ...]]

    @contextmanager
    def open(self, model: nn.Module) -> Iterator[Forward]:
        """See Reader.open."""
        targets = {str(node.target) for node in self.network.graph.nodes if node.op == "call_module"}
        _refuse_missing(model, targets - {path for path, _ in model.named_modules()})

        def forward(images: Tensor, receive: Receive) -> Any:
            def watch(node: str, value: Any) -> Tensor | None:
                replaced = None
                for tap in self.node_to_taps.get(node, ()):
                    replaced = _shown(tap, value if replaced is None else replaced, receive)
                return replaced

            return replay(self.network, model, images, watch)

        yield forward


def _shown(tap: str, value: Any, receive: Receive) -> Tensor | None:
    """Show a place's value to the receiver; gives what the network is to go on with instead, if anything."""
    tensor = first_tensor(value)
    replaced = None if tensor is None else receive(tap, tensor)
    if replaced is not None and tensor is not value:
        raise ModelError(f'"{tap}" gives a {type(value).__name__}, not one tensor: its value cannot be replaced.')
    return replaced


def _refuse_missing(model: nn.Module, missing: set[str]) -> None:
    if missing:
        listed = ", ".join(f'"{path}"' for path in sorted(missing))
        raise ModelError(
            f"{type(model).__name__} has no module {listed}: these taps were found on another network.\n"
            "    Call find_taps on the network that is to be read."
        )
