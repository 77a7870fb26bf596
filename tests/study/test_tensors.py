"""Networks in a stack of torch compute what each computes alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from layerwise.models.catalog import load_model
from layerwise.seeds import stream_seed
from layerwise.study.edge_kernels import set_edge_kernels
from layerwise.study.engines.tensors.convolution import StackedConvolution
from layerwise.study.engines.tensors.layers import StackedDropout
from layerwise.study.engines.tensors.network import TensorNetwork, stackable
from stack_files import BATCH, COUNT, SHAPE, batch, images, labels_of, networks, orders_of

NETWORKS = [
    "simple-cnn?kernel=5", "simple-cnn?kernel=2&pool=average", "simple-cnn?filters=5,2&kernel=4&batch_norm=1",
    "three-layer-mlp?side=12&hidden=7,6", "two-layer-mlp?side=12&batch_norm=1",
]  # fmt: skip
ONE_BATCH, ALL_BATCHES = np.array([0, BATCH], np.int32), np.array([0, 5, 10, 13], np.int32)


def stack(models: list[nn.Module], seeds: list[int] | None = None) -> TensorNetwork:
    return TensorNetwork(models, SHAPE, BATCH, seeds or list(range(len(models))))


def numbers(*of_each: list[float]) -> np.ndarray:
    return np.array(of_each, np.float32)


def train_alone(model: nn.Module, place: int, width: int, *, rate: float, momentum: float, decay: float) -> None:
    """Two epochs as the loop trains, dropout included."""
    labels, orders = labels_of(width), orders_of(width)
    sgd = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, weight_decay=decay, foreach=False)
    model.train()
    for epoch in range(2):
        for step, (first, last) in enumerate(((0, 5), (5, 10), (10, 13))):
            rows = orders[first:last, place]
            sgd.zero_grad()
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(stream_seed(place, "dropout", epoch, step))
                logits = model(batch(place, rows).float())
            functional.cross_entropy(logits, torch.from_numpy(labels[rows, place]).long()).backward()
            sgd.step()


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_and_losses_are_those_of_torch_in_float64(name: str) -> None:
    models = networks(name, 3)
    net = stack(models)
    labels, orders = labels_of(3), orders_of(3)
    losses, right = net.epoch([images(i) for i in range(3)], labels, orders, ONE_BATCH, np.zeros((3, 3)), step=False)
    found = dict(net.gradients())
    for place, model in enumerate(models):
        rows = orders[:BATCH, place]
        logits = model.double().train()(batch(place, rows))
        loss = functional.cross_entropy(logits, torch.from_numpy(labels[rows, place]).long())
        loss.backward()
        assert losses[place] == pytest.approx(BATCH * loss.item(), rel=1e-6)
        assert right[place] == (logits.argmax(dim=1).numpy() == labels[rows, place]).sum()
        theirs = {parameter: value.grad.numpy() for parameter, value in model.named_parameters()}
        assert set(found) == set(theirs)
        apart = np.sqrt(sum(((found[one][place] - theirs[one]) ** 2).sum() for one in theirs))
        # Batch norm divides by spreads of few values, which rounding in float32 moves a little further.
        assert apart <= (1e-5 if "batch_norm" in name else 1e-6) * np.sqrt(
            sum((one**2).sum() for one in theirs.values())
        )


@pytest.mark.parametrize(
    "name",
    [
        "simple-cnn?kernel=3",
        "simple-cnn?kernel=3&batch_norm=1&dropout=0.4",
        "three-layer-mlp?side=12&dropout=0.3",
        "two-layer-mlp?side=12&batch_norm=1",
    ],
)
def test_epochs_are_those_of_torchs_sgd_with_numbers_of_each_network_s_own(name: str) -> None:
    """Running statistics and what dropout drops included."""
    models, twins = networks(name, 3), networks(name, 3)
    net = stack(models)
    rates, momenta, decays = [0.1, 0.01, 0.05], [0.9, 0.0, 0.5], [0.0, 0.1, 0.01]
    data = [images(place) for place in range(3)]
    for _ in range(2):
        net.epoch(data, labels_of(3), orders_of(3), ALL_BATCHES, numbers(rates, momenta, decays))
    net.write_back()
    logits = net.logits(data)
    for place, (model, twin) in enumerate(zip(models, twins, strict=True)):
        train_alone(twin, place, 3, rate=rates[place], momentum=momenta[place], decay=decays[place])
        for ours, theirs in zip(model.state_dict().values(), twin.state_dict().values(), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
        with torch.no_grad():
            expected = twin.eval()(batch(place, np.arange(COUNT)).float())
        torch.testing.assert_close(torch.from_numpy(logits[place]), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "name", ["simple-cnn?kernel=3&batch_norm=1&dropout=0.5", "three-layer-mlp?side=12&dropout=0.5"]
)
def test_a_network_learns_the_same_whatever_else_is_in_its_stack(name: str) -> None:
    learned = []
    for places in ([2, 0, 1], [1, 2]):
        all_models = networks(name, 3)
        models = [all_models[place] for place in places]
        net = stack(models, seeds=places)
        labels, orders = labels_of(3)[:, places], orders_of(3)[:, places]
        net.epoch([images(place) for place in places], labels, orders, ALL_BATCHES, np.full((3, len(places)), 0.1, "f"))
        net.write_back()
        learned.append(all_models[2].state_dict())
    for one, other in zip(*(state.values() for state in learned), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", ["simple-cnn?kernel=3&batch_norm=1", "three-layer-mlp?side=12"])
def test_a_network_that_diverges_hurts_no_other(name: str) -> None:
    models, twin = networks(name, 2), networks(name, 2)[0]
    net = stack(models)
    data = [images(0), np.full_like(images(1), np.nan)]
    for _ in range(2):
        losses, _ = net.epoch(data, labels_of(2), orders_of(2), ALL_BATCHES, numbers([0.1, 1e30], [0.9] * 2, [0.0] * 2))
    net.write_back()
    train_alone(twin, 0, 2, rate=0.1, momentum=0.9, decay=0.0)
    assert np.isfinite(losses).tolist() == [True, False]
    for ours, theirs in zip(models[0].parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["simple-cnn?kernel=3&batch_norm=1", "two-layer-mlp?side=6"])
def test_colours_come_in_torch_s_order(name: str) -> None:
    models = [load_model(name, num_classes=4, in_channels=3, seed=seed).eval() for seed in range(2)]
    generator = torch.Generator().manual_seed(0)
    data = torch.rand(2, 7, 3, 6, 6, generator=generator)
    logits = TensorNetwork(models, (3, 6, 6), 5, [0, 1]).logits([one.numpy() for one in data.flatten(2)])
    with torch.no_grad():
        expected = torch.stack([model(one) for model, one in zip(models, data, strict=True)])
    torch.testing.assert_close(torch.from_numpy(logits), expected)


def test_what_is_frozen_in_one_network_stays_there() -> None:
    models = networks("simple-cnn?kernel=3", 2)
    set_edge_kernels(models[1])
    before = [[parameter.detach().clone() for parameter in model.parameters()] for model in models]
    net = stack(models)
    net.epoch([images(0), images(1)], labels_of(2), orders_of(2), ALL_BATCHES, np.full((3, 2), 0.1, np.float32))
    net.write_back()
    changed = [
        [not torch.equal(*pair) for pair in zip(values, model.parameters(), strict=True)]
        for values, model in zip(before, models, strict=True)
    ]
    assert changed == [[True] * 6, [False] * 4 + [True] * 2]


@pytest.mark.parametrize(("side", "height", "width"), [(2, 5, 4), (3, 4, 6), (7, 5, 9)])
def test_a_stacked_convolution_is_each_network_s_own(side: int, height: int, width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    convolutions = [nn.Conv2d(2, 3, side, padding="same", padding_mode="reflect") for _ in range(2)]
    values = torch.rand(2, 4, 2, height, width, generator=generator)
    ours = StackedConvolution(convolutions)(values.transpose(2, 3)).transpose(2, 3)
    for place, convolution in enumerate(convolutions):
        torch.testing.assert_close(ours[place], convolution(values[place]))


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    """Four standard errors of a share of 40,000 draws, with fixed seeds."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    kept = StackedDropout(0.3, generators).train()(torch.ones(3, 200, 200))
    bound = 4 * (0.3 * 0.7 / 40_000) ** 0.5
    assert torch.allclose((kept == 0).float().mean(dim=(1, 2)), torch.tensor(0.3), rtol=0, atol=bound)
    assert torch.allclose(kept[kept > 0], torch.tensor(1 / 0.7))
    both = ((kept[0] == 0) & (kept[1] == 0)).float().mean()
    assert both.item() == pytest.approx(0.09, abs=4 * (0.09 * 0.91 / 40_000) ** 0.5)


@pytest.mark.parametrize(
    ("model", "fits"),
    [
        (nn.Linear(144, 3), False),
        (nn.Sequential(nn.Flatten(), nn.Linear(144, 3, bias=False)), True),
        (nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(144, 3)), True),
        (nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False), nn.Flatten(), nn.Linear(144, 3)), False),
        (nn.Sequential(nn.MaxPool2d(3), nn.Flatten(), nn.Linear(16, 3)), True),
        (nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(300, 3)), False),
        (nn.Sequential(nn.Conv2d(1, 64, 3, padding="same", padding_mode="reflect"), nn.Flatten()), False),
        (nn.Sequential(nn.Flatten(), nn.Linear(144, 3), nn.GELU()), False),
        (nn.Sequential(nn.Flatten(), nn.Linear(144, 3)).requires_grad_(requires_grad=False), False),
        (nn.Sequential(nn.Linear(12, 3), nn.Flatten(), nn.Linear(36, 3)), False),
    ],
)
def test_what_can_be_stacked(model: nn.Module, fits: bool) -> None:
    assert stackable(model) is fits
