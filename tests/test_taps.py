"""Where networks are read: names, order and shapes of taps, on toys; and that the network is left as it was."""

from __future__ import annotations

import gc
import math
import random
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from layerwise._torchvision import feature_extraction, torchvision
from layerwise.data.images import ImageData
from layerwise.errors import ModelError, NotEnoughExamplesError, ShapeError, UnknownNameError
from layerwise.taps import Tap, find_taps
from layerwise.taps.readers import GraphReader, HookReader

IMAGES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Residual(nn.Module):
    """A stem, a ResNet's block (the sum goes to an activation), and a pre-activation block (the sum goes on)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.relu(self.conv(x) + x)
        x = x + functional.relu(self.norm(x))
        return self.fc(x.mean((2, 3)))


class Untraceable(nn.Module):
    """Blocks in a Sequential, and a way through them that depends on numbers in the images."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if float(x.sum()) > math.inf:
            x = x * 0
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv(x) + x)


class Head(nn.Module):
    """A head on a body whose output is not a plain tensor."""

    def __init__(self, body: nn.Module, pick: Any) -> None:
        super().__init__()
        self.body = body
        self.fc = nn.Linear(3, 2)
        self.pick = pick

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pick(self.body(x)))


class Pooled(nn.Module):
    """Gives the mean of each channel, wrapped by `wrap`."""

    def __init__(self, wrap: Any) -> None:
        super().__init__()
        self.wrap = wrap

    def forward(self, x: Tensor) -> Any:
        return self.wrap(x.mean((2, 3)))


def sequential(*layers: nn.Module, channels: int = 3) -> nn.Sequential:
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 64, 2))


# Placements


def test_every_top_level_child_of_resnet18_is_a_place_and_none_is_dropped() -> None:
    taps = find_taps(torchvision.models.resnet18(weights=None, num_classes=6), torch.rand(1, 3, 32, 32))
    assert taps.names == (
        "input", "conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "softmax",
    )  # fmt: skip
    features = [3072, 16384, 16384, 16384, 4096, 4096, 2048, 1024, 512, 512, 6]
    assert [tap.features for tap in taps] == features


def test_taps_carry_order_and_shape_and_are_found_by_name_or_place() -> None:
    taps = find_taps(sequential(nn.Conv2d(3, 3, 3, padding=1)), IMAGES)
    assert list(taps) == [
        Tap("input", 0, (3, 8, 8)), Tap("0", 1, (3, 8, 8)), Tap("1", 2, (192,)), Tap("softmax", 3, (2,)),
    ]  # fmt: skip
    assert len(taps) == 4
    assert taps["1"] is taps[2]
    assert "1" in taps
    assert "fc" not in taps
    with pytest.raises(UnknownNameError) as error:
        taps["softmaxx"]
    assert str(error.value) == (
        'no tap named "softmaxx" in Sequential (4 taps). Did you mean "softmax"?\n'
        "    List them with: layerwise taps MODEL"
    )


def test_a_child_called_twice_is_two_places() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.relu = nn.ReLU()
            self.fc = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.relu(self.conv(self.relu(self.conv(x))))
            return self.fc(x.mean((2, 3)))

    assert find_taps(Twice(), IMAGES).names == ("input", "conv", "relu", "conv_1", "relu_1", "softmax")


def test_children_come_in_order_of_execution_not_of_definition() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 2)
            self.last = nn.ReLU()
            self.first = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.last(self.first(x)).mean((2, 3)))

    assert find_taps(Backwards(), IMAGES).names == ("input", "first", "last", "softmax")


def test_members_of_a_module_list_are_children_because_the_network_calls_them() -> None:
    assert find_taps(Untraceable(), IMAGES).names == ("input", "stem", "blocks.0", "blocks.1", "softmax")


def test_leaves_are_the_modules_that_call_no_other() -> None:
    net = sequential(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()), nn.MaxPool2d(1))
    assert find_taps(net, IMAGES, "leaves").names == ("input", "0.0", "0.1", "1", "2", "softmax")


def test_trailing_modules_that_pass_the_output_on_are_left_to_the_softmax() -> None:
    assert find_taps(sequential(nn.Identity()).append(nn.Identity()), IMAGES).names == ("input", "0", "1", "softmax")


def test_a_layer_whose_output_a_last_inplace_relu_rewrites_stays_a_place() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 2), nn.ReLU(inplace=True))
    with torch.no_grad():
        net[1].weight.fill_(1)
    assert find_taps(net, IMAGES).names == ("input", "0", "1", "softmax")


def test_blocks_are_the_stem_and_each_residual_sum_with_the_activation_that_alone_uses_it() -> None:
    taps = find_taps(Residual(), IMAGES, "blocks")
    assert taps.names == ("input", "stem", "relu", "add_1", "softmax")
    assert isinstance(taps.reader, GraphReader)


def test_blocks_that_are_all_modules_are_read_by_hooks() -> None:
    taps = find_taps(torchvision.models.resnet18(weights=None), torch.rand(1, 3, 32, 32), "blocks")
    assert taps.names == (
        "input", "maxpool", *(f"layer{stage}.{block}.relu_1" for stage in (1, 2, 3, 4) for block in (0, 1)), "softmax",
    )  # fmt: skip
    assert isinstance(taps.reader, HookReader)


def test_without_sums_blocks_are_concatenations() -> None:
    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 2, 1)
            self.conv = nn.Conv2d(2, 2, 1)
            self.fc = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            return self.fc(torch.cat([x, self.conv(x)], 1).mean((2, 3)))

    assert find_taps(Dense(), IMAGES, "blocks").names == ("input", "stem", "cat", "softmax")


def test_without_sums_and_concatenations_blocks_are_activations_and_poolings() -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)
            self.act = nn.ReLU()
            self.fc = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = functional.max_pool2d(self.act(self.conv(x)), 2)
            return self.fc(functional.gelu(x).mean((2, 3)))

    assert find_taps(Plain(), IMAGES, "blocks").names == ("input", "act", "max_pool2d", "gelu", "softmax")


def test_a_sum_with_a_constant_or_of_other_shape_is_no_block() -> None:
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(1, 3, 8, 8))
            self.conv = nn.Conv2d(3, 3, 1)
            self.act = nn.ReLU()
            self.fc = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x) + self.shift + 1
            x = x + x.mean((2, 3), keepdim=True)
            return self.fc(self.act(x).mean((2, 3)))

    assert find_taps(Shifted(), IMAGES, "blocks").names == ("input", "act", "softmax")


# Names


def test_named_operations_and_modules_come_in_order_of_execution_with_input_and_softmax() -> None:
    taps = find_taps(Residual(), IMAGES, ["add_1", "norm", "add", "stem", "add"])
    assert taps.names == ("input", "stem", "add", "norm", "add_1", "softmax")
    assert find_taps(Residual(), IMAGES, ["softmax", "norm", "input"]).names == ("input", "norm", "softmax")
    assert find_taps(Residual(), IMAGES, []).names == ("input", "softmax")


def test_a_functional_relu_is_told_from_the_module_of_that_name() -> None:
    taps = find_taps(Residual(), IMAGES, ["relu", "relu_1"])
    assert taps.names == ("input", "relu", "relu_1", "softmax")
    assert isinstance(taps.reader, GraphReader)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "googlenet", "mobilenet_v3_small", "squeezenet1_1"])
def test_names_are_those_of_torchvision(name: str) -> None:
    options = {"init_weights": False} if name == "googlenet" else {}
    model = torchvision.models.get_model(name, weights=None, **options).eval()
    tracer = feature_extraction.NodePathTracer()
    tracer.trace(model)
    theirs = [node for node in tracer.node_to_qualname.values() if not node.endswith("output")]
    with_rows = [node for node in theirs if not any(part in node for part in ("getattr", "size", "getitem"))]
    taps = find_taps(model, torch.rand(1, 3, 64, 64), with_rows)
    assert set(taps.names) == {"input", *with_rows, "softmax"}


def test_a_second_call_does_not_take_the_name_of_another_module() -> None:
    class Crowded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Sequential(nn.Conv2d(3, 3, 1))
            self.a_1 = nn.Sequential(nn.Conv2d(3, 3, 1))
            self.fc = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.a_1(self.a(self.a(x))).mean((2, 3)))

    names = find_taps(Crowded(), IMAGES).names
    assert len(set(names)) == 5
    assert names[1] == "a"


def test_modules_called_input_and_softmax_do_not_take_the_names_of_the_ends() -> None:
    net = nn.Sequential()
    net.add_module("input", nn.Flatten())
    net.add_module("softmax", nn.Softmax(1))
    net.add_module("fc", nn.Linear(192, 2))
    assert find_taps(net, IMAGES).names == ("input", "input_1", "softmax_1", "softmax")


def test_all_unknown_names_are_listed_at_once_with_near_ones() -> None:
    net = sequential(nn.Conv2d(3, 3, 1), nn.ReLU())
    net.add_module("logits", nn.Linear(2, 2))
    with pytest.raises(UnknownNameError) as error:
        find_taps(net, IMAGES, ["logit", "0", "zebra"])
    assert str(error.value) == (
        'no tap named "logit" in Sequential (8 taps). Did you mean "logits"?\n'
        'no tap named "zebra" in Sequential (8 taps).\n'
        "    List them with: layerwise taps MODEL"
    )


def test_an_unknown_placement_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError) as error:
        find_taps(Residual(), IMAGES, "block")
    assert str(error.value) == (
        'no placement is named "block". Did you mean "blocks"?\n'
        '    Give "children", "blocks", "leaves", or a list of names of taps.'
    )


# Outputs that are no plain tensors


@pytest.mark.parametrize(
    ("wrap", "pick"),
    [
        (lambda x: (x, x * 2), lambda y: y[1]),
        (lambda x: {"features": x, "twice": x * 2}, lambda y: y["features"]),
        (lambda x: [{"nested": x}], lambda y: y[0]["nested"]),
    ],
)
def test_of_tuples_and_mappings_the_first_tensor_is_the_tap(wrap: Any, pick: Any) -> None:
    taps = find_taps(Head(Pooled(wrap), pick), IMAGES)
    assert [(tap.name, tap.shape) for tap in taps] == [("input", (3, 8, 8)), ("body", (3,)), ("softmax", (2,))]


def test_a_place_without_an_axis_of_examples_is_skipped_with_its_reason_and_refused_by_name() -> None:
    net = Head(Pooled(lambda x: x.T), lambda y: y.T)
    taps = find_taps(net, IMAGES)
    assert taps.names == ("input", "softmax")
    reason = "its output of shape 3×5 for 5 images has no axis of examples first"
    assert taps.skipped == {"body": reason}
    with pytest.raises(ModelError) as error:
        find_taps(net, IMAGES, ["body"])
    assert str(error.value) == f'"body" cannot be a tap: {reason}.'


def test_a_place_that_gives_no_tensor_is_skipped_with_its_reason() -> None:
    taps = find_taps(Head(Pooled(lambda x: (x.tolist(),)), lambda y: torch.tensor(y[0])), IMAGES)
    assert taps.skipped == {"body": "its output holds no tensor (it is a tuple)"}


# Networks that cannot be traced


def test_a_network_that_cannot_be_traced_is_read_through_its_modules() -> None:
    taps = find_taps(Untraceable(), IMAGES, "blocks")
    assert taps.names == ("input", "stem", "blocks.0", "blocks.1", "softmax")
    assert isinstance(taps.reader, HookReader)


def test_an_untraceable_network_without_repeated_modules_gives_activations_and_poolings() -> None:
    class Plain(Untraceable):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([nn.Conv2d(4, 4, 1), nn.ReLU(), nn.MaxPool2d(2)])

    assert find_taps(Plain(), IMAGES, "blocks").names == ("input", "blocks.1", "blocks.2", "softmax")


def test_asking_an_untraceable_network_for_an_operation_says_why_it_has_none() -> None:
    with pytest.raises(UnknownNameError) as error:
        find_taps(Untraceable(), IMAGES, ["blocks.0.add"])
    assert str(error.value) == (
        'no tap named "blocks.0.add" in Untraceable (8 taps).'
        ' Did you mean "blocks.0" or "blocks.0.conv" or "blocks.1"?\n'
        "    List them with: layerwise taps MODEL\n"
        "    Only modules have names here: Untraceable cannot be traced "
        "(TypeError: float() argument must be a string or a real number, not 'Proxy')."
    )


def test_a_graph_that_does_not_do_what_the_network_does_is_not_trusted() -> None:
    class Pretender(Residual):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x * 2 if isinstance(x, fx.Proxy) else x)

    with pytest.raises(UnknownNameError, match="its graph gives other numbers than the network"):
        find_taps(Pretender(), IMAGES, ["add"])


# What cannot be used


def test_grey_images_for_a_colour_network_are_refused_with_both_shapes() -> None:
    with pytest.raises(ModelError) as error:
        find_taps(Residual(), IMAGES[:, :1])
    assert str(error.value) == (
        'Residual cannot take images of shape 1×8×8. It fails in "stem" (Conv2d).\n'
        "    RuntimeError: Given groups=1, weight of size [4, 3, 3, 3], expected input[5, 1, 8, 8] to have 3 channels, "
        "but got 1 channels instead\n"
        "    Give images (C, H, W) of the kind that it was made for. Its first convolution takes 3 channels."
    )


def test_images_of_a_size_that_does_not_fit_are_refused_where_they_fail() -> None:
    with pytest.raises(ModelError, match=r'cannot take images of shape 3×4×4. It fails in "2" \(Linear\)'):
        find_taps(sequential(nn.ReLU()), IMAGES[:, :, :4, :4])


@pytest.mark.parametrize(
    ("net", "given"),
    [
        (nn.Conv2d(3, 3, 1), "of shape 5×3×8×8"),
        (nn.Sequential(nn.Flatten(), nn.Linear(192, 1)), "of shape 5×1"),
        (Pooled(lambda x: {"logits": x}), "a dict"),
    ],
)
def test_an_output_that_is_not_logits_is_refused(net: nn.Module, given: str) -> None:
    with pytest.raises(ModelError) as error:
        find_taps(net, IMAGES)
    assert str(error.value) == (
        f"{type(net).__name__} gives {given} for 5 images; expected logits of shape (N, K): one row for each image, "
        "one column for each of at least two classes.\n"
        "    Wrap the network in a module whose forward returns just the logits."
    )


def test_a_network_that_gives_probabilities_is_refused() -> None:
    with pytest.raises(ModelError, match="gives probabilities; expected logits"):
        find_taps(sequential(nn.ReLU()).append(nn.Softmax(1)), IMAGES)


def test_images_that_are_no_batch_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"images must have the shape \(N, C, H, W\); got \(3, 8, 8\)"):
        find_taps(Residual(), IMAGES[0])
    with pytest.raises(NotEnoughExamplesError, match="needs at least one image"):
        find_taps(Residual(), IMAGES[:0])


def test_images_may_be_a_data_set_bytes_or_an_array() -> None:
    pixels = np.zeros((7, 3, 8, 8), np.uint8)
    for images in (ImageData.create(pixels, [0, 1] * 3 + [0]), pixels, torch.from_numpy(pixels), IMAGES.numpy()):
        assert find_taps(Residual(), images).names == ("input", "stem", "conv", "relu", "norm", "softmax")


def test_preprocessing_is_applied_before_the_network() -> None:
    grey = IMAGES[:, :1]
    taps = find_taps(Residual(), grey, preprocessing=lambda images: images.expand(-1, 3, -1, -1))
    assert taps["input"].shape == (1, 8, 8)
    assert taps["stem"].shape == (4, 8, 8)


# The network is left as it was


def assert_untouched(model: nn.Module, work: Any) -> None:
    """`work` changes no mode, hook, gradient, attribute, weight or random state; nor if the network fails."""
    model.train()
    modes = [index % 2 == 0 for index, _ in enumerate(model.modules())]
    for module, mode in zip(model.modules(), modes, strict=True):
        module.training = mode
    attributes = [set(vars(module)) for module in model.modules()]
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    states = torch.get_rng_state(), random.getstate()
    work()
    assert [module.training for module in model.modules()] == modes
    assert [set(vars(module)) for module in model.modules()] == attributes
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())
    assert all(parameter.grad is not None and bool((parameter.grad == 1).all()) for parameter in model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert torch.is_grad_enabled()


class Restless(Residual):
    """Draws random numbers, keeps what it computes, and makes a constant while it is traced."""

    def forward(self, x: Tensor) -> Tensor:
        torch.rand(1)
        self.last = x
        return super().forward(x + torch.zeros(3, 1, 1))


@pytest.mark.parametrize("place", ["children", "blocks", ["add"]])
def test_mode_hooks_gradients_weights_and_random_state_are_left_as_they_were(place: Any) -> None:
    model = Restless()
    model(IMAGES)
    assert_untouched(model, lambda: find_taps(model, IMAGES, place))
    assert type(model.last) is Tensor


def test_they_are_left_as_they_were_after_an_error_too() -> None:
    def fail() -> None:
        with pytest.raises(ModelError):
            find_taps(model, IMAGES[:, :1])

    model = Residual()
    assert_untouched(model, fail)


def test_a_network_can_be_trained_on_what_it_kept_of_the_pass() -> None:
    model = Restless()
    find_taps(model, IMAGES)
    kept: Tensor = model.last
    assert not kept.is_inference()


def test_the_users_own_hooks_stay_and_are_not_needed() -> None:
    seen: list[str] = []
    model = Residual()
    model.norm.register_forward_hook(lambda *_: seen.append("norm"))
    find_taps(model, IMAGES)
    assert seen
    assert len(model.norm._forward_hooks) == 1


@pytest.mark.parametrize("place", ["children", "blocks"])
def test_taps_do_not_keep_the_network_alive(place: str) -> None:
    model = Residual()
    taps = find_taps(model, IMAGES, place)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None
    assert len(taps) > 2
