"""Taps of public architectures with random weights equal what plain hooks, or a replay of the traced graph, give."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch import fx, nn

from layerwise._torchvision import feature_extraction, torchvision
from layerwise.data.images import ImageData
from layerwise.models.layout import fast_layout
from layerwise.recording import record
from layerwise.seeds import stream
from layerwise.taps import find_taps

QUICK = ("resnet18", "mobilenet_v2", "shufflenet_v2_x0_5", "squeezenet1_1")
SLOW = (
    "alexnet", "convnext_tiny", "convnext_small", "densenet121", "densenet169", "googlenet",
    "efficientnet_b0", "efficientnet_b1", "efficientnet_b2",
    "efficientnet_v2_s", "inception_v3", "mnasnet0_5", "mnasnet1_0", "mobilenet_v3_large",
    "mobilenet_v3_small",
    "regnet_x_400mf", "regnet_x_800mf", "regnet_y_400mf", "regnet_y_800mf", "resnet34", "resnet50", "resnet101",
    "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_0", "swin_t", "swin_v2_t", "vgg11", "vgg11_bn", "vgg13",
    "vit_b_32", "wide_resnet50_2",
)  # fmt: skip
SIZES = {"inception_v3": 96, "alexnet": 80}
OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"init_weights": False},
    "inception_v3": {"init_weights": False},
    "vit_b_32": {"image_size": 64},
}

ARCHITECTURES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]


def network(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return torchvision.models.get_model(name, weights=None, num_classes=5, **OPTIONS.get(name, {})).eval()


def three_images(name: str) -> ImageData:
    size = SIZES.get(name, 64)
    pixels = stream(0, name).integers(0, 256, (3, 3, size, size), dtype=np.uint8)
    return ImageData.create(pixels, [0, 1, 2])


def as_given(model: nn.Module, data: ImageData) -> torch.Tensor:
    """The images in the layout in which a recording gives them, since sums are rounded differently in another."""
    pixels = torch.from_numpy(data.batch(slice(0, 3)))
    return pixels.contiguous(memory_format=fast_layout(model, pixels))


def outputs_of_children(model: nn.Module, images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Copies of what the children gave, by plain hooks; a child called again is NAME_1, NAME_2 …"""
    seen: dict[str, torch.Tensor] = {}
    calls: Counter[str] = Counter()

    def hook(name: str) -> Any:
        def copy(module: nn.Module, arguments: Any, output: torch.Tensor) -> None:
            seen[f"{name}_{calls[name]}" if calls[name] else name] = output.clone()
            calls[name] += 1

        return copy

    handles = [child.register_forward_hook(hook(name)) for name, child in model.named_children()]
    with torch.no_grad():
        model(images)
    for handle in handles:
        handle.remove()
    return seen


def values_of_nodes(model: nn.Module, images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Copies of the values of all operations, under torchvision's names, by a replay of torchvision's trace."""
    tracer = feature_extraction.NodePathTracer()
    graph = tracer.trace(model)
    seen: dict[str, torch.Tensor] = {}

    class Replay(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            value = super().run_node(n)
            if isinstance(value, torch.Tensor) and n in tracer.node_to_qualname:
                seen[tracer.node_to_qualname[n]] = value.clone()
            return value

    with torch.no_grad():
        Replay(model, graph=graph).run(images)
    return seen


def test_more_than_thirty_architectures_are_compared() -> None:
    assert len({*QUICK, *SLOW}) >= 30


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_children_equal_plain_hooks(name: str) -> None:
    model, data = network(name), three_images(name)
    expected = outputs_of_children(model, as_given(model, data))
    taps = find_taps(model, data, "children")
    recorded = record(model, data, taps, batch_size=3)
    names = taps.names[1:-1]
    assert set(names) <= set(expected)
    assert len(names) >= min(2, len(expected) - 1)
    for tap in names:
        assert np.array_equal(recorded[tap], expected[tap].numpy()), tap


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_blocks_equal_a_replay_of_the_graph(name: str) -> None:
    model, data = network(name), three_images(name)
    expected = values_of_nodes(model, as_given(model, data))
    taps = find_taps(model, data, "blocks")
    recorded = record(model, data, taps, batch_size=3)
    assert len(taps) >= 8
    for tap in taps.names[1:-1]:
        assert np.array_equal(recorded[tap], expected[tap].numpy()), tap


@pytest.mark.parametrize("name", QUICK)
def test_recording_at_children_and_blocks_gives_the_networks_own_logits(name: str) -> None:
    model, data = network(name), three_images(name)
    with torch.no_grad():
        expected = model(as_given(model, data)).numpy()
    for place in ("children", "blocks"):
        recorded = record(model, data, find_taps(model, data, place), batch_size=3, reduce="mean_pool")
        assert np.array_equal(recorded.logits, expected)
