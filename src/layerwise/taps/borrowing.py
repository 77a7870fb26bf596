"""borrowed: a network in evaluation mode for a while, then put back as it was; prepare: images as it takes them.

Reading a network must not change it: its users go on training it, and their random numbers are theirs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import chain

import torch
from torch import Tensor, nn

from layerwise.errors import InputError
from layerwise.models.mode import evaluating

Preprocess = Callable[[Tensor], Tensor]
"""From pixels (N, C, H, W) in [0, 1] to what a network expects."""


@contextlib.contextmanager
def borrowed(model: nn.Module, *, device: torch.device | str | None = None) -> Iterator[nn.Module]:
    """Evaluation mode, without gradients, on `device`; afterwards, also after an error, all is as it was.

    Put back: the mode of every module, the device, and the states of torch's global random generators. Nothing here
    uses `torch.inference_mode`: a network that keeps a tensor of this pass could not be trained with it afterwards.
    """
    home = device_of(model)
    target = home if device is None else usable_device(device)
    with torch.random.fork_rng(devices=_cuda_indices(home, target)), torch.no_grad(), evaluating(model):
        if target == home:
            yield model
            return
        try:
            yield model.to(target)
        finally:
            model.to(home)


def usable_device(device: torch.device | str) -> torch.device:
    """The device, if this machine has it.

    Raises:
        InputError: it does not, or no kind of device is called so.
    """
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f'device "{device}" cannot be used here.\n    Use another of: cpu, cuda, mps.') from error


def device_of(model: nn.Module) -> torch.device:
    """Where the network's first parameter or buffer lives; the CPU when it has none."""
    first = next(_tensors(model), None)
    return torch.device("cpu") if first is None else first.device


def dtype_of(model: nn.Module) -> torch.dtype:
    """The type of the network's first floating parameter or buffer; float32 when it has none."""
    return next((tensor.dtype for tensor in _tensors(model) if tensor.is_floating_point()), torch.float32)


def prepare(pixels: Tensor, model: nn.Module, preprocessing: Preprocess | None) -> Tensor:
    """Pixels (N, C, H, W) as the network takes them: preprocessed, on its device and in its type."""
    on_device = pixels.to(device_of(model))
    prepared = on_device if preprocessing is None else preprocessing(on_device)
    return prepared.to(dtype_of(model))


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    return chain(model.parameters(), model.buffers())


def _cuda_indices(*devices: torch.device) -> list[int]:
    cuda = {device for device in devices if device.type == "cuda"}
    return sorted({torch.cuda.current_device() if device.index is None else device.index for device in cuda})
