"""Filters are the weights themselves; layers without any are refused with those that have some."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from layerwise.errors import InputError, UnknownNameError
from layerwise.inside.filters import find_filters
from layerwise.models.catalog import load_model


def test_the_report_network_has_its_64_filters_of_5_by_5() -> None:
    model = load_model("report-cnn", num_classes=10)
    filters = find_filters(model)
    assert (filters.layer, filters.weights.shape) == ("conv1", (64, 3, 5, 5))
    np.testing.assert_array_equal(filters.weights, model.conv1.weight.detach().numpy())
    assert find_filters(model, "conv2").weights.shape == (32, 64, 5, 5)


def test_they_are_a_copy_that_training_does_not_move() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3))
    filters = find_filters(model)
    before = filters.weights.copy()
    with torch.no_grad():
        model[0].weight.add_(1)
    np.testing.assert_array_equal(filters.weights, before)
    table = filters.table()
    np.testing.assert_allclose(table["norm"], np.linalg.norm(before.reshape(2, -1), axis=1), rtol=1e-6)


def test_layers_without_filters_are_refused() -> None:
    model = load_model("report-cnn", num_classes=10)
    with pytest.raises(InputError, match='"fc1" is a Linear, which has no filters'):
        find_filters(model, "fc1")
    with pytest.raises(UnknownNameError, match='Did you mean "conv2" or "conv1"'):
        find_filters(model, "conv3")
    with pytest.raises(InputError, match="Sequential has no two-dimensional convolution"):
        find_filters(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
