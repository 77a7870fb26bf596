"""SmallerNetwork: what a plain network gets right and costs; training in phases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from exits.toys import split_images
from layerwise.cost import count_macs
from layerwise.exits.smaller import measure_smaller, train_in_phases
from layerwise.training.fit import train
from layerwise.training.settings import TrainSettings


def small(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3))


def test_right_answers_macs_and_time() -> None:
    data, model = split_images(size=6).test, small().eval()
    found = measure_smaller("small", model, data, batch_sizes=(1, 4), batch_size=3)
    with torch.no_grad():
        answers = model(torch.from_numpy(np.array(data.batch(slice(0, len(data)))))).argmax(dim=1).numpy()
    np.testing.assert_array_equal(found.right, answers == data.labels)
    np.testing.assert_array_equal(found.ids, data.ids)
    assert found.macs == count_macs(model, data.image_shape).total
    assert found.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert set(found.seconds) == {1, 4}
    assert min(found.seconds.values()) > 0


def test_phases_are_trainings_one_after_the_other(tmp_path: Path) -> None:
    data, phases = split_images(size=6), [TrainSettings(epochs=1), TrainSettings(epochs=2, learning_rate=1e-2)]
    together, apart = small(), small()
    train_in_phases(together, data, phases, run=tmp_path)
    for phase in phases:
        train(apart, data, phase)
    pairs = zip(together.parameters(), apart.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    again = small(1)  # a training that is over is read from its checkpoints
    train_in_phases(again, data, phases, run=tmp_path)
    assert all(torch.equal(one, other) for one, other in zip(together.parameters(), again.parameters(), strict=True))
