"""observe: one forward pass with a hook on every module, giving the ModuleCalls in order of execution.

Hooks see what really ran, for any network; they also tell which module it was that could not take the images.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from layerwise.errors import ModelError

CallKey = tuple[str, int]
"""A module's dotted path, and how many of its calls ended before this one."""


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module in the observed pass.

    Attributes:
        key: the module's path and the number of this call.
        kind: the module's class.
        started: how many calls had started before it.
        ended: how many calls had ended before it.
        depth: how many other modules were being called around it; 0 when the network itself called it.
        is_leaf: it called no other module.
        shape: its output's shape without N, or None when it cannot be a tap.
        problem: why it cannot be a tap, or "".
        is_output: its output is, unchanged, what the network gives.
    """

    key: CallKey
    kind: type[nn.Module]
    started: int
    ended: int
    depth: int
    is_leaf: bool
    shape: tuple[int, ...] | None
    problem: str
    is_output: bool

    @property
    def name(self) -> str:
        """The path, with `_1`, `_2` … for later calls."""
        return numbered(*self.key)


@dataclass(frozen=True)
class Observation:
    """What one forward pass showed: calls in the order in which they ended, and the logits (N, K)."""

    calls: tuple[ModuleCall, ...]
    logits: Tensor


def numbered(name: str, number: int) -> str:
    """The name of the call after `number` earlier ones.

    >>> numbered("relu", 0), numbered("relu", 1)
    ('relu', 'relu_1')
    """
    return f"{name}_{number}" if number else name


def free_name(name: str, number: int, taken: set[str]) -> str:
    """The numbered name, or the next one that is not in `taken`; it is added to `taken`.

    >>> free_name("relu", 1, {"relu_1"})
    'relu_2'
    """
    while numbered(name, number) in taken:
        number += 1
    taken.add(numbered(name, number))
    return numbered(name, number)


def first_tensor(value: Any) -> Tensor | None:
    """The value itself, or the first tensor inside tuples, lists and mappings; None when there is none."""
    return next(_tensors_in(value), None)


def _tensors_in(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors_in(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _tensors_in(item)


def shape_problem(value: Any, examples: int) -> tuple[tuple[int, ...] | None, str]:
    """The shape per example of a tap's value, or None and why it cannot be a tap."""
    tensor = first_tensor(value)
    if tensor is None:
        return None, f"its output holds no tensor (it is a {type(value).__name__})"
    if tensor.ndim < 2 or tensor.shape[0] != examples:
        return None, f"its output of shape {times(tensor.shape)} for {examples} images has no axis of examples first"
    return tuple(tensor.shape[1:]), ""


def times(shape: Sequence[int]) -> str:
    """A shape for people.

    >>> times((64, 8, 8)), times(())
    ('64×8×8', 'scalar')
    """
    return "×".join(map(str, shape)) or "scalar"


def observe(model: nn.Module, images: Tensor) -> Observation:
    """Run the network once and note every call of a module.

    Args:
        model: in evaluation mode.
        images: shape (N, C, H, W), as the network takes them.

    Raises:
        ModelError: the network cannot take the images, or does not give logits of shape (N, K).
    """
    watch = _Watch(examples=len(images))
    with ExitStack() as hooks:
        for path, module in model.named_modules():
            if path:
                hooks.callback(module.register_forward_pre_hook(watch.before(path)).remove)
                hooks.callback(module.register_forward_hook(watch.after(path)).remove)
        try:
            output = model(images)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            raise ModelError(_unfit(model, images, watch.running, error)) from error
    check_logits(model, output, len(images))
    return Observation(watch.calls_given(output), output)


def check_logits(model: nn.Module, output: Any, examples: int) -> None:
    """Refuse an output that is not logits.

    Raises:
        ModelError: the output is not a tensor (N, K) with K of at least 2, or its rows are probabilities.
    """
    given = f"of shape {times(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
    if not isinstance(output, Tensor) or output.ndim != 2 or output.shape[0] != examples or output.shape[1] < 2:
        raise ModelError(
            f"{type(model).__name__} gives {given} for {examples} images; expected logits of shape (N, K): "
            "one row for each image, one column for each of at least two classes.\n"
            "    Wrap the network in a module whose forward returns just the logits."
        )
    if not output.is_floating_point():
        raise ModelError(f"{type(model).__name__} gives {output.dtype} numbers; expected floating logits.")
    if bool((output >= 0).all()) and bool(torch.isclose(output.sum(1), output.new_ones(()), atol=1e-3).all()):
        raise ModelError(
            f"{type(model).__name__} gives probabilities; expected logits: layerwise applies the softmax itself.\n"
            "    Leave out the network's last softmax."
        )


@dataclass(frozen=True)
class _Ended:
    call: ModuleCall
    output: weakref.ref[Tensor] | None
    version: int


class _Watch:
    """The hooks' notebook."""

    def __init__(self, *, examples: int) -> None:
        self.examples = examples
        self.running: list[str] = []
        self._opened: list[int] = []
        self._ended: list[_Ended] = []
        self._started = 0
        self._numbers: Counter[str] = Counter()

    def before(self, path: str) -> Any:
        def note_start(module: nn.Module, arguments: Any) -> None:  # noqa: ARG001
            self.running.append(path)
            self._opened.append(self._started)
            self._started += 1

        return note_start

    def after(self, path: str) -> Any:
        def note_end(module: nn.Module, arguments: Any, value: Any) -> None:  # noqa: ARG001
            self.running.pop()
            started = self._opened.pop()
            shape, problem = shape_problem(value, self.examples)
            call = ModuleCall(
                key=(path, self._numbers[path]),
                kind=type(module),
                started=started,
                ended=len(self._ended),
                depth=len(self.running),
                is_leaf=self._started == started + 1,
                shape=shape,
                problem=problem,
                is_output=False,
            )
            self._numbers[path] += 1
            tensor = first_tensor(value)
            # Weak: a whole network's activations must not be held at once.
            held = None if tensor is None else weakref.ref(tensor)
            self._ended.append(_Ended(call, held, _version(tensor)))

        return note_end

    def calls_given(self, output: Tensor) -> tuple[ModuleCall, ...]:
        """The calls; those whose output is the network's are marked."""
        last = _version(output)
        return tuple(
            replace(
                ended.call, is_output=ended.output is not None and ended.output() is output and ended.version == last
            )
            for ended in self._ended
        )


def _version(tensor: Tensor | None) -> int:
    """How often a tensor was rewritten in place; tensors of inference mode do not count."""
    return 0 if tensor is None or tensor.is_inference() else tensor._version


def _unfit(model: nn.Module, images: Tensor, running: Sequence[str], error: Exception) -> str:
    where = ""
    if running:
        where = f' It fails in "{running[-1]}" ({type(model.get_submodule(running[-1])).__name__}).'
    reason = (str(error).strip().splitlines() or [""])[0]
    first = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
    takes = f" Its first convolution takes {first.in_channels} channels." if first is not None else ""
    return (
        f"{type(model).__name__} cannot take images of shape {times(images.shape[1:])}.{where}\n"
        f"    {type(error).__name__}: {reason}\n"
        f"    Give images (C, H, W) of the kind that it was made for.{takes}"
    )
