"""DynamicsLog: what an example goes through in training, noted in two lines of anybody's loop, in O(N) memory."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from layerwise.arrays.dynamics import EARLY_EPOCHS, learning_weight
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.training.dynamics import Dynamics
from layerwise.training.dynamics_checks import (
    NEVER,
    as_tensor,
    check_finite,
    check_once,
    check_range,
    check_same_labels,
    check_shapes,
    some,
    whole_numbers,
)

__all__ = ["DynamicsLog"]

SUMS = (
    "aum",
    "confidence",
    "squares",
    "correctness",
    "aleatoric",
    "mean_loss",
    "mean_margin",
    "mean_entropy",
    "el2n",
    "mean_error",
)
"""What is added up for each example, an epoch at a time; `squares` of the label's probability make the variability."""

LEARNING = ("learning_error", "learning_aum")
"""What is added up with the weight of its epoch, which is known when the epoch is over."""

TINY = 1e-300


class DynamicsLog:
    """Notes every example's logits as a training goes by, and gives the scores that come free with it.

    An epoch is over when every example came once. Where some are left out (drop_last=True), say `log.end_epoch()` after
    each epoch; where some are drawn again (a sampler with replacement), see `repeats`.

    Args:
        num_examples: N; ids are whole numbers 0 to N - 1, the rows of the training set.
        num_classes: K.
        curves: whether the label's probability of every epoch is kept too, two bytes an example and epoch.
        repeats: what is done with an example that comes twice in an epoch: "refuse", or "keep" as one more epoch of it.

    Example::

        log = lw.DynamicsLog(len(train_set), num_classes=10)
        for epoch in range(epochs):
            for ids, images, labels in loader:
                logits = model(images)
                log.update(ids, logits, labels)
                ...
        log.result().table()

    >>> log = DynamicsLog(2, num_classes=2)
    >>> log.update([0, 1], torch.tensor([[2.0, 0.0], [0.0, 1.0]]), [0, 0])
    >>> log.epochs, log.result().table()["aum"].tolist()
    (1, [2.0, -1.0])
    """

    def __init__(
        self,
        num_examples: int,
        num_classes: int,
        *,
        curves: bool = False,
        repeats: Literal["refuse", "keep"] = "refuse",
    ) -> None:
        if not (_is_whole(num_examples) and _is_whole(num_classes)) or num_examples < 1 or num_classes < 2:
            raise InputError(
                f"a log needs at least one example and two classes; got {num_examples!r} and {num_classes!r}."
            )
        if repeats not in ("refuse", "keep"):
            raise InputError(f'repeats is "refuse" or "keep"; got {repeats!r}.')
        self.num_examples, self.num_classes = int(num_examples), int(num_classes)
        self.epochs = 0
        self._repeats = repeats
        self._sums = torch.zeros(num_examples, len(SUMS), dtype=torch.float64)
        self._times = torch.zeros(num_examples, dtype=torch.int64)
        self._labels = torch.full((num_examples,), NEVER)
        self._was_right = torch.zeros(num_examples, dtype=torch.bool)
        self._forgotten = torch.zeros(num_examples, dtype=torch.int64)
        self._last_wrong = torch.zeros(num_examples, dtype=torch.int64)
        self._rival = torch.full((num_examples,), NEVER)
        self._rival_weight = torch.zeros(num_examples, dtype=torch.float64)
        self._now = torch.zeros(num_examples, len(LEARNING), dtype=torch.float64)
        self._weighted = torch.zeros(num_examples, len(LEARNING), dtype=torch.float64)
        self._weights = torch.zeros(num_examples, dtype=torch.float64)
        self._came = torch.zeros(num_examples, dtype=torch.bool)
        self._here = 0
        self._curve = torch.full((num_examples,), float("nan"), dtype=torch.float16) if curves else None
        self._curves: list[Tensor] = []

    @property
    def begun(self) -> bool:
        """Whether some examples of an epoch that is not over came."""
        return self._here > 0

    def update(self, ids: ArrayLike | Tensor, logits: Tensor | ArrayLike, labels: ArrayLike | Tensor) -> None:
        """Note one batch.

        Args:
            ids: shape (B,), rows of the training set.
            logits: shape (B, K), before the softmax; of any device and precision, with or without gradients.
            labels: shape (B,).

        Raises:
            ShapeError: shapes that do not fit together, or logits of another width.
            InputError: an id or a label out of range, an example twice in an epoch, or with another label than before.
            NonFiniteError: logits that are NaN or infinite; says in which epoch.
        """
        rows, classes = whole_numbers(ids, "ids"), whole_numbers(labels, "labels")
        values = as_tensor(logits, "logits")
        self._check(rows, values, classes)
        for part in self._parts(rows):
            self._note(rows[part], values[part].to("cpu", torch.float64), classes[part])
            if self._here == self.num_examples:
                self.end_epoch()

    def end_epoch(self) -> None:
        """Say that an epoch is over, although not every example came; nothing to do where each did."""
        if not self._here:
            return
        self._weigh_epoch()
        self.epochs += 1
        self._here = 0
        self._came.fill_(False)
        if self._curve is not None:
            self._curves.append(self._curve.clone())
            self._curve.fill_(float("nan"))

    def result(self) -> Dynamics:
        """The scores of every example, from all that was noted; an epoch that was begun counts as it is, and goes on.

        Raises:
            NotEnoughExamplesError: some example never came; says which.
        """
        missing = torch.nonzero(self._times == 0).flatten()
        if len(missing):
            raise NotEnoughExamplesError(
                f"{len(missing)} of {self.num_examples} examples never came, such as {some(missing)}.\n"
                "    Train at least one whole epoch, and give the log as many examples as are trained on."
            )
        ended = copy.deepcopy(self) if self._here else self
        ended.end_epoch()
        return Dynamics(
            epochs=ended.epochs,
            labels=ended._labels.numpy().copy(),
            scores=ended._scores(),
            rivals=ended._rival.numpy().copy(),
            rival_weights=ended._rival_weight.numpy().copy(),
            curves=torch.stack(ended._curves).numpy() if ended._curves else None,
        )

    def state_dict(self) -> dict[str, Any]:
        """All that was noted, as tensors and numbers, to go on after a restart."""
        kept = {name: value for name, value in vars(self).items() if name != "_repeats"}
        return {name.lstrip("_"): _copied(value) for name, value in kept.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            InputError: the state is of another number of examples or classes, or of another version.
        """
        names = self.state_dict().keys()
        if not isinstance(state, Mapping) or names != state.keys():
            raise InputError("this is no state of a DynamicsLog of this version of layerwise.")
        given = (state["num_examples"], state["num_classes"])
        if given != (self.num_examples, self.num_classes):
            raise InputError(
                f"the state is of {given[0]} examples and {given[1]} classes; "
                f"this log is of {self.num_examples} and {self.num_classes}."
            )
        for name in names:
            own = name if name in vars(self) else f"_{name}"
            setattr(self, own, _copied(state[name]))

    def _note(self, rows: Tensor, logits: Tensor, labels: Tensor) -> None:
        at = torch.arange(len(rows))
        logs = torch.log_softmax(logits, dim=1)  # (B, K)
        probabilities = logs.exp()
        label = probabilities[at, labels]
        right = logits.argmax(dim=1) == labels
        rival, rival_logit = _highest_other(logits, labels)
        rival_probability = probabilities[at, rival]
        errors = probabilities.clone()
        errors[at, labels] -= 1.0
        early = self._times[rows] < EARLY_EPOCHS
        error, margin = errors.norm(dim=1), logits[at, labels] - rival_logit
        self._now[rows] = torch.stack([error, margin], dim=1)
        values = torch.stack(
            [
                margin,
                label,
                label**2,
                right.double(),
                label * (1.0 - label),
                -logs[at, labels],
                label - rival_probability,
                -(probabilities * logs.clamp(min=-1e4)).sum(dim=1),
                error * early,
                error,
            ],
            dim=1,
        )  # (B, scores), in the order of SUMS
        self._sums.index_add_(0, rows, values)
        self._forgotten[rows] += (self._was_right[rows] & ~right).long()
        self._times[rows] += 1
        wrong = rows[~right]
        self._last_wrong[wrong] = self.epochs + 1 if self._repeats == "refuse" else self._times[wrong]
        self._was_right[rows], self._labels[rows] = right, labels
        self._vote_for_rival(rows, rival, rival_probability)
        if self._curve is not None:
            self._curve[rows] = label.to(torch.float16)
        self._here += int((~self._came[rows]).sum())
        self._came[rows] = True

    def _scores(self) -> dict[str, NDArray[np.float64]]:
        """Each score by name, (N,), of epochs that are over."""
        means = dict(zip(SUMS, (self._sums / self._times[:, None]).T.numpy(), strict=True))
        squares, error = means.pop("squares"), means.pop("mean_error")
        means["variability"] = np.sqrt(np.maximum(squares - means["confidence"] ** 2, 0.0))
        early = torch.clamp(self._times, max=EARLY_EPOCHS)
        means["el2n"] = (self._sums[:, SUMS.index("el2n")] / early).numpy()
        told = (self._weights > 0).numpy()
        for name, sums, plain in zip(LEARNING, self._weighted.T, (error, means["aum"]), strict=True):
            means[name] = np.where(told, (sums / self._weights.clamp(min=TINY)).numpy(), plain)
        never_right = means["correctness"] == 0
        means["forgetting"] = np.where(never_right, self._times, self._forgotten).astype(np.float64)
        means["iteration_learned"] = (self._last_wrong + 1).numpy().astype(np.float64)
        return means

    def _weigh_epoch(self) -> None:
        came = self._came
        weight = learning_weight(float(self._was_right[came].double().mean()), self.num_classes)
        self._weighted[came] += weight * self._now[came]
        self._weights[came] += weight

    def _vote_for_rival(self, rows: Tensor, rival: Tensor, weight: Tensor) -> None:
        """A majority vote over epochs in O(N): a class stays while its weight is above that of the others together.

        Source: Boyer and Moore (1991), "MJRTY", with weights.
        """
        held, before = self._rival[rows], self._rival_weight[rows]
        after = torch.where(held == rival, before + weight, before - weight)
        self._rival[rows] = torch.where(after < 0, rival, held)
        self._rival_weight[rows] = after.abs()

    def _parts(self, rows: Tensor) -> list[Tensor | slice]:
        """The batch in one, or, where an example may come twice in it, cut so that it comes once in each part."""
        if self._repeats == "refuse" or len(np.unique(rows)) == len(rows):
            return [slice(None)]
        order = torch.argsort(rows, stable=True)
        sorted_rows = rows[order]
        starts = torch.searchsorted(sorted_rows, sorted_rows)
        turn = torch.arange(len(rows)) - starts
        return [order[turn == number] for number in range(int(turn.max()) + 1)]

    def _check(self, rows: Tensor, logits: Tensor, labels: Tensor) -> None:
        epoch = self.epochs + 1
        check_shapes(rows, logits, labels, classes=self.num_classes, epoch=epoch)
        check_range(rows, self.num_examples, "an id")
        check_range(labels, self.num_classes, "a label")
        check_finite(rows, logits, epoch=epoch)
        check_same_labels(rows, self._labels[rows], labels, epoch=epoch)
        if self._repeats == "refuse":
            left = self.num_examples - self._here
            check_once(rows, self._came[rows], epoch=epoch, left=f"{left} of {self.num_examples}")


def _highest_other(values: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The class with the highest value beside the label, and that value: (B,) each."""
    others = values.clone()
    others[torch.arange(len(labels)), labels] = -torch.inf
    highest, classes = others.max(dim=1)
    return classes, highest


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    return [one.clone() for one in value] if isinstance(value, list) else value
