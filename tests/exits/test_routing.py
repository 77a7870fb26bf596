"""Routing truly stops, and gives each example what it gets alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from arrays.test_policies import POLICIES
from exits.toys import small_exits, some_images, toy_exits
from layerwise.arrays.exits import simulate
from layerwise.arrays.policies import EntropyBelow, ExitPolicy, MarginAbove, MaxProbabilityAbove
from layerwise.data.images import ImageData
from layerwise.errors import DataError, InputError, ModelError, NonFiniteError, NotEnoughExamplesError, ShapeError
from layerwise.exits.network import ExitNetwork


def halving(policy: ExitPolicy, net: ExitNetwork, images: ImageData) -> ExitPolicy:
    """The policy with thresholds by which half would leave at each exit, had nobody left before."""
    logits = net.all_logits(images)
    return policy.with_thresholds([float(np.median(policy.scores(logits[: e + 1]))) for e in range(len(net.heads))])


def median_policy(net: ExitNetwork, images: ImageData) -> ExitPolicy:
    return halving(EntropyBelow(0.0), net, images)


def test_each_leaves_where_its_own_logits_say() -> None:
    net = toy_exits()
    pixels = torch.tensor([0.0, 0.5, 1.0, -0.5]).reshape(4, 1, 1, 1)
    # The exits see x + 1, x + 2 and x + 2 as logits (z, -z): the highest probability is 1 / (1 + exp(-2 z)).
    outcome = net.predict(pixels, MaxProbabilityAbove([1 / (1 + np.exp(-2 * 1.4)), 1 / (1 + np.exp(-2 * 1.9))]))
    assert outcome.exit.tolist() == [1, 0, 0, 2]
    assert outcome.logits[:, 0].tolist() == [2.0, 1.5, 2.0, 1.5]
    assert outcome.prediction.tolist() == [0, 0, 0, 0]
    assert outcome.table()["examples"].tolist() == [2, 1, 1]
    assert outcome.table()["exit"].tolist() == ["0", "1", "softmax"]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_routed_equals_simulated_for_every_policy(policy: ExitPolicy) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 4)
        )
    net = ExitNetwork(model.eval(), some_images(), ["0", "1", "3"]).eval()
    with torch.no_grad():
        for head in net.heads:
            head[-1].weight.mul_(20)
    images = some_images(60)
    routed = net.predict(images, policy, batch_size=7)
    exits, answers = simulate(policy, net.all_logits(images, batch_size=60))
    assert routed.exit.tolist() == exits.tolist()
    np.testing.assert_allclose(routed.logits, answers, atol=1e-5)


@pytest.mark.parametrize("family", [EntropyBelow(0), MaxProbabilityAbove(0), MarginAbove(0)], ids=str)
@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 64, 100, 256, 257])
def test_the_batch_size_changes_nothing_and_the_order_stays(batch_size: int, family: ExitPolicy) -> None:
    net, images = small_exits(), some_images(257, size=8)
    policy = halving(family, net, images)
    exits, answers = simulate(policy, net.all_logits(images))
    routed = net.predict(images, policy, batch_size=batch_size)
    scores = np.stack([family.scores(part[None]) for part in net.all_logits(images)[:-1]])
    sure = (abs(scores - policy.thresholds[:, None]) > 1e-6).all(axis=0)
    assert len(set(exits.tolist())) == 4
    assert sure.mean() > 0.98
    assert (routed.exit == exits)[sure].all()
    np.testing.assert_allclose(routed.logits[sure], answers[sure], atol=1e-5)


def test_a_batch_that_all_leave_ends_there() -> None:
    net, images = small_exits(), some_images(8, size=8)
    ran: list[str] = []
    for name in ("layer1", "layer2", "layer3"):
        net.model.get_submodule(name).register_forward_hook(lambda *_, name=name: ran.append(name))
    outcome = net.predict(images, EntropyBelow([np.inf, 0.0, 0.0]))
    assert (outcome.exit == 0).all()
    assert ran == []


def test_what_runs_is_what_is_left() -> None:
    net, images = small_exits(), some_images(16, size=8)
    policy = median_policy(net, images)
    sizes: dict[str, int] = {}
    for name in ("layer1.0.conv1", "layer1.1.conv1", "layer3.0.conv1", "linear"):
        net.model.get_submodule(name).register_forward_hook(
            lambda module, arguments, value, name=name: sizes.update({name: len(value)})
        )
    exits = net.predict(images, policy).exit
    assert sizes == {
        "layer1.0.conv1": 16,
        "layer1.1.conv1": int((exits > 0).sum()),
        "layer3.0.conv1": int((exits > 1).sum()),
        "linear": int((exits > 2).sum()),
    }


def test_heads_of_exits_at_which_nobody_can_leave_are_not_run() -> None:
    net, images = small_exits(), some_images(8, size=8)
    net.heads[1].register_forward_hook(lambda *_: pytest.fail("this head was run"))
    policy = EntropyBelow([0.5, -np.inf, 0.9])
    assert net.predict(images, policy).exit.tolist() == simulate(policy, _without_hooks(net, images))[0].tolist()


def _without_hooks(net: ExitNetwork, images: ImageData) -> np.ndarray:
    net.heads[1]._forward_hooks.clear()
    return net.all_logits(images)


def test_pixels_as_bytes_as_floats_and_as_a_data_set_give_the_same() -> None:
    net = small_exits()
    pixels = np.random.default_rng(0).integers(0, 256, (6, 1, 8, 8), dtype=np.uint8)
    policy = EntropyBelow(0.9)
    from_bytes = net.predict(pixels, policy)
    np.testing.assert_array_equal(from_bytes.logits, net.predict(pixels.astype(np.float32) / 255, policy).logits)
    np.testing.assert_array_equal(from_bytes.logits, net.predict(torch.from_numpy(pixels), policy).logits)


def test_pixels_of_a_type_that_tells_no_range_are_refused() -> None:
    with pytest.raises(DataError, match=r"floats in \[0, 1\] or bytes \(uint8\); got int32"):
        small_exits().predict(np.zeros((2, 1, 8, 8), np.int32), EntropyBelow(0.1))


def test_arrays_in_any_order_of_memory_are_taken() -> None:
    net, pixels = small_exits(), some_images(6, size=8).batch(slice(0, 6))
    expected = net.predict(pixels[::-1].copy(), EntropyBelow(0.1)).logits
    np.testing.assert_array_equal(net.predict(pixels[::-1], EntropyBelow(0.1)).logits, expected)
    np.testing.assert_array_equal(net.predict(pixels[::-1].astype(">f4"), EntropyBelow(0.1)).logits, expected)


def test_routing_leaves_images_and_network_as_they_were() -> None:
    net = small_exits()
    pixels = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    before, hooks = pixels.clone(), sum(len(module._forward_hooks) for module in net.modules())
    net.predict(pixels, EntropyBelow(1.0))
    assert torch.equal(pixels, before)
    assert sum(len(module._forward_hooks) for module in net.modules()) == hooks
    assert all(parameter.grad is None and parameter.requires_grad for parameter in net.parameters())


def test_what_cannot_be_routed_is_refused() -> None:
    net, images = small_exits(), some_images(4, size=8)
    with pytest.raises(NotEnoughExamplesError, match="there is no image to classify"):
        net.predict(np.empty((0, 1, 8, 8), np.float32), EntropyBelow(0.5))
    with pytest.raises(ShapeError, match="images must have the shape N×1×8×8; got 4×1×9×9"):
        net.predict(np.zeros((4, 1, 9, 9), np.float32), EntropyBelow(0.5))
    with pytest.raises(ShapeError, match="the network has 3 exits before the last"):
        net.predict(images, EntropyBelow([0.5, 0.5]))
    with pytest.raises(InputError, match="batch_size must be at least 1; got 0"):
        net.predict(images, EntropyBelow(0.5), batch_size=0)
    net.model.train()
    with pytest.raises(ModelError, match=r"in training mode.*\n    Call net.eval\(\) first"):
        net.predict(images, EntropyBelow(0.5))


def test_nan_is_refused_with_the_exit_and_the_row() -> None:
    net = small_exits()
    pixels = np.random.default_rng(0).random((9, 1, 8, 8)).astype(np.float32)
    pixels[6] = np.nan
    for run in (lambda: net.predict(pixels, EntropyBelow(0.0), batch_size=4), lambda: net.all_logits(pixels)):
        with pytest.raises(NonFiniteError, match=r'exit "layer1.0" gives NaN or infinity for 1 of . images .*row 6\)'):
            run()


def test_a_single_image_that_cannot_be_told_is_refused_as_in_a_batch() -> None:
    """In float64 too, where a head's logits may be finite, and those that are recorded and compared are not."""
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).double().eval()
    net = ExitNetwork(model, torch.rand(5, 1, 4, 4), ["1"], heads="linear").eval()
    for bad in (1e39, np.nan, -np.inf):
        with torch.no_grad():
            net.heads[0][-1].bias.copy_(torch.tensor([bad, 0.0, 0.0]))
        for batch_size in (1, 2):
            with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match='exit "1" gives NaN or infinity for'):
                net.predict(torch.rand(2, 1, 4, 4), MaxProbabilityAbove(0.9), batch_size=batch_size)


def test_an_image_of_a_float64_network_is_decided_alone_as_it_is_recorded() -> None:
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)).double().eval()
    net = ExitNetwork(model, torch.rand(5, 1, 4, 4), ["1"], heads="linear").eval()
    images = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    logits = net.all_logits(images)
    for row, score in enumerate(MaxProbabilityAbove(0).scores(logits[:1])):
        policy = MaxProbabilityAbove(float(score + (2e-9 if row % 2 else -2e-9)))
        alone = net.predict(images[row : row + 1], policy, batch_size=1).exit[0]
        assert alone == simulate(policy, logits[:, row : row + 1])[0][0]


def test_fewer_macs_are_run_than_by_the_plain_network() -> None:
    net, images = small_exits(), some_images(32, size=8)

    def macs(policy: ExitPolicy) -> int:
        with FlopCounterMode(display=False) as counter:
            net.predict(images, policy, batch_size=32)
        return counter.get_total_flops()

    assert macs(median_policy(net, images)) < 0.8 * macs(EntropyBelow(0.0))
