"""LaneNetwork: networks of one kind, each in a lane, trained together on data of their own."""

from __future__ import annotations

import ctypes
import math
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.study.engines.lanes.native import load_library
from layerwise.study.engines.sequences import keeps_size, layers_of

CONVOLUTION, RELU, MAX_POOL, AVERAGE_POOL, MEAN, LINEAR = range(6)

Float = NDArray[np.float32]


@dataclass(frozen=True)
class LaneLayer:
    """A layer as the library knows it; `module` holds its parameters, if it has some."""

    kind: int
    inputs: int
    outputs: int
    side: int
    module: str = ""


def find_lane_layers(model: nn.Module, image_shape: Sequence[int]) -> list[LaneLayer] | None:
    """The layers of a network, or None if it has any that lanes do not know."""
    layers = layers_of(model)
    if layers is None or not known_to_lanes(model):
        return None
    channels, height, width = image_shape
    found: list[LaneLayer] = []
    for name, module in layers:
        kind = _kind(module)
        if kind is None or (kind in (MAX_POOL, AVERAGE_POOL) and (height % 2 or width % 2)):
            return None
        if isinstance(module, nn.Conv2d):
            side = int(module.kernel_size[0])
            if module.in_channels != channels or min(height, width) <= side // 2:
                return None
            found.append(LaneLayer(kind, channels, module.out_channels, side, name))
            channels = module.out_channels
        elif isinstance(module, nn.Linear):
            if module.in_features != channels * height * width:
                return None
            found.append(LaneLayer(kind, module.in_features, module.out_features, 1, name))
            channels, height, width = module.out_features, 1, 1
        elif kind >= 0:
            found.append(LaneLayer(kind, channels, channels, 1))
            if kind in (MAX_POOL, AVERAGE_POOL):
                height, width = height // 2, width // 2
            elif kind == MEAN:
                height = width = 1
    if not found or found[-1].kind != LINEAR:
        return None
    # Gradients begin at the last layer, so that one has to learn.
    return found if model.get_parameter(f"{found[-1].module}.weight").requires_grad else None


def known_to_lanes(model: nn.Module) -> bool:
    """Whether lanes know all of its layers, if they fit the images; of each, all or nothing must be frozen."""
    layers = layers_of(model)
    return layers is not None and all(
        _kind(module) is not None and len({one.requires_grad for one in module.parameters()}) < 2
        for _, module in layers
    )


def _kind(module: nn.Module) -> int | None:
    """What the library calls it; -1 for what changes no number, None for what it does not know."""
    if isinstance(module, nn.Conv2d):
        return CONVOLUTION if keeps_size(module) and module.bias is not None else None
    if isinstance(module, nn.Linear):
        return LINEAR if module.bias is not None else None
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return (MAX_POOL if isinstance(module, nn.MaxPool2d) else AVERAGE_POOL) if _halves(module) else None
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return MEAN if module.output_size in (1, (1, 1)) else None
    return RELU if isinstance(module, nn.ReLU) else -1 if isinstance(module, nn.Flatten) else None


def _halves(pool: nn.MaxPool2d | nn.AvgPool2d) -> bool:
    """Whether each square of 2 × 2 becomes its maximum or its mean."""
    squares = pool.kernel_size in (2, (2, 2)) and pool.stride in (2, (2, 2)) and pool.padding in (0, (0, 0))
    if isinstance(pool, nn.MaxPool2d):
        return squares and pool.dilation in (1, (1, 1)) and not pool.return_indices
    return squares and pool.divisor_override in (None, 4)


class LaneNetwork:
    """Networks in lanes.

    Args:
        models: one for each lane that is used, all of one kind (`find_lane_layers` gives the same for each).
        image_shape: (C, H, W).
        batch: images in a batch, at most.
    """

    def __init__(self, models: Sequence[nn.Module], image_shape: Sequence[int], batch: int) -> None:
        self._library = load_library()
        self.width = int(self._library.lanes_width())
        layers = find_lane_layers(models[0], image_shape)
        if layers is None or len(models) > self.width:
            raise ValueError("these networks do not fit into lanes")
        self._models, self._layers, self._size = list(models), layers, math.prod(image_shape)
        trained = [self._is_trained(layer) for layer in layers]
        table = np.array(
            [
                (layer.kind, layer.inputs, layer.outputs, layer.side, free)
                for layer, free in zip(layers, trained, strict=True)
            ],
            np.int32,
        )
        self._made = ctypes.c_void_p(
            self._library.lanes_create(_at(table), len(layers), image_shape[1], image_shape[2], batch)
        )
        self._finalizer = weakref.finalize(self, self._library.lanes_destroy, self._made)
        self._parameters: dict[str, tuple[Float, Float]] = {}
        self._steps: list[Float] = []
        for place, layer in self._with_parameters():
            weight, bias = (self._stack(layer.module, name) for name in ("weight", "bias"))
            steps = [_aligned(one.shape) for one in (weight, bias)]
            self._parameters[layer.module] = weight, bias
            self._steps += steps
            self._library.lanes_bind(self._made, place, *map(_at, (weight, bias, *steps)))

    def epoch(
        self, data: Sequence[Float], labels: NDArray[np.int32], orders: NDArray[np.int32], starts: NDArray[np.int32],
        optimizer: Float, *, step: bool = True,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # fmt: skip
        """Train for an epoch.

        Args:
            data: each lane's images (N, C · H · W).
            labels: shape (N, lanes), in the order of the images.
            orders: shape (N, lanes), the rows in the order in which they are seen.
            starts: shape (batches + 1,), where each batch begins.
            optimizer: shape (3, lanes): learning rate, momentum, weight decay.
            step: whether to change weights.

        Returns:
            The sum of the losses and how many were right, of each lane, as the images went by.
        """
        losses, right = np.zeros(self.width), np.zeros(self.width, np.int64)
        pointers = self._pointers(data)
        seen = np.ascontiguousarray(np.take_along_axis(labels, orders, axis=0), np.int32)
        self._library.lanes_epoch(
            self._made, pointers, _at(orders), _at(seen), _at(starts), len(starts) - 1,
            _at(np.ascontiguousarray(optimizer, np.float32)), int(step), _at(losses), _at(right),
        )  # fmt: skip
        return losses[: len(self._models)], right[: len(self._models)]

    def logits(self, data: Sequence[Float]) -> Float:
        """The logits (lanes, N, K) of as many images for each lane."""
        count, classes = len(data[0]), self._layers[-1].outputs
        found = np.empty((count, classes, self.width), np.float32)
        self._library.lanes_logits(self._made, self._pointers(data), count, _at(found))
        return np.moveaxis(found, 2, 0)[: len(self._models)]

    def gradients(self) -> Iterator[tuple[str, Float]]:
        """The last batch's gradient of each parameter: its name, and (lanes, …)."""
        for place, layer in self._with_parameters():
            weight, bias = (np.empty_like(one) for one in self._parameters[layer.module])
            self._library.lanes_gradients(self._made, place, _at(weight), _at(bias))
            yield f"{layer.module}.weight", np.moveaxis(weight, -1, 0)
            yield f"{layer.module}.bias", np.moveaxis(bias, -1, 0)

    def write_back(self) -> None:
        """Put the parameters into the networks."""
        with torch.no_grad():
            for name, (weight, bias) in self._parameters.items():
                for lane, model in enumerate(self._models):
                    module: Any = model.get_submodule(name)
                    module.weight.copy_(torch.from_numpy(weight[..., lane].copy()))
                    module.bias.copy_(torch.from_numpy(bias[..., lane].copy()))

    def _with_parameters(self) -> Iterator[tuple[int, LaneLayer]]:
        return ((place, layer) for place, layer in enumerate(self._layers) if layer.module)

    def _is_trained(self, layer: LaneLayer) -> int:
        module = self._models[0].get_submodule(layer.module) if layer.module else None
        return int(module is not None and next(module.parameters()).requires_grad)

    def _stack(self, module: str, name: str) -> Float:
        """A parameter of all networks, lanes last; unused lanes hold the last network's."""
        values = [model.get_submodule(module).get_parameter(name).detach().numpy() for model in self._models]
        stacked = _aligned((*values[0].shape, self.width))
        for lane in range(self.width):
            stacked[..., lane] = values[min(lane, len(values) - 1)]
        return stacked

    def _pointers(self, data: Sequence[Float]) -> Any:
        checked = [one if one.flags.c_contiguous and one.dtype == np.float32 else None for one in data]
        if any(one is None or one.size != len(one) * self._size for one in checked):
            raise ValueError("images must be float32 (N, C * H * W), one row after the other")
        addresses = [data[min(lane, len(data) - 1)].ctypes.data for lane in range(self.width)]
        return (ctypes.c_void_p * self.width)(*addresses)


def _aligned(shape: Sequence[int]) -> Float:
    """Zeros at an address that vectors can be read from."""
    size = math.prod(shape) * 4
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(np.float32).reshape(shape)


def _at(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
