"""evaluating: a network in evaluation mode for a while, and every module of it back in its own mode afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["evaluating"]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put all modules in evaluation mode; then give each one back the mode it had.

    `model.train()` afterwards would not do: a frozen batch norm in a training network would wake up.
    """
    module_to_training = {module: module.training for module in model.modules()}
    # Setting a module's mode takes longer than looking, and a single image through a small network a few milliseconds.
    if any(module_to_training.values()):
        model.eval()
    try:
        yield
    finally:
        for module, training in module_to_training.items():
            if module.training != training:
                module.training = training
