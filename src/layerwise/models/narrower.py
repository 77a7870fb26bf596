"""narrower: the same network with a share of its channels. What could a smaller network do?"""

from __future__ import annotations

import copy
import warnings
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from layerwise.errors import InputError, ModelError
from layerwise.models.catalog import seeded
from layerwise.models.mode import evaluating
from layerwise.seeds import stream_seed

__all__ = ["Narrows", "narrower"]

# What torch-pruning raises where it cannot follow a network: it has no errors of its own.
_CANNOT = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Layers whose weights have the inputs on their second axis."""


@runtime_checkable
class Narrows(Protocol):
    """A network that knows how to make itself narrower."""

    def narrower(self, share: float) -> nn.Module:
        """A new network with this share of the channels, freshly drawn."""


def narrower(model: nn.Module, image_shape: tuple[int, ...], share: float, *, seed: int = 0) -> nn.Module:
    """A network like this one, in which every layer but the last has this share of its channels; in training mode.

    MACs fall with about the square of the share. A network with a method `narrower(share)` makes its own. Of any other,
    torch-pruning drops channels at random, together wherever layers depend on each other; weights that stay are scaled
    by the root of the old number of inputs over the new one, as if they had been drawn for it.

    Args:
        model: freshly drawn, not trained, on the CPU; it is left as it is.
        image_shape: (C, H, W).
        share: above 0 and below 1.
        seed: draws weights, or the channels that stay.

    Raises:
        InputError: the share is outside 0 to 1.
        ModelError: no narrower network could be made.

    Source: Fang et al. (2023), "DepGraph", whose torch-pruning finds which layers depend on each other.

    >>> from layerwise.models.resnet import CifarResNet
    >>> narrower(CifarResNet(20, num_classes=10), (3, 32, 32), 0.75).linear
    Linear(in_features=48, out_features=10, bias=True)
    """
    if not 0 < share < 1:
        raise InputError(f"the share of the channels must lie between 0 and 1; got {share}.")
    image = torch.zeros(1, *image_shape)
    with evaluating(model), torch.no_grad():
        expected = model(image).shape
    with seeded(stream_seed(seed, "narrower", f"{share:g}")):
        try:
            made = model.narrower(share) if isinstance(model, Narrows) else _pruned(model, image, share)
            with evaluating(made), torch.no_grad():
                shape = made(image).shape
        except _CANNOT as error:
            raise ModelError(
                f"{type(model).__name__} cannot be made narrower ({type(error).__name__}: {error})."
            ) from error
    if shape != expected:
        raise ModelError(
            f"{type(model).__name__} cannot be made narrower: it would give {tuple(shape)}, not {tuple(expected)}."
        )
    if _count(made) >= _count(model):
        raise ModelError(
            f"{type(model).__name__} cannot be made narrower: with {share:g} of the channels it has as many weights."
        )
    return made.train()


def _pruned(model: nn.Module, image: Tensor, share: float) -> nn.Module:
    import torch_pruning

    made = copy.deepcopy(model).eval()
    inputs = {name: weight.shape[1] for name, weight in _weights(made).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of parameters that it does not know; the shape is checked instead
        torch_pruning.BasePruner(
            made,
            image,
            importance=torch_pruning.importance.RandomImportance(),
            pruning_ratio=1 - share,
            ignored_layers=[_last_layer(made, image)],
        ).step()
    for name, weight in _weights(made).items():
        weight.mul_((inputs[name] / weight.shape[1]) ** 0.5)
    return made


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: module.weight.detach() for name, module in model.named_modules() if isinstance(module, _LAYERS)}


def _count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _last_layer(model: nn.Module, image: Tensor) -> nn.Module:
    """The layer with weights that is run last: its outputs are the classes."""
    run: list[nn.Module] = []
    layers = [module for module in model.modules() if isinstance(module, _LAYERS)]
    handles = [module.register_forward_hook(lambda module, *_: run.append(module)) for module in layers]
    try:
        with torch.no_grad():
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    return run[-1]
