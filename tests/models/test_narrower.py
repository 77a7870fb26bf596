"""narrower: shapes, costs and scale of a network with fewer channels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from layerwise.cost import count_macs
from layerwise.errors import InputError, ModelError
from layerwise.models.catalog import load_model
from layerwise.models.narrower import narrower

SHARE = 0.5


@pytest.mark.parametrize(
    "name",
    [
        "resnet20",
        "resnet18",
        "resnet18-cifar",
        pytest.param("vgg11", marks=pytest.mark.slow),
        "mobilenet_v2",
        "regnet_y_400mf",
    ],
)
def test_half_the_channels_cost_about_a_quarter_and_give_as_many_classes(name: str) -> None:
    model = load_model(name, num_classes=7)
    made = narrower(model, (3, 32, 32), SHARE).eval()
    assert made(torch.rand(2, 3, 32, 32)).shape == (2, 7)
    share = count_macs(made, (3, 32, 32)).total / count_macs(model, (3, 32, 32)).total
    assert 0.25 <= share <= 0.32  # the first layer's input and the last one's output stay


def test_the_network_itself_is_left_as_it_is() -> None:
    model = load_model("resnet18", num_classes=3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    narrower(model, (3, 32, 32), SHARE)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_seed_gives_the_same_network_again_and_leaves_the_global_generator_alone() -> None:
    model = load_model("resnet18", num_classes=3)
    state = torch.get_rng_state()
    first, again, other = (narrower(model, (3, 32, 32), SHARE, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], value) for name, value in again.items())
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])
    assert torch.equal(state, torch.get_rng_state())


def test_weights_that_stay_have_the_scale_of_fewer_inputs() -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(400, 400, bias=False) for _ in range(3)]
    for layer in layers:
        nn.init.normal_(layer.weight, std=400**-0.5)
    model = nn.Sequential(nn.Flatten(), *layers, nn.Linear(400, 2))
    made = narrower(model, (1, 20, 20), 0.25)
    assert [tuple(layer.weight.shape) for layer in list(made)[1:4]] == [(100, 400), (100, 100), (100, 100)]
    assert float(made[3].weight.detach().std() * 10) == pytest.approx(1, rel=0.05)


class Fixed(nn.Module):
    """Its reshape has a number of channels written into it, which pruning cannot follow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.linear = nn.Linear(8 * 36, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(self.conv(images).reshape(len(images), 8 * 36) * torch.ones(8 * 36))


def test_what_cannot_be_followed_is_refused() -> None:
    with pytest.raises(ModelError, match="Fixed cannot be made narrower"):
        narrower(Fixed(), (1, 8, 8), SHARE)


def test_what_is_no_narrower_is_refused() -> None:
    with pytest.raises(ModelError, match=r"CifarResNet cannot be made narrower: with 0.98 of the channels it has as"):
        narrower(load_model("resnet8", num_classes=3), (3, 32, 32), 0.98)
    with pytest.raises(ModelError, match="it has as many weights"):
        narrower(nn.Sequential(nn.Flatten(), nn.Linear(48, 3)), (3, 4, 4), SHARE)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        narrower(load_model("resnet20", num_classes=3), (3, 32, 32), share)
