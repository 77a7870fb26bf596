"""What an exit costs: by hand on a toy, and exactly what torch's counter counts of the routed pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from exits.test_routing import halving
from exits.toys import small_exits, some_images
from layerwise.arrays.policies import EntropyBelow, ExitPolicy, GeometricEnsemble
from layerwise.exits.costs import count_exit_macs
from layerwise.exits.network import ExitNetwork


def test_costs_by_hand() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 3)).eval()
    costs = count_exit_macs(ExitNetwork(model, torch.rand(5, 1, 6, 6), ["0", "1"], heads=["linear", "pooled"]))
    first, second, last = 9 * 2 * 16, 9 * 2 * 4 * 4, 16 * 3
    assert costs.network.tolist() == [first, first + second, first + second + last]
    assert costs.heads.tolist() == [2 * 16 * 3, 4 * 3]
    assert costs.plain == first + second + last
    assert costs.of_exits(EntropyBelow(0.5)).tolist() == [
        first + 96,
        first + second + 96 + 12,
        first + second + last + 96 + 12,
    ]
    assert costs.of_exits(EntropyBelow([-np.inf, 0.5])).tolist() == [
        first,
        first + second + 12,
        first + second + last + 12,
    ]


@pytest.mark.parametrize("closed", [[], [0], [1, 2]])
@pytest.mark.parametrize("family", [EntropyBelow(0.0), GeometricEnsemble(EntropyBelow(0.0))], ids=str)
def test_predicted_macs_are_those_of_the_routed_pass(closed: list[int], family: ExitPolicy) -> None:
    net, images = small_exits(), some_images(40, size=8)
    thresholds = halving(family, net, images).thresholds.copy()
    thresholds[closed] = -np.inf
    policy = family.with_thresholds(thresholds.tolist())
    with FlopCounterMode(display=False) as counter:
        exits = net.predict(images, policy, batch_size=16).exit
    assert len(set(exits.tolist())) > 1
    assert counter.get_total_flops() == 2 * count_exit_macs(net).of_exits(policy)[exits].sum()
