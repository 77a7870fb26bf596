"""Training of exits: the loss by hand, what is trained and what is not, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import special
from torch import nn

from exits.toys import Twice, small_exits, some_images, split_images
from layerwise.data.images import ImageData
from layerwise.errors import InputError, RunError
from layerwise.exits.network import ExitNetwork
from layerwise.exits.training import exits_objective, train_exits
from layerwise.training.settings import TrainSettings


def state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def unchanged(before: dict[str, torch.Tensor], module: nn.Module) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_the_loss_is_the_weighted_sum_of_cross_entropies() -> None:
    net = small_exits()
    logits = np.random.default_rng(0).normal(size=(4, 5, 3))
    labels = np.array([0, 1, 2, 1, 0])
    terms = [-special.log_softmax(part, axis=1)[np.arange(5), labels].mean() for part in logits]

    def loss(**options: Any) -> float:
        objective = exits_objective(
            net, TrainSettings(), **({"weights": None, "frozen": False, "distill": 0} | options)
        )
        return float(objective.loss([torch.from_numpy(part) for part in logits], torch.from_numpy(labels)))

    assert loss() == pytest.approx(terms[0] + 0.3 * sum(terms[1:]), abs=1e-6)
    assert loss(weights=[0, 2, 0, 1]) == pytest.approx(2 * terms[1] + terms[3], abs=1e-6)
    assert loss(weights=[0, 2, 0, 1], frozen=True) == pytest.approx(2 * terms[1], abs=1e-6)
    softer = special.log_softmax(logits / 3, axis=2)
    divergence = 9 * (np.exp(softer[3]) * (softer[3] - softer[1])).sum(axis=1).mean()
    expected = 0.5 * terms[1] + 0.5 * divergence + terms[3]
    assert loss(weights=[0, 1, 0, 1], distill=0.5) == pytest.approx(expected, abs=1e-6)


def test_the_last_exit_does_not_learn_from_those_that_imitate_it() -> None:
    objective = exits_objective(small_exits(), TrainSettings(), weights=[1, 1, 1, 0], frozen=False, distill=1)
    logits = [torch.randn(5, 3, requires_grad=True) for _ in range(4)]
    objective.loss(logits, torch.zeros(5, dtype=torch.int64)).backward()
    assert logits[0].grad is not None
    assert logits[3].grad is None or not logits[3].grad.any()


def test_training_moves_network_and_heads() -> None:
    net = small_exits()
    heads, model = state(net.heads), state(net.model)
    history = train_exits(net, split_images(), epochs=1, batch_size=6)
    assert len(history.records) == 2
    assert not unchanged(heads, net.heads)
    assert not unchanged(model, net.model)


def test_a_frozen_network_stays_to_the_last_statistic_of_its_batch_norms() -> None:
    net = small_exits()
    heads, model = state(net.heads), state(net.model)
    train_exits(net, split_images(), epochs=1, batch_size=6, frozen=True)
    assert not unchanged(heads, net.heads)
    assert unchanged(model, net.model)
    assert not net.train().model.training
    assert net.heads.training


@pytest.mark.slow
def test_heads_learn_what_can_be_learned() -> None:
    data = split_images()
    brightness = np.broadcast_to(data.labels[:, None, None, None] / 2, (24, 1, 8, 8)).astype(np.float32)
    bright = ImageData.create(brightness, data.labels, class_names=["a", "b", "c"], splits=data.splits)
    net = small_exits()
    train_exits(net, bright, epochs=100, batch_size=18, learning_rate=0.02, frozen=True)
    assert (net.eval().all_logits(bright.test).argmax(axis=2)[:-1] == bright.test.labels).all()


def test_a_tap_that_is_rewritten_in_place_can_be_trained() -> None:
    net = ExitNetwork(Twice().eval(), some_images(), ["one", "two"])
    heads, stem = state(net.heads), state(net.model.get_submodule("one"))
    train_exits(net, split_images(size=6), epochs=1)
    assert not unchanged(heads, net.heads)
    assert not unchanged(stem, net.model.get_submodule("one"))


def test_a_training_goes_on_only_with_the_same_exits_and_weights(tmp_path: Path) -> None:
    train_exits(small_exits(), split_images(), epochs=1, run=tmp_path)
    message = "objective.weights: [1.0, 0.3, 0.3, 0.3] → [1.0, 1.0, 1.0, 1.0]"
    with pytest.raises(RunError, match=re.escape(message)):
        train_exits(small_exits(), split_images(), epochs=1, weights=[1, 1, 1, 1], run=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": [1, 1]}, "2 weights for 4 exits, the last included.\n    Give 4: the first exit's first."),
        ({"weights": [1, -1, 1, 1]}, "weights must be 0 or more, and not all 0; got 1.0, -1.0, 1.0, 1.0."),
        ({"weights": [0, 0, 0, 0]}, "weights must be 0 or more, and not all 0"),
        ({"distill": 1.5}, "distill must be from 0 to 1; got 1.5."),
    ],
)
def test_weights_that_cannot_be_used_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        train_exits(small_exits(), split_images(), epochs=1, **options)
