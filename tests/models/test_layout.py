"""The layout that a network is given its images in: fast where it can be, and never at the cost of an error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from layerwise.data.images import ImageData
from layerwise.models.catalog import load_model
from layerwise.models.layout import fast_layout, laid_out
from layerwise.recording import record
from layerwise.seeds import stream
from layerwise.taps import find_taps
from layerwise.training.fit import train


class Viewing(nn.Module):
    """Calls `view` where `reshape` would do, as many a notebook's network does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4 * 6 * 6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).view(len(x), -1))


def images(count: int = 12) -> ImageData:
    pixels = stream(0, "layout").random((count, 3, 6, 6), dtype=np.float32)
    return ImageData.create(pixels, np.arange(count) % 2, class_names=["even", "odd"])


def test_convolutions_get_channels_last() -> None:
    assert fast_layout(load_model("resnet20", num_classes=2, in_channels=3), torch.rand(2, 3, 8, 8)) == (
        torch.channels_last
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_convolutions_answer_in_the_layout_they_are_given(channels: int) -> None:
    # Images of one channel are "contiguous" in both layouts, so `contiguous` alone does not tell a convolution.
    images = torch.rand(2, channels, 6, 6)
    convolution = nn.Conv2d(channels, 4, 3)
    for layout in (torch.channels_last, torch.contiguous_format):
        given = laid_out(images, layout)
        assert torch.equal(given, images)
        assert convolution(given).is_contiguous(memory_format=layout)


def test_one_row_of_many_grey_images_is_laid_out_where_it_lies() -> None:
    images = torch.rand(5, 1, 4, 6)
    given = laid_out(images[3:], torch.channels_last)
    assert torch.equal(given, images[3:])
    assert given.data_ptr() == images[3:].data_ptr()


def test_networks_without_convolutions_and_those_that_call_view_do_not() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(108, 2))
    assert fast_layout(linear, torch.rand(2, 3, 6, 6)) == torch.contiguous_format
    assert fast_layout(Viewing(), torch.rand(2, 3, 6, 6)) == torch.contiguous_format


def test_the_network_is_left_as_it_was() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(64, 2)).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    fast_layout(net, torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)))
    assert net.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("net", [Viewing(), nn.Sequential(nn.Conv2d(3, 2, 6), nn.Flatten())])
def test_recorded_values_are_in_their_places(net: nn.Module) -> None:
    data = images()
    taps = find_taps(net, data, "children")
    conv = next(name for name in taps.names if name in ("conv", "0"))
    activations = record(net, data, taps, batch_size=5)
    with torch.no_grad():
        layer = next(net.children())
        np.testing.assert_allclose(activations[conv], layer(torch.tensor(data.batch(slice(0, 12)))), atol=1e-6)
    assert activations[conv].flags["C_CONTIGUOUS"]


def test_a_reduction_may_call_view() -> None:
    net, data = load_model("resnet20", num_classes=2, in_channels=3), images()
    kept = record(net, data, find_taps(net, data, "blocks"), reduce=lambda value: value.view(len(value), -1)[:, :2])
    assert all(kept[tap].shape == (12, 2) for tap in kept)


def test_a_network_that_calls_view_can_be_trained() -> None:
    data = images()
    splits = np.where(np.arange(12) < 8, "train", "test")
    data = ImageData.create(data.batch(slice(0, 12)), data.labels, class_names=["even", "odd"], splits=splits)
    assert len(train(Viewing(), data, epochs=1).records) == 2
