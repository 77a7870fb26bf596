"""Where blocks end: block_nodes reads it off a traced network's graph, block_calls guesses it from modules that repeat.

A block ends where paths of the network meet again. `block_nodes` takes, in this order of preference,

1. every residual add: a sum of two values of one shape that are both computed from the images. When the sum goes to one
   activation and nowhere else (ResNet), the activation's value is taken; in networks whose blocks begin with a
   normalisation (transformers) the sum itself;
2. in networks without one (DenseNet, SqueezeNet, GoogLeNet), every concatenation of several such values;
3. in networks without either (VGG, AlexNet), every activation and pooling.

In 1 and 2 the stem comes first: the value at which the paths to the first meeting point part.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import fx, nn

from layerwise.taps.calls import ModuleCall
from layerwise.taps.graph import Network, ancestors

ACTIVATIONS: tuple[type[nn.Module], ...] = (
    nn.CELU, nn.ELU, nn.GELU, nn.GLU, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU, nn.Mish, nn.PReLU,
    nn.ReLU, nn.ReLU6, nn.RReLU, nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Tanh,
)  # fmt: skip
POOLINGS: tuple[type[nn.Module], ...] = (
    nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.AvgPool2d, nn.FractionalMaxPool2d, nn.LPPool2d, nn.MaxPool2d,
)  # fmt: skip
ACTIVATION_NAMES = frozenset(kind.__name__.lower() for kind in ACTIVATIONS) | {"leaky_relu"}
CONTAINERS: tuple[type[nn.Module], ...] = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def block_nodes(network: Network, model: nn.Module) -> list[str]:
    """Names of the graph's nodes after the stem and after every block, in order of execution.

    Args:
        network: the traced network, with the shapes seen.
        model: the network itself, for the classes of its modules.
    """
    nodes = [node for node in network.graph.nodes if node.name in network.node_to_shape]
    joins = [node for node in nodes if _is_residual_add(node, network)]
    joins = joins or [node for node in nodes if _is_concatenation(node, network)]
    if not joins:
        kinds = (*ACTIVATIONS, *POOLINGS)
        return [node.name for node in nodes if _is_activation(node, model, kinds) or "pool" in _operation(node)]
    ends = [_followed(node, model) for node in joins]
    stem = _parting(joins[0], network)
    return [node.name for node in ([stem] if stem is not None else []) + ends]


def block_calls(calls: Iterable[ModuleCall], model: nn.Module) -> list[ModuleCall]:
    """Calls that end the stem and the blocks of a network that cannot be traced, as well as modules show it.

    A block is an outermost member of a Sequential or ModuleList whose class is not torch's own and occurs there more
    than once. Without such members: every activation and pooling; without those: every leaf.
    """
    calls = list(calls)
    blocks = _outermost([call for call in calls if call.key[0] in _repeated_members(model)])
    if not blocks:
        kinds = (*ACTIVATIONS, *POOLINGS)
        return [call for call in calls if issubclass(call.kind, kinds)] or [call for call in calls if call.is_leaf]
    first = min(block.started for block in blocks)
    before = [call for call in calls if call.is_leaf and call.started < first and call.shape is not None]
    return before[-1:] + blocks


def _repeated_members(model: nn.Module) -> set[str]:
    members = {
        f"{path}.{name}" if path else name: type(child)
        for path, module in model.named_modules()
        if isinstance(module, CONTAINERS)
        for name, child in module.named_children()
        if not type(child).__module__.startswith("torch.nn")
    }
    kinds = list(members.values())
    return {path for path, kind in members.items() if kinds.count(kind) > 1}


def _outermost(calls: list[ModuleCall]) -> list[ModuleCall]:
    paths = {call.key[0] for call in calls}
    return [call for call in calls if not any(call.key[0].startswith(f"{path}.") for path in paths)]


def _operation(node: fx.Node) -> str:
    """The bare name of a functional operation, without the marks of in-place variants; "" for modules."""
    if node.op == "call_method":
        return str(node.target).strip("_")
    if node.op == "call_function":
        return str(getattr(node.target, "__name__", "")).strip("_")
    return ""


def _sources(node: fx.Node, network: Network) -> list[fx.Node]:
    """The node's inputs that are values with an axis of examples."""
    return [source for source in node.all_input_nodes if source.name in network.node_to_shape]


def _is_residual_add(node: fx.Node, network: Network) -> bool:
    if _operation(node) not in {"add", "iadd"}:
        return False
    shapes = [network.node_to_shape[source.name] for source in _sources(node, network)]
    return len(shapes) == 2 and shapes[0] == shapes[1] == network.node_to_shape[node.name]


def _is_concatenation(node: fx.Node, network: Network) -> bool:
    return _operation(node) in {"cat", "concat", "concatenate"} and len(_sources(node, network)) > 1


def _is_activation(node: fx.Node, model: nn.Module, kinds: tuple[type[nn.Module], ...] = ACTIVATIONS) -> bool:
    if node.op == "call_module":
        return isinstance(model.get_submodule(str(node.target)), kinds)
    return _operation(node) in ACTIVATION_NAMES


def _followed(node: fx.Node, model: nn.Module) -> fx.Node:
    """The activation that is the node's only user, or the node."""
    users = list(node.users)
    return users[0] if len(users) == 1 and _is_activation(users[0], model) else node


def _parting(join: fx.Node, network: Network) -> fx.Node | None:
    """The last value on all paths' common part before they meet in `join`; None when that is the network's input."""
    shared = set.intersection(*(ancestors(source) for source in _sources(join, network)))
    values = [node for node in network.graph.nodes if node in shared and node.name in network.node_to_shape]
    return values[-1] if values and values[-1].op != "placeholder" else None
