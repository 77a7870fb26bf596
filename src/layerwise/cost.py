"""MACs and parameters: count_macs gives a Cost per module; MacCounter tells the running total during a forward pass.

A MAC is one multiplication with its addition, in a convolution, a linear layer or a product of matrices; whatever is
linear in the size of a layer (normalisation, activation functions, biases, pooling) is left out, as is usual.
torch's own counter counts 2 FLOPs for each, operation by operation, so functional calls are seen as well as modules.
It does not see inside fused attention kernels: those are switched off while we count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from layerwise.errors import ModelError
from layerwise.models.mode import evaluating

__all__ = ["Cost", "MacCounter", "count_macs"]

aten = torch.ops.aten


@dataclass(frozen=True)
class Cost:
    """What one image costs in a network.

    Attributes:
        total: MACs of one forward pass of one image.
        by_module: torch's dotted name → MACs of that module with all that is inside it, over all its calls. Functional
            operations count for the module whose `forward` makes them. A module under two names has its first.
        parameters: numbers in all parameters of the network, each counted once; frozen ones too, buffers not.
        parameters_by_module: torch's dotted name → numbers in its parameters and in those of the modules inside it.
    """

    total: int
    by_module: Mapping[str, int]
    parameters: int
    parameters_by_module: Mapping[str, int]


def count_macs(model: nn.Module, image_shape: tuple[int, ...]) -> Cost:
    """Count the MACs and parameters of a network by running one image through it.

    The model is run in evaluation mode without gradients, and each module is put back in the mode it was in.

    Args:
        model: takes (N, C, H, W).
        image_shape: (C, H, W).

    Raises:
        ModelError: the network cannot take images of this shape.

    >>> cost = count_macs(nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.Flatten(), nn.Linear(8, 2)), (3, 3, 3))
    >>> cost.total, dict(cost.by_module), cost.parameters
    (232, {'0': 216, '1': 0, '2': 16}, 234)
    """
    image = _blank_image(model, image_shape)
    with evaluating(model), torch.no_grad(), MacCounter(model) as counter:
        try:
            model(image)
        except Exception as error:
            raise ModelError(
                f"{type(model).__name__} cannot take an image of shape {tuple(image_shape)} (channels, height, width): "
                f"{type(error).__name__}: {error}"
            ) from error
    return Cost(
        total=counter.total,
        by_module=counter.by_module,
        parameters=_count_parameters(model),
        parameters_by_module={name: _count_parameters(module) for name, module in _named_parts(model)},
    )


class MacCounter:
    """Counts while a network runs; the totals can be read at any time during the forward pass, in a hook for example.

    Inside the `with`, fused attention is computed by plain products of matrices, so keep long work outside. Give it
    one image: what a network computes once per batch (a table of position biases) is exact only then.

    Args:
        model: the network whose modules and parameters are told apart.
        batch_size: images in the batch that is run; totals are divided by it.

    >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> with MacCounter(model) as counter:
    ...     hidden = model[0](torch.zeros(1, 4))
    ...     print(counter.total, counter.parameters)
    ...     logits = model[2](hidden)
    ...     print(counter.total, counter.parameters)
    12 15
    18 23
    """

    def __init__(self, model: nn.Module, *, batch_size: int = 1) -> None:
        self._model = model
        self._batch_size = batch_size
        self._flops = FlopCounterMode(display=False, custom_mapping=_VECTOR_FORMULAS)
        self._uses = _ParameterUse(model)
        self._batch_macs_by_module = Counter({name: 0 for name, _ in _named_parts(model)})
        self._exits = ExitStack()

    def __enter__(self) -> MacCounter:
        with ExitStack() as entered:
            for context in (_plain_attention(), self._uses, self._flops):
                entered.enter_context(context)
            for name, module in _named_parts(self._model):
                for handle in _hook(module, self._on_module(name)):
                    entered.callback(handle.remove)
            self._exits = entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.__exit__(kind, error, trace)

    @property
    def total(self) -> int:
        """MACs per image so far."""
        return self._batch_macs // self._batch_size

    @property
    def parameters(self) -> int:
        """Numbers in the parameters of the network that have been used so far, each counted once."""
        return self._uses.numbers

    @property
    def by_module(self) -> dict[str, int]:
        """torch's dotted name → MACs per image of the calls that have ended so far."""
        return {name: macs // self._batch_size for name, macs in self._batch_macs_by_module.items()}

    @property
    def _batch_macs(self) -> int:
        return self._flops.get_total_flops() // 2

    def _on_module(self, name: str) -> tuple[Callable[..., None], Callable[..., None]]:
        totals_at_entry: list[int] = []

        def enter(*_: Any) -> None:
            totals_at_entry.append(self._batch_macs)

        def leave(*_: Any) -> None:
            self._batch_macs_by_module[name] += self._batch_macs - totals_at_entry.pop()

        return enter, leave


class _ParameterUse(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the parameters that operations have taken so far."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numbers = 0
        self._unused = {id(parameter): parameter.numel() for parameter in model.parameters()}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        for value in tree_leaves((args, kwargs)):
            self.numbers += self._unused.pop(id(value), 0)
        return func(*args, **(kwargs or {}))


@contextmanager
def _plain_attention() -> Iterator[None]:
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _hook(module: nn.Module, enter_leave: tuple[Callable[..., None], Callable[..., None]]) -> list[Any]:
    enter, leave = enter_leave
    # `always_call`: a module that raises must be left as well.
    return [module.register_forward_pre_hook(enter), module.register_forward_hook(leave, always_call=True)]


def _dot_flops(a_shape: torch.Size, *_: Any, **__: Any) -> int:
    return 2 * a_shape[0]


def _matrix_vector_flops(matrix_shape: torch.Size, *_: Any, **__: Any) -> int:
    return 2 * matrix_shape[0] * matrix_shape[1]


def _add_matrix_vector_flops(_bias_shape: torch.Size, matrix_shape: torch.Size, *_: Any, **__: Any) -> int:
    return 2 * matrix_shape[0] * matrix_shape[1]


# Products with a vector, which torch's counter leaves out.
_VECTOR_FORMULAS: dict[Any, Callable[..., int]] = {
    aten.dot: _dot_flops,
    aten.mv: _matrix_vector_flops,
    aten.addmv: _add_matrix_vector_flops,
}


def _blank_image(model: nn.Module, image_shape: tuple[int, ...]) -> Tensor:
    like = next(model.parameters(), torch.empty(0))
    return torch.zeros((1, *image_shape), dtype=like.dtype, device=like.device)


def _named_parts(model: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(name, module) for name, module in model.named_modules() if name]


def _count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
