"""route: one forward pass of a batch in which each example stops where the policy lets it leave.

At each exit the head scores those who are still there; their answers are written to their places in the batch, and the
network goes on with the others, gathered into a smaller batch. When nobody is left the pass ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import NonFiniteError
from layerwise.taps.readers import Forward

__all__ = ["refuse_non_finite", "route"]


class _AllLeft(BaseException):
    """Ends a pass; not an Exception, which a network may catch."""


def route(
    forward: Forward, heads: Mapping[str, nn.Module], images: Tensor, policy: ExitPolicy, *, first_row: int = 0
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Answers (B, K) and exits (B,) of one batch, in its order.

    Args:
        forward: the network's pass with its taps, in evaluation mode, without gradients.
        heads: the name of each exit but the last to its head, in order of execution.
        images: shape (B, C, H, W), as the network takes them.
        policy: who leaves.
        first_row: the number of the first image, for messages.

    Raises:
        NonFiniteError: an exit gives NaN or infinity.
    """
    batch = _Batch(heads, policy, rows=np.arange(first_row, first_row + len(images)))
    with suppress(_AllLeft):
        batch.end(forward(images, batch.at_tap))
    return batch.answers(), batch.exits


class _Batch:
    """Who of a batch is still there, and what the others got."""

    def __init__(self, heads: Mapping[str, nn.Module], policy: ExitPolicy, *, rows: NDArray[np.int64]) -> None:
        self._heads = heads
        self._index = {name: index for index, name in enumerate(heads)}
        self._policy = policy
        self._first_row = int(rows[0])
        self._rows = rows
        self._so_far: list[NDArray[np.floating] | None] = []  # (B', K) of each exit so far; None where none was asked
        self._answers: list[NDArray[np.floating]] = []
        self._answered: list[NDArray[np.int64]] = []
        self.exits = np.full(len(rows), len(heads))

    def at_tap(self, tap: str, value: Tensor) -> Tensor | None:
        """Let those leave who may; gives the values of the others if some left."""
        index = self._index[tap]
        if not self._policy.asks(index):
            self._so_far.append(None)
            return None
        logits = self._with(self._heads[tap](value), tap)
        leaves = self._policy.leaves(logits)
        if not leaves.any():
            return None
        self._leave(leaves, index, self._policy.answer(logits))
        if not len(self._rows):
            raise _AllLeft
        return value[torch.from_numpy(np.flatnonzero(~leaves)).to(value.device)]

    def end(self, logits: Tensor) -> None:
        """All who are still there leave with the network's own output, or with what the policy makes of it."""
        answer = self._policy.answer(self._with(logits, "softmax"))
        self._leave(np.ones(len(self._rows), bool), len(self._heads), answer)

    def answers(self) -> NDArray[np.floating]:
        """The answers in the order of the batch: (B, K)."""
        ordered = np.empty((len(self.exits), self._answers[0].shape[1]), self._answers[0].dtype)
        ordered[np.concatenate(self._answered) - self._first_row] = np.concatenate(self._answers)
        return ordered

    def _with(self, logits: Tensor, name: str) -> NDArray[np.floating]:
        """The logits of all exits so far, these included: (E', B', K); NaN for an exit that was not asked."""
        refuse_non_finite(logits, name, self._rows)
        last = logits.float().cpu().numpy()
        self._so_far.append(last)
        if len(self._so_far) == 1:
            return last[None]
        return np.stack([np.full_like(last, np.nan) if part is None else part for part in self._so_far])

    def _leave(self, leaves: NDArray[np.bool_], index: int, answer: NDArray[np.floating]) -> None:
        self._answers.append(answer[leaves])
        self._answered.append(self._rows[leaves])
        self.exits[self._rows[leaves] - self._first_row] = index
        self._rows = self._rows[~leaves]
        self._so_far = [None if part is None else part[~leaves] for part in self._so_far]


def refuse_non_finite(logits: Tensor, name: str, rows: NDArray[np.int64]) -> None:
    """Refuse logits (B, K) with NaN or infinity.

    Raises:
        NonFiniteError: there are such; names the exit and the first row.
    """
    if bool(torch.isfinite(logits.sum())):
        return
    bad = (~torch.isfinite(logits)).any(dim=1).cpu().numpy()
    if bad.any():
        raise NonFiniteError(
            f'exit "{name}" gives NaN or infinity for {int(bad.sum())} of {len(rows)} images (the first is row '
            f"{rows[bad][0]}).\n    Look for them in the weights, the preprocessing and the images."
        )
