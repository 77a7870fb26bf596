"""Routing: forward passes of batches in which each example stops where the policy lets it leave.

At each exit the head scores those who are still there; their answers are written to their places in the batch, and the
network goes on with the others, gathered into a smaller batch. When nobody is left the pass ends.

One image through a small network takes a few milliseconds, and a call of numpy some microseconds: what depends on the
policy alone is found out once, rows are only gathered when somebody leaves, and an image that is alone and goes on has
its logits looked at without numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.arrays.policies import ExitPolicy
from layerwise.arrays.single_rows import RowRule, row_rule
from layerwise.errors import NonFiniteError
from layerwise.taps.readers import Forward

__all__ = ["Batch", "Routing", "refuse_non_finite"]


class _AllLeft(BaseException):
    """Ends a pass; not an Exception, which a network may catch."""


class Routing:
    """Runs batches of images, each image as far as it needs.

    Args:
        forward: the network's pass with its taps, in evaluation mode, without gradients.
        heads: the name of each exit but the last to its head, in order of execution.
        policy: who leaves.
        num_classes: K.
    """

    def __init__(self, forward: Forward, heads: Mapping[str, nn.Module], policy: ExitPolicy, num_classes: int) -> None:
        self._forward = forward
        self.policy = policy
        self.num_classes = num_classes
        self.names = (*heads, "softmax")
        # A head is run if somebody may leave there, or if a later exit looks back at it.
        self.asked = {
            name: _Asked(index, head, row_rule(policy, index, num_classes))
            for index, (name, head) in enumerate(heads.items())
            if policy.asks(index)
        }

    def route(self, images: Tensor, *, first_row: int = 0) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
        """Answers (B, K) and exits (B,) of one batch, in its order.

        Args:
            images: shape (B, C, H, W), as the network takes them.
            first_row: the number of the first image, for messages.

        Raises:
            NonFiniteError: an exit gives NaN or infinity.
        """
        batch = Batch(self, len(images))
        with suppress(_AllLeft):
            batch.end(self._forward(images, batch.at_tap))
        refuse_non_finite(batch.logits, self.names, first_row=first_row)
        return batch.answers, batch.exits


class _Asked(NamedTuple):
    """The number of an exit, its head, and the rule for a single row if there is one."""

    number: int
    head: nn.Module
    rule: RowRule | None


class Batch:
    """Who of a batch is still there, and what the others got.

    Attributes:
        logits: shape (E + 1, B, K); 0 where a head was not run, or its logits (finite) will not be asked for again.
        answers: shape (B, K), in the order of the batch, when all have left.
        exits: shape (B,).
    """

    def __init__(self, routing: Routing, count: int) -> None:
        self._routing = routing
        last = len(routing.names) - 1
        self.logits = np.zeros((last + 1, count, routing.num_classes), np.float32)
        self.answers: NDArray[np.floating] = np.empty(self.logits.shape[1:], np.float32)
        self.exits = np.full(count, last)
        self._places: NDArray[np.int64] | None = None  # in the batch, of those still there; None while all are

    def at_tap(self, tap: str, value: Tensor) -> Tensor | None:
        """Let those leave who may; gives the values of the others if some left."""
        if tap not in self._routing.asked:
            return None
        index, head, rule = self._routing.asked[tap]
        logits = head(value).float()
        alone = rule(logits[0].tolist()) if rule is not None and len(self.exits) == 1 else None
        if alone is False:
            return None
        so_far = self._so_far(index, logits)
        leaves = np.array([alone]) if alone else self._routing.policy.leaves(so_far)
        if not np.count_nonzero(leaves):
            return None
        places = np.arange(len(self.exits)) if self._places is None else self._places
        leaving, staying = np.flatnonzero(leaves), np.flatnonzero(~leaves)
        self._answer(places[leaving], self._routing.policy.answer(so_far)[leaving])
        self.exits[places[leaving]] = index
        if not len(staying):
            raise _AllLeft
        self._places = places[staying]
        return value[torch.from_numpy(staying).to(value.device)]

    def end(self, logits: Tensor) -> None:
        """All who are still there leave with the network's own output, or with what the policy makes of it."""
        answer = self._routing.policy.answer(self._so_far(len(self.logits) - 1, logits))
        if self._places is None:
            self.answers = answer
        else:
            self._answer(self._places, answer)

    def _so_far(self, index: int, logits: Tensor) -> NDArray[np.float32]:
        """The logits (E', B', K) of all exits up to this one, of those still there."""
        last = logits.float().cpu().numpy()
        if self._places is None:
            self.logits[index] = last
            return self.logits[: index + 1]
        self.logits[index, self._places] = last
        return self.logits[: index + 1, self._places]

    def _answer(self, places: NDArray[np.int64], answer: NDArray[np.floating]) -> None:
        self.answers = self.answers.astype(answer.dtype, copy=False)  # a policy may answer in a wider type
        self.answers[places] = answer


def refuse_non_finite(logits: NDArray[np.floating], names: Sequence[str], *, first_row: int) -> None:
    """Refuse logits (E + 1, B, K) with NaN or infinity.

    Raises:
        NonFiniteError: there are such; names the first exit that has some, and its first row.
    """
    finite = np.isfinite(logits)
    if finite.all():
        return
    bad = ~finite.all(axis=2)
    index = int(bad.any(axis=1).argmax())
    raise NonFiniteError(
        f'exit "{names[index]}" gives NaN or infinity for {int(bad[index].sum())} of {logits.shape[1]} images (the '
        f"first is row {first_row + int(bad[index].argmax())}).\n"
        "    Look for them in the weights, the preprocessing and the images."
    )
