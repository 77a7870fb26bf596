"""descend: the training that all encoders with layers share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from layerwise.errors import NonFiniteError
from layerwise.progress import Progress

LONGEST_GRADIENT = 1.0


def stack(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers of these widths, ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def epochs_of(steps: int, batch_size: int, count: int) -> int:
    """How many passes over so many vectors are at least so many steps.

    >>> epochs_of(100, 32, 64), epochs_of(100, 256, 20)
    (50, 100)
    """
    return math.ceil(steps / math.ceil(count / batch_size))


def descend(
    network: nn.Module,
    loss_of: Callable[[Tensor], Tensor],
    count: int,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    order: torch.Generator,
    what: str,
    progress: Progress,
) -> list[float]:
    """Adam, a step a batch, the rate falling to 0 along a cosine; long gradients are cut to length 1.

    Args:
        network: whose parameters are changed.
        loss_of: the mean loss of some rows.
        count: N; each epoch sees the rows 0 to N - 1 in another order.
        epochs, batch_size, learning_rate: of the training.
        order: draws the orders.
        what: names the work in the progress.
        progress: is shown the epochs, with the loss.

    Returns:
        The mean loss of each epoch.

    Raises:
        NonFiniteError: the loss became NaN or infinite.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(epochs, 1))
    losses: list[float] = []

    def told() -> str:
        return f"{what}, loss {losses[-1]:.3f}" if losses else what

    for _ in progress(range(epochs), total=epochs, what=told):
        total = 0.0
        for rows in torch.split(torch.randperm(count, generator=order), batch_size):
            loss = loss_of(rows)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
            optimizer.step()
            total += float(loss.detach()) * len(rows)
        schedule.step()
        losses.append(total / count)
        if not torch.tensor(losses[-1]).isfinite():
            raise NonFiniteError(
                f"the loss became NaN or infinite in epoch {len(losses)}.\n    Lower the learning rate."
            )
    return losses
