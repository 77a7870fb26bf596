"""What a batch of a DynamicsLog must be: whole rows, finite logits, each example once an epoch, labels that stay."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from layerwise.errors import InputError, NonFiniteError, ShapeError

NEVER = -1
"""The label of an example that has not come yet."""


def as_tensor(values: ArrayLike | Tensor, what: str) -> Tensor:
    """Numbers as a tensor, without gradients.

    Raises:
        ShapeError: they are no numbers, or rows of several lengths.
    """
    if isinstance(values, Tensor):
        found = values.detach()
    else:
        try:
            array = np.array(values, order="C")  # a copy: torch takes no turned or read-only memory
        except ValueError:
            raise ShapeError(f"{what} need rows of one length; these have several.") from None
        if array.dtype.kind not in "iufb":
            raise ShapeError(f"{what} are numbers; got {array.dtype} of shape {array.shape}.{_hint(what)}")
        found = torch.as_tensor(array)
    if found.is_complex():
        raise ShapeError(f"{what} are real numbers; got {found.dtype}.")
    return found


def _hint(what: str) -> str:
    return "\n    Give the rows of the training set, 0 to N - 1, not names." if what == "ids" else ""


def whole_numbers(values: ArrayLike | Tensor, what: str) -> Tensor:
    """Ids or labels as int64, (B,).

    Raises:
        ShapeError: they are no whole numbers, or not in one row.
    """
    found = as_tensor(values, what).cpu()
    if found.is_floating_point() or found.dtype == torch.bool or found.ndim != 1:
        raise ShapeError(f"{what} are whole numbers of shape (B,); got {found.dtype} of shape {tuple(found.shape)}.")
    return found.long()


def check_shapes(rows: Tensor, logits: Tensor, labels: Tensor, *, classes: int, epoch: int) -> None:
    """Refuse logits of another width, and rows that do not go together."""
    if logits.ndim != 2 or logits.shape[1] != classes:
        raise ShapeError(
            f"logits need shape (B, {classes}), one for each class; got {tuple(logits.shape)} in epoch {epoch}."
        )
    if not len(rows) == len(labels) == len(logits):
        raise ShapeError(
            "ids, logits and labels need one row each for every example of the batch; "
            f"got {len(rows)}, {len(logits)} and {len(labels)}."
        )


def check_range(values: Tensor, count: int, what: str) -> None:
    """Refuse what is not from 0 to `count` - 1."""
    if len(values) and (int(values.min()) < 0 or int(values.max()) >= count):
        bad = values[(values < 0) | (values >= count)]
        raise InputError(f"{what} is a whole number from 0 to {count - 1}; got {some(bad)}.")


def check_finite(rows: Tensor, logits: Tensor, *, epoch: int) -> None:
    """Refuse NaN and infinity, and say in which epoch and of which examples."""
    finite = logits.isfinite().all(dim=1).cpu()
    if not bool(finite.all()):
        raise NonFiniteError(
            f"logits are NaN or infinite in epoch {epoch}, of example {some(rows[~finite])}.\n"
            "    The training diverged: lower the learning rate, or look at these images. Earlier epochs are kept."
        )


def check_once(rows: Tensor, came: Tensor, *, epoch: int, left: str) -> None:
    """Refuse an example that comes a second time in an epoch."""
    twice = rows[came] if bool(came.any()) else _repeated(rows)
    if len(twice):
        raise InputError(
            f"example {some(twice)} came twice in epoch {epoch}, when {left} had not come yet.\n"
            "    Where a loader leaves some out (drop_last=True), say log.end_epoch() after each epoch;\n"
            '    where it draws with replacement, give repeats="keep".\n'
            "    Otherwise see that ids are the rows of the training set."
        )


def _repeated(rows: Tensor) -> Tensor:
    ordered = rows.sort().values
    return ordered[1:][ordered[1:] == ordered[:-1]]


def check_same_labels(rows: Tensor, before: Tensor, labels: Tensor, *, epoch: int) -> None:
    """Refuse an example whose label is another than in an earlier epoch."""
    changed = rows[(before != NEVER) & (before != labels)]
    if len(changed):
        raise InputError(
            f"example {some(changed)} has another label in epoch {epoch} than before.\n"
            "    Give the labels of the data set (not mixed or smoothed), and ids that mean the same in each epoch."
        )


def some(values: Tensor) -> str:
    """The first three of some numbers, and how many more there are."""
    shown = ", ".join(map(str, values[:3].tolist()))
    return shown if len(values) <= 3 else f"{shown} and {len(values) - 3} more"
