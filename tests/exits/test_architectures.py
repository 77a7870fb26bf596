"""Every block of many architectures can be left, and what is routed is what the network says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.arrays.policies import EntropyBelow
from layerwise.errors import ModelError
from layerwise.exits.cuts import clean_cuts
from layerwise.exits.network import ExitNetwork
from layerwise.models.catalog import load_model
from layerwise.taps import find_taps
from test_architectures import network, three_images

QUICK = ("resnet18",)
SLOW = (
    "mobilenet_v2",
    "squeezenet1_1",
    "resnet50",
    "resnext50_32x4d",
    "regnet_x_400mf",
    "regnet_y_400mf",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "mnasnet0_5",
    "convnext_tiny",
    "swin_t",
    "googlenet",
)
NAMES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]

# Places inside a block, where a path leads around.
BAD = {
    "resnet18": "layer2.0.bn2",
    "mobilenet_v2": "features.5.conv.0",
    "squeezenet1_1": "features.3.expand1x1",
    "resnet50": "layer3.1.conv2",
    "regnet_x_400mf": "trunk_output.block2.block2-1.f.b",
    "efficientnet_b0": "features.3.1.block.1",
    "convnext_tiny": "features.1.1.block.3",
}


def test_more_than_a_dozen_architectures_are_wrapped() -> None:
    assert len({*QUICK, *SLOW}) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_every_block_can_be_left_and_the_whole_network_says_what_it_says(name: str) -> None:
    model, data = network(name), three_images(name)
    taps = find_taps(model, data, "blocks")
    assert set(clean_cuts(model, taps, data).values()) == {""}
    net = ExitNetwork(model, data, taps.names[1:-1]).eval()
    with torch.no_grad():
        expected = model(torch.from_numpy(data.batch(slice(0, 3)))).numpy()
    logits = net.predict(data, EntropyBelow(-1.0)).logits  # all heads are asked, and nobody leaves
    np.testing.assert_allclose(logits, expected, atol=1e-5 * max(1.0, abs(expected).max()))
    middle = len(net.heads) // 2
    leave_there = EntropyBelow([np.inf if index == middle else -np.inf for index in range(len(net.heads))])
    assert (net.predict(data, leave_there).exit == middle).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BAD]
)
def test_a_place_inside_a_block_is_refused(name: str) -> None:
    with pytest.raises(
        ModelError, match=r'the network cannot be left at ".*": with .* left.*\n    It can be left at "'
    ):
        ExitNetwork(network(name), three_images(name), [BAD[name]])


def test_dense_blocks_can_be_left_only_where_all_paths_meet() -> None:
    model = load_model("densenet121", num_classes=3, in_channels=3).eval()
    images = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    names = ["features.transition1", "features.denseblock2.denselayer3"]
    problems = clean_cuts(model, find_taps(model, images, names), images)
    assert problems["features.transition1"] == ""
    assert "what comes later fails" in problems["features.denseblock2.denselayer3"]
