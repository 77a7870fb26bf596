"""Kernels set to edge detectors see edges of one direction only, and stay as they are."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from layerwise.errors import ModelError
from layerwise.models.catalog import load_model
from layerwise.study.edge_kernels import edge_kernel, set_edge_kernels


@pytest.mark.parametrize("side", [2, 3, 5, 7])
def test_a_horizontal_edge_excites_one_and_not_its_transpose(side: int) -> None:
    image = torch.zeros(16, 16)
    image[8:] = 1.0
    kernels = torch.stack([edge_kernel(side), edge_kernel(side).T])[:, None]
    seen = torch.nn.functional.conv2d(image[None, None], kernels)[0].abs().amax(dim=(1, 2))
    assert seen[0] > 0.9
    assert seen[1] < 1e-6


def test_the_kernels_are_those_that_were_described() -> None:
    assert edge_kernel(2).tolist() == [[1, 1], [-1, -1]]
    seven = edge_kernel(7)
    assert seven[2].tolist() == [1] * 7
    assert seven[3].tolist() == [-1] * 7
    assert seven.abs().sum() == 14
    torch.testing.assert_close(2 * edge_kernel(3), torch.tensor([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]]))


def test_only_the_last_layer_is_left_to_learn() -> None:
    model = load_model("simple-cnn", num_classes=3, in_channels=1, seed=0)
    drawn = load_model("simple-cnn", num_classes=3, in_channels=1, seed=0)
    set_edge_kernels(model)
    assert [name for name, value in model.named_parameters() if value.requires_grad] == ["linear.weight", "linear.bias"]
    for one, before in ((model.conv1, drawn.conv1), (model.conv2, drawn.conv2)):
        assert isinstance(one, nn.Conv2d)
        assert isinstance(before, nn.Conv2d)
        assert one.bias is not None
        assert one.bias.tolist() == [0, 0, 0]
        for channel in range(one.in_channels):
            torch.testing.assert_close(one.weight[0, channel], edge_kernel(7))
            torch.testing.assert_close(one.weight[1, channel], edge_kernel(7).T)
        torch.testing.assert_close(one.weight[2], before.weight[2])


def test_networks_without_square_kernels_are_refused() -> None:
    with pytest.raises(ModelError, match="has no convolution whose kernels could be edge detectors"):
        set_edge_kernels(nn.Linear(2, 2))
    with pytest.raises(ModelError, match="kernels of 1 × 3 are not square"):
        set_edge_kernels(nn.Conv2d(1, 1, (1, 3)))
