"""A network that is cut at its exits gives the logits of all exits, and shares its weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from exits.toys import Around, Twice, small_exits, some_images
from layerwise.arrays.policies import EntropyBelow, Patience
from layerwise.errors import ModelError
from layerwise.exits.network import ExitNetwork
from layerwise.exits.stages import cut_into_stages
from layerwise.models.catalog import load_model


def resnet18() -> ExitNetwork:
    model = load_model("resnet18", num_classes=3, in_channels=1).eval()
    return ExitNetwork(model, some_images(size=32), ["maxpool", "layer2"]).eval()


NETWORKS: list[Callable[[], ExitNetwork]] = [
    small_exits,
    lambda: ExitNetwork(Twice().eval(), some_images(), ["relu", "two"]).eval(),
    lambda: ExitNetwork(Around().eval(), some_images(), ["stem", "add"]).eval(),
    resnet18,
]


@pytest.mark.parametrize("make", NETWORKS)
def test_stages_give_the_logits_of_all_exits(make: Callable[[], ExitNetwork]) -> None:
    net = make()
    stages = cut_into_stages(net)
    images = torch.rand(3, *net.image_shape)
    with torch.no_grad():
        for found, expected in zip(stages.logits(images), net(images), strict=True):
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert len(stages.parts) == len(stages.names) == len(stages.heads) + 1


def test_stages_share_their_weights_with_the_network() -> None:
    net = small_exits()
    stages = cut_into_stages(net)
    own = {parameter.data_ptr() for parameter in net.model.parameters()}
    parts = [parameter.data_ptr() for part in stages.parts for parameter in part.parameters()]
    assert set(parts) == own
    assert len(parts) == len(own)


class SizeOfImages(nn.Module):
    """Uses the height of the images at its end: no examples are mixed, yet there is more than one thread through it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.head = nn.Linear(4 * 6 * 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        height = x.shape[2]
        return self.head(self.stem(x).flatten(1)) / height


class Deciding(nn.Module):
    """Cannot be traced: its path depends on the values."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.head = nn.Linear(4 * 6 * 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if bool(torch.isnan(x).any()):
            x = torch.zeros_like(x)
        return self.head(x.flatten(1))


def test_what_cannot_be_cut_says_why() -> None:
    used_later = ExitNetwork(SizeOfImages().eval(), some_images(), ["stem"])
    with pytest.raises(ModelError, match='what is made before "stem" is used after it'):
        cut_into_stages(used_later)
    untraceable = ExitNetwork(Deciding().eval(), some_images(), ["stem"])
    with pytest.raises(ModelError, match=r"Deciding cannot be cut into stages: it cannot be traced .*\n.*net.predict"):
        cut_into_stages(untraceable)


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_a_pass_part_by_part_routes_as_the_network_itself_does(*, compiled: bool) -> None:
    torch.manual_seed(0)
    net, images = small_exits(), torch.rand(40, 1, 8, 8)
    stages = cut_into_stages(net)
    parts = stages.compiled(backend="eager", fullgraph=True) if compiled else stages
    scores = EntropyBelow(0).scores(net.all_logits(images)[:1])
    for policy in (EntropyBelow(float(np.median(scores))), EntropyBelow(np.inf), EntropyBelow(-np.inf), Patience(0)):
        for batch_size in (1, 7, 40):
            expected = net.predict(images, policy, batch_size=batch_size)
            found = net.predict(images, policy, batch_size=batch_size, forward=parts.forward)
            np.testing.assert_array_equal(found.exit, expected.exit)
            np.testing.assert_allclose(found.logits, expected.logits, atol=1e-6)
