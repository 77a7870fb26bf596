"""train_exits: the heads of an ExitNetwork, with the network or on top of a frozen one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from torch import Tensor
from torch.nn import functional

from layerwise.data.images import ImageData
from layerwise.errors import InputError
from layerwise.exits.network import ExitNetwork
from layerwise.progress import Progress, silent
from layerwise.training.fit import train
from layerwise.training.history import TrainingHistory
from layerwise.training.objective import Objective
from layerwise.training.settings import SettingsFields, TrainSettings, make_settings

__all__ = ["train_exits"]

DISTILLATION_TEMPERATURE = 3.0


def train_exits(
    net: ExitNetwork,
    data: ImageData,
    settings: TrainSettings | None = None,
    *,
    weights: Sequence[float] | None = None,
    frozen: bool = False,
    distill: float = 0.0,
    run: Path | str | None = None,
    resume: bool = True,
    progress: Progress = silent,
    **overrides: Unpack[SettingsFields],
) -> TrainingHistory:
    """Train the exits of a network in place; the loss is the weighted sum of the exits' cross-entropies.

    With the whole network from its present weights (after `train`, that is the mixed training that did best in
    Kubaty et al., arXiv 2407.14320; from random weights, the joint training of BranchyNet), or its heads alone.

    Args:
        net: its network and heads are trained.
        data: as `train` takes it.
        settings: how to train; see `TrainSettings`.
        weights: one for each exit, the last included; by default 1 for the first and 0.3 for each later one, after
            the reference notebook. Of a frozen network the last exit has nothing to learn, and its weight is ignored.
        frozen: whether the network stays as it is, and stays frozen afterwards.
        distill: share of each earlier exit's loss that is not its cross-entropy, but how far its probabilities are
            from the last exit's (Kullback-Leibler divergence at temperature 3, times 9); 0 to 1.
        run: as `train` takes it.
        resume: as `train` takes it.
        progress: as `train` takes it.
        **overrides: fields of `TrainSettings`.

    Returns:
        Loss and accuracy of the last exit by epoch.

    Raises:
        InputError: another number of weights than of exits, a weight below 0, or all 0; `distill` outside 0 to 1; and
            what `train` raises.
    """
    chosen = make_settings(settings, overrides)
    objective = exits_objective(net, chosen, weights=weights, frozen=frozen, distill=distill)
    if frozen:
        net.freeze()
    return train(net, data, chosen, objective=objective, run=run, resume=resume, progress=progress)


def exits_objective(
    net: ExitNetwork,
    settings: TrainSettings,
    *,
    weights: Sequence[float] | None,
    frozen: bool,
    distill: float,
) -> Objective:
    """What `train_exits` trains for."""
    count = len(net.names)
    shares = [1.0] + [0.3] * (count - 1) if weights is None else [float(weight) for weight in weights]
    _check(shares, count, distill)

    def loss(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
        last = logits[-1].float()
        terms = [
            share * _early_loss(part.float(), last, labels) for share, part in zip(shares, logits[:-1], strict=False)
        ]
        if not frozen:
            terms.append(shares[-1] * _cross_entropy(last, labels))
        return sum(terms[1:], start=terms[0])

    def _cross_entropy(part: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(part, labels, label_smoothing=settings.label_smoothing)

    def _early_loss(part: Tensor, last: Tensor, labels: Tensor) -> Tensor:
        plain = _cross_entropy(part, labels)
        return plain if not distill else (1 - distill) * plain + distill * _divergence(part, last.detach())

    description: dict[str, Any] = {
        "exits": ", ".join(net.names),
        "weights": shares,
        "frozen": frozen,
        "distill": distill,
    }
    return Objective(loss=loss, logits=lambda logits: logits[-1], description=description)


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """Hinton, Vinyals and Dean (2015), section 2: gradients keep their size at any temperature."""
    towards = functional.log_softmax(teacher / DISTILLATION_TEMPERATURE, dim=1)
    given = functional.log_softmax(student / DISTILLATION_TEMPERATURE, dim=1)
    divergence = functional.kl_div(given, towards, reduction="batchmean", log_target=True)
    return DISTILLATION_TEMPERATURE**2 * divergence


def _check(weights: Sequence[float], count: int, distill: float) -> None:
    if len(weights) != count:
        raise InputError(
            f"{len(weights)} weights for {count} exits, the last included.\n    Give {count}: the first exit's first."
        )
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
        raise InputError(f"weights must be 0 or more, and not all 0; got {', '.join(map(str, weights))}.")
    if not 0 <= distill <= 1:
        raise InputError(f"distill must be from 0 to 1; got {distill}.")
