"""gradient_norms: how large the gradient of the loss is at each layer, where it vanishes and where it explodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from layerwise.data.images import ImageData
from layerwise.errors import ModelError, NonFiniteError, NotEnoughExamplesError
from layerwise.models.mode import evaluating
from layerwise.seeds import stream
from layerwise.taps.borrowing import Preprocess, prepare

EXAMPLES = 256
BATCH = 32  # images whose activations are held at once


def gradient_norms(
    model: nn.Module,
    data: ImageData,
    *,
    preprocessing: Preprocess | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """The gradient of the mean cross-entropy at every layer, on a sample of the images.

    Args:
        model: any network from images to logits; left as it was, also its gradients. Frozen parameters are taken too.
        data: labelled images.
        preprocessing: what the network expects to be done to pixels in [0, 1].
        examples: how many images are drawn.
        seed: draws them.

    Returns:
        A row per module that holds parameters, in order of execution: `layer`, `kind`, `parameters` (how many),
        `gradient` (Euclidean norm), `rms` (its root mean square, by which layers of different size compare), `weight`
        (norm of the parameters) and `relative` (gradient over weight).

    Raises:
        NotEnoughExamplesError: there is no image, or `examples` is below 1.
        ModelError: the network has no parameters.
        NonFiniteError: a gradient is NaN or infinite; names the layer.
    """
    if not len(data) or examples < 1:
        raise NotEnoughExamplesError(f"a gradient needs at least one image; got {min(len(data), examples)}.")
    parameters = {name: value.detach().clone().requires_grad_() for name, value in model.named_parameters()}
    if not parameters:
        raise ModelError(f"{type(model).__name__} has no parameters, so nothing has a gradient.")
    rows = np.sort(stream(seed, "gradients").permutation(len(data))[:examples])
    order: list[str] = []
    name_to_gradient: dict[str, Tensor | None] = dict.fromkeys(parameters)
    with evaluating(model), torch.enable_grad(), _noting(model, order), torch.random.fork_rng(devices=[]):
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            images = prepare(torch.tensor(data.batch(batch)), model, preprocessing)
            labels = torch.from_numpy(data.labels[batch]).to(images.device)
            logits = functional_call(model, parameters, (images,))
            loss = functional.cross_entropy(logits.float(), labels, reduction="sum") / len(rows)
            gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
            for name, gradient in zip(parameters, gradients, strict=True):
                before = name_to_gradient[name]
                name_to_gradient[name] = gradient if before is None or gradient is None else before + gradient
    layers = dict.fromkeys([*order, *(name.rpartition(".")[0] for name in parameters)])
    table = pd.DataFrame(
        [row for layer in layers if (row := _row(model, layer, parameters, name_to_gradient)) is not None]
    )
    bad = table["layer"][~np.isfinite(table["gradient"])]
    if len(bad):
        raise NonFiniteError(
            f'the gradient of the loss is NaN or infinite at {len(bad)} layers, the first is "{bad.iloc[0]}".\n'
            "    Look for NaN in the weights, the preprocessing and the images."
        )
    return table


def _row(
    model: nn.Module, layer: str, parameters: Mapping[str, Tensor], name_to_gradient: Mapping[str, Tensor | None]
) -> dict[str, object] | None:
    module = model.get_submodule(layer)
    prefix = f"{layer}." if layer else ""
    own = [prefix + name for name, _ in module.named_parameters(recurse=False) if prefix + name in parameters]
    if not own:
        return None
    count = sum(parameters[name].numel() for name in own)
    # A parameter that the pass did not use has no gradient.
    gradient = _norm([found for name in own if (found := name_to_gradient[name]) is not None])
    weight = _norm([parameters[name] for name in own])
    return {
        "layer": layer,
        "kind": type(module).__name__,
        "parameters": count,
        "gradient": gradient,
        "rms": gradient / math.sqrt(count),
        "weight": weight,
        "relative": gradient / weight if weight else math.nan,
    }


def _norm(tensors: list[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.detach().cpu().double().square().sum()) for tensor in tensors))


@contextmanager
def _noting(model: nn.Module, order: list[str]) -> Iterator[None]:
    """Append the names of modules to a list when they are called."""

    def note(name: str) -> Callable[..., None]:
        return lambda *_: order.append(name)

    hooks = [module.register_forward_hook(note(name)) for name, module in model.named_modules()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
