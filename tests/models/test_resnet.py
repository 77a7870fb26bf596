import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from layerwise._torchvision import feature_extraction
from layerwise.models.catalog import load_model
from layerwise.models.loading import load_weights
from layerwise.models.preprocessing import Preprocessing
from layerwise.models.resnet import BasicBlock, CifarResNet, PaddedShortcut


@pytest.mark.parametrize(("depth", "parameters"), [(20, 269_722), (56, 853_018), (110, 1_727_962)])
def test_the_networks_have_the_published_number_of_parameters(depth, parameters):
    assert sum(p.numel() for p in CifarResNet(depth, num_classes=10).parameters()) == parameters


def test_the_shortcut_takes_every_second_pixel_and_pads_the_channels_with_zeros_on_both_sides():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    widened = PaddedShortcut(new_channels=3)(image)
    assert widened.shape == (1, 4, 2, 2)
    assert widened[0, 1].tolist() == [[0.0, 2.0], [8.0, 10.0]]
    assert widened[0, [0, 2, 3]].abs().sum() == 0


def test_a_block_whose_convolutions_are_silent_gives_its_shortcut():
    block = BasicBlock(2, 2).eval()
    nn.init.zeros_(block.bn2.weight)
    image = torch.tensor([[[[1.0, -1.0]], [[2.0, -2.0]]]])
    assert block(image).tolist() == [[[[1.0, 0.0]], [[2.0, 0.0]]]]


def test_the_parameters_bear_the_names_of_public_weights():
    names = list(CifarResNet(20, num_classes=10).state_dict())
    assert names[:2] == ["conv1.weight", "bn1.weight"]
    assert names[-2:] == ["linear.weight", "linear.bias"]
    assert "layer2.0.conv1.weight" in names
    assert not [name for name in names if "shortcut" in name]


def test_tracing_names_every_residual_sum():
    network = CifarResNet(20, num_classes=10).eval()
    nodes = feature_extraction.get_graph_node_names(network)[1]
    sums = [node for node in nodes if node.endswith(".add")]
    assert sums == [f"layer{stage}.{block}.add" for stage in (1, 2, 3) for block in (0, 1, 2)]


@pytest.mark.parametrize("depth", [0, 2, 18, 21])
def test_a_depth_that_is_not_6_n_plus_2_is_refused(depth):
    with pytest.raises(ValueError, match=rf"^the depth of a CIFAR ResNet is 6 n \+ 2 \(8, 14, 20, …\); got {depth}\.$"):
        CifarResNet(depth, num_classes=10)


def test_resnet18_cifar_keeps_the_resolution_up_to_its_first_stage():
    network = load_model("resnet18-cifar", num_classes=6, in_channels=1).eval()
    assert [name for name, _ in network.named_children()] == [
        *("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc")
    ]
    extract = feature_extraction.create_feature_extractor(network, ["maxpool", "layer1", "layer4", "fc"])
    shapes = {name: tuple(value.shape) for name, value in extract(torch.zeros(2, 1, 32, 32)).items()}
    assert shapes == {"maxpool": (2, 64, 32, 32), "layer1": (2, 64, 32, 32), "layer4": (2, 512, 4, 4), "fc": (2, 6)}


@pytest.mark.slow
def test_public_weights_reach_their_known_accuracy_on_cifar_10():
    if "LAYERWISE_DATA" not in os.environ:
        pytest.skip("LAYERWISE_DATA names no folder with data/ and models/")
    from layerwise.data.catalog import load_data

    root = Path(os.environ["LAYERWISE_DATA"])
    data = load_data(f"parquet:{root / 'data/cifar10/test.parquet'}")
    network = load_model("resnet20", num_classes=10).eval()
    assert load_weights(network, root / "models/cifar10_resnet20.th").prefix == "module."
    preprocessing = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    right = 0
    with torch.inference_mode():
        for start in range(0, 4000, 500):
            images = torch.from_numpy(data.batch(np.arange(start, start + 500)))
            predictions = network(preprocessing(images)).argmax(1).numpy()
            right += int((predictions == data.labels[start : start + 500]).sum())
    assert right / 4000 == pytest.approx(0.815, abs=0.005)
