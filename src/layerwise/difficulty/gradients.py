"""variance_of_gradients: how much what an image's class hangs on still moves while a network is trained."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.data.images import ImageData
from layerwise.errors import InputError, ModelError, NonFiniteError, NotEnoughExamplesError, did_you_mean
from layerwise.models.loading import load_weights
from layerwise.models.mode import evaluating
from layerwise.progress import Progress, silent
from layerwise.taps.borrowing import Preprocess, prepare
from layerwise.training.checkpoints import kept_weights

__all__ = ["networks_of_epochs", "variance_of_gradients"]

GradientOf = Literal["label", "prediction"]


def variance_of_gradients(
    networks: Iterable[nn.Module],
    data: ImageData,
    *,
    of: GradientOf = "label",
    preprocessing: Preprocess | None = None,
    batch_size: int = 128,
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """VoG: how far the gradient of a class's logit for the pixels moves over states of a network. High is hard.

    At each state the gradient is averaged over the colours; its standard deviation over the states (divided by their
    number), averaged over the pixels, is the score. Compare images of one class, or see `within_classes`: classes
    differ in the size of their gradients.

    Args:
        networks: T states, at least two, such as `networks_of_epochs(RUN, MODEL)`; one is held at a time, so the same
            network may come again with other weights. Each is left as it was.
        data: N labelled images.
        of: whose logit: the "label"'s, or that of each state's own "prediction".
        preprocessing: what the networks expect to be done to pixels in [0, 1]; gradients are for the pixels before it.
        batch_size: images whose gradients are held at once.
        progress: is shown the batches of each state.

    Returns:
        Shape (N,), at least 0, in logits a pixel value of 1.

    Raises:
        NotEnoughExamplesError: fewer than two states, or no image.
        InputError: `of` is neither, a batch size below 1, or one network instead of several states.
        ModelError: a network gives another number of classes.
        NonFiniteError: a gradient is NaN or infinite; says in which state.

    Cost: T forward and T backward passes; memory for two numbers a pixel and image. Source: Agarwal, D'souza and Hooker
    (2022), "Estimating example difficulty using variance of gradients", section 2; the standard deviation as in their
    program, where the text has the variance.
    """
    if of not in get_args(GradientOf):
        near = did_you_mean(str(of), get_args(GradientOf))
        raise InputError(f'of = "{of}" is neither "label" nor "prediction".{near}')
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1; got {batch_size}.")
    if isinstance(networks, nn.Module):
        raise InputError(
            "the variance of gradients is of several states of a network, and one network was given.\n"
            "    Give a list of them, or networks_of_epochs(RUN, MODEL)."
        )
    if not len(data):
        raise NotEnoughExamplesError("the variance of gradients needs at least one image; got none.")
    mean = np.zeros((len(data), *data.image_shape[1:]))
    squares, states = np.zeros_like(mean), 0
    batches = [slice(start, start + batch_size) for start in range(0, len(data), batch_size)]
    for network in networks:
        states += 1
        for rows in progress(batches, total=len(batches), what=f"gradients of state {states}"):
            values = _gradients(network, data, rows, of, preprocessing)
            if not np.isfinite(values).all():
                raise NonFiniteError(f"a gradient for the pixels is NaN or infinite in state {states}.")
            away = values - mean[rows]
            mean[rows] += away / states
            squares[rows] += away * (values - mean[rows])
    if states < 2:
        raise NotEnoughExamplesError(
            f"the variance of gradients needs at least two states of a network; got {states}.\n"
            "    Keep them while training: layerwise train MODEL DATA -o RUN --keep-weights"
        )
    moved: NDArray[np.float64] = np.sqrt(squares / states).mean(axis=(1, 2))
    return moved


def networks_of_epochs(run: Path | str, model: nn.Module) -> Iterable[nn.Module]:
    """The states of a training that kept its weights (`keep_weights=True`): a network, loaded with one after the other.

    Args:
        run: the run folder.
        model: the run's network; its weights are overwritten, and end as those of the last epoch.

    Raises:
        RunError: the run kept no weights of its epochs.
    """
    paths = kept_weights(run)

    def load(path: Path) -> nn.Module:
        load_weights(model, path)
        return model

    return (load(path) for path in paths)


def _check_logits(logits: object, data: ImageData, count: int) -> None:
    expected = (count, data.num_classes)
    if not isinstance(logits, Tensor) or logits.shape != expected:
        given = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ModelError(
            f"each network must give logits of shape {expected}, one for each class of {data.name}; got {given}."
        )


def _gradients(
    model: nn.Module, data: ImageData, rows: slice, of: GradientOf, preprocessing: Preprocess | None
) -> NDArray[np.float64]:
    """The gradient of each image's own logit for its pixels, mean over the colours: (B, H, W)."""
    pixels = torch.tensor(data.batch(rows)).requires_grad_()
    with evaluating(model), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        logits: Tensor = model(prepare(pixels.clone(), model, preprocessing))  # a first layer may write over them
        _check_logits(logits, data, len(pixels))
        classes = logits.argmax(dim=1) if of == "prediction" else torch.from_numpy(data.labels[rows]).to(logits.device)
        own = logits.gather(1, classes[:, None]).sum()
        (gradient,) = torch.autograd.grad(own, pixels)
    return gradient.double().mean(dim=1).numpy()
