"""The networks of MNIST-1D compute what 1-D convolutions and a residual do, with the repository's number of weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from layerwise.errors import UnknownNameError
from layerwise.models.catalog import load_model
from layerwise.models.mnist1d import AddedReLU, Mnist1dCNN, Mnist1dMLP

SIGNALS = torch.randn(4, 1, 1, 40, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("name", "parameters"), [("mnist1d-cnn", 5210), ("mnist1d-mlp", 15210)])
def test_they_have_as_many_weights_as_in_the_repository(name: str, parameters: int) -> None:
    network = load_model(name, num_classes=10, in_channels=1)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert network(SIGNALS).shape == (4, 10)


def test_the_cnn_is_three_1d_convolutions_and_a_linear_layer() -> None:
    network = Mnist1dCNN(num_classes=10)
    x = SIGNALS[:, :, 0]  # (N, 1, 40)
    for layer in (network.conv1, network.conv2, network.conv3):
        assert isinstance(layer, nn.Conv2d)
        x = functional.conv1d(x, layer.weight[:, :, 0], layer.bias, stride=2, padding=1).relu()
    assert x.shape == (4, 25, 5)
    assert isinstance(network.linear, nn.Linear)
    torch.testing.assert_close(network(SIGNALS), network.linear(x.flatten(1)))


def test_the_mlp_adds_its_second_hidden_layer_to_the_first() -> None:
    network = Mnist1dMLP(num_classes=10)
    assert isinstance(network.added, AddedReLU)
    hidden = network.linear1(SIGNALS.flatten(1)).relu()
    hidden = hidden + network.added.linear2(hidden).relu()
    torch.testing.assert_close(network(SIGNALS), network.linear3(hidden))


def test_weights_are_drawn_as_pytorch_draws_those_of_1d_convolutions() -> None:
    torch.manual_seed(0)
    drawn = Mnist1dCNN(num_classes=10).conv1.weight
    torch.manual_seed(0)
    expected = nn.Conv1d(1, 25, 5, stride=2, padding=1).weight
    torch.testing.assert_close(drawn[:, :, 0], expected, rtol=0, atol=0)


def test_signals_of_several_channels_are_taken_too() -> None:
    for name in ("mnist1d-cnn", "mnist1d-mlp"):
        assert load_model(name, num_classes=3, in_channels=2)(torch.zeros(1, 2, 1, 40)).shape == (1, 3)


def test_they_take_no_options() -> None:
    with pytest.raises(UnknownNameError, match=r'"mnist1d-mlp" has no option "hidden".\n    Its options are none\.'):
        load_model("mnist1d-mlp?hidden=5", num_classes=10)
