"""TensorNetwork: networks of one kind in one program of torch, trained together on data of their own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from layerwise.seeds import stream_seed
from layerwise.study.engines.sequences import keeps_size, layers_of
from layerwise.study.engines.tensors.convolution import StackedConvolution
from layerwise.study.engines.tensors.layers import (
    StackedBatchNorm,
    StackedDropout,
    StackedFlatten,
    StackedLinear,
    StackedPool,
)

WIDTH = 16
"""Networks in a stack. 8 took a fifth to two fifths longer; 32 took as long for CNNs, a fifth less for MLPs, and twice
the memory for images."""

MOST_FILTERS = 12
"""Filters of a convolution, at most: at 12 the stack was 1.2 times as fast as the loop, at 24 half as fast."""

Float = NDArray[np.float32]


def stackable(model: nn.Module) -> bool:
    """Whether it is a sequence of layers that stacks know, of few filters, with something to train."""
    layers = layers_of(model)
    learns = any(parameter.requires_grad for parameter in model.parameters())
    if not learns or layers is None or not all(_is_plain(module) for _, module in layers):
        return False
    kinds = [type(module) for _, module in layers]
    # On images that are not flattened, a linear layer would take their rows.
    return nn.Linear not in kinds[: kinds.index(nn.Flatten) if nn.Flatten in kinds else None]


def _is_plain(module: nn.Module) -> bool:
    if isinstance(module, nn.Conv2d):
        return keeps_size(module) and max(module.in_channels, module.out_channels) <= MOST_FILTERS
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return module.affine and module.track_running_stats and module.momentum is not None
    if isinstance(module, nn.Flatten):
        return (module.start_dim, module.end_dim) == (1, -1)
    return not getattr(module, "return_indices", False)


class TensorNetwork:
    """Networks in a stack.

    Args:
        models: sequences of one kind, for which `stackable` is true.
        image_shape: (C, H, W).
        batch: images of a network that are measured at a time.
        seeds: of each, from which dropout draws.
    """

    def __init__(
        self, models: Sequence[nn.Module], image_shape: Sequence[int], batch: int, seeds: Sequence[int]
    ) -> None:
        self.width = len(models)
        self._models, self._shape, self._batch, self._seeds = list(models), tuple(image_shape), batch, list(seeds)
        self._generators = [torch.Generator() for _ in models]
        self._layers = _stack(models, self._generators)
        self._trained = {name: value for name, value in self._layers.named_parameters() if value.requires_grad}
        self._steps = {name: torch.zeros_like(value) for name, value in self._trained.items()}
        self._free = {
            name: torch.tensor([model.get_parameter(name).requires_grad for model in models]) for name in self._trained
        }
        self._drops = any(isinstance(layer, StackedDropout) for layer in self._layers)
        self._gradients: Mapping[str, Tensor] = {}
        self._epoch = 0

    def epoch(
        self, data: Sequence[Float], labels: NDArray[np.int32], orders: NDArray[np.int32], starts: NDArray[np.int32],
        optimizer: Float, *, step: bool = True,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # fmt: skip
        """Train for an epoch.

        Args:
            data: each network's images (N, C · H · W).
            labels: shape (N, M), in the order of the images.
            orders: shape (N, M), the rows in the order in which they are seen.
            starts: shape (batches + 1,), where each batch begins.
            optimizer: shape (3, M): learning rate, momentum, weight decay.
            step: whether to change weights.

        Returns:
            The sum of the losses and how many were right, of each network, as the images went by.
        """
        self._layers.train()
        losses, right = torch.zeros(self.width, dtype=torch.float64), torch.zeros(self.width, dtype=torch.int64)
        images = [torch.from_numpy(one) for one in data]
        seen = torch.from_numpy(np.take_along_axis(labels, orders, axis=0).T.astype(np.int64))  # (M, N)
        rows = torch.from_numpy(orders.T.astype(np.int64))  # (M, N)
        for batch, (first, last) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
            self._seed_generators(batch)
            given = seen[:, first:last]
            each, hits = self._differentiate(self._gather(images, rows[:, first:last]), given)
            losses += each.double().sum(dim=1)
            right += hits.sum(dim=1)
            if step:
                self._descend(*torch.from_numpy(optimizer))
        self._epoch += step
        return losses.numpy(), right.numpy()

    @torch.no_grad()
    def logits(self, data: Sequence[Float]) -> Float:
        """The logits (M, N, K) of as many images for each network."""
        self._layers.eval()
        images = [torch.from_numpy(one) for one in data]
        every = torch.arange(len(data[0])).expand(self.width, -1)
        parts = [self._layers(self._gather(images, rows)) for rows in torch.split(every, self._batch, dim=1)]
        found: Float = torch.cat(parts, dim=1).numpy()
        return found

    def gradients(self) -> Iterator[tuple[str, Float]]:
        """The last batch's gradient of each parameter: its name, and (M, …)."""
        for name, gradient in self._gradients.items():
            yield name, gradient.numpy()

    def write_back(self) -> None:
        """Put the parameters, and the statistics of batch norm, into the networks."""
        stacked = self._layers.state_dict()
        for place, model in enumerate(self._models):
            model.load_state_dict({name: values[place] for name, values in stacked.items()})

    def _gather(self, images: Sequence[Tensor], rows: Tensor) -> Tensor:
        """A batch by rows, (M, B, H, C, W): each network's own images, at its rows (M, B)."""
        found = torch.empty(*rows.shape, images[0].shape[1])
        for own, several, some in zip(found, images, rows, strict=True):
            torch.index_select(several, 0, some, out=own)
        return found.view(*rows.shape, *self._shape).transpose(2, 3)

    def _differentiate(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Find the gradients of each network's mean loss; the losses, and whether they were right: both (M, B)."""
        logits = self._layers(images)  # (M, B, K)
        losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
        found = torch.autograd.grad(losses.sum() / labels.shape[1], list(self._trained.values()))
        self._gradients = dict(zip(self._trained, found, strict=True))
        return losses.detach(), logits.argmax(dim=2) == labels

    def _seed_generators(self, batch: int) -> None:
        """For what is dropped in a batch: the seeds that the loop gives torch."""
        if self._drops:
            for generator, seed in zip(self._generators, self._seeds, strict=True):
                generator.manual_seed(stream_seed(seed, "dropout", self._epoch, batch))

    @torch.no_grad()
    def _descend(self, rates: Tensor, momenta: Tensor, decays: Tensor) -> None:
        """A step of SGD with each network's own numbers."""
        for name, weight in self._trained.items():
            gradient, step, wide = self._gradients[name], self._steps[name], (-1, *[1] * (weight.dim() - 1))
            if decays.any():
                gradient = torch.addcmul(gradient, weight, decays.view(wide))
            torch.addcmul(gradient, step, momenta.view(wide), out=step)
            weight.addcmul_(step, (-rates * self._free[name]).view(wide))


def _stack(models: Sequence[nn.Module], generators: Sequence[torch.Generator]) -> nn.Sequential:
    """The layers of all networks, with the names they have in each."""
    names = [name for name, _ in layers_of(models[0]) or []]
    return nn.Sequential(
        OrderedDict((name, _stacked([model.get_submodule(name) for model in models], generators)) for name in names)
    )


def _stacked(modules: Sequence[Any], generators: Sequence[torch.Generator]) -> nn.Module:
    first = modules[0]
    match first:
        case nn.Conv2d():
            return StackedConvolution(modules)
        case nn.Linear():
            return StackedLinear(modules)
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return StackedBatchNorm(modules)
        case nn.Dropout():
            return StackedDropout(first.p, generators)
        case nn.ReLU():
            return nn.ReLU()
        case nn.Flatten():
            return StackedFlatten()
    return StackedPool(first)
