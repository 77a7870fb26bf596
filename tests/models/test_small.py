import pytest
import torch
from torch import nn
from torch.nn import functional

from layerwise.errors import OptionError, UnknownNameError
from layerwise.models.catalog import load_model
from layerwise.models.small import ReportCNN, SmallCNN


def test_the_report_cnn_has_the_layers_of_the_report():
    network = ReportCNN(num_classes=10)
    assert sum(p.numel() for p in network.parameters()) == (
        (64 * 75 + 64) + 2 * 64 + (32 * 1600 + 32) + 2 * 32 + (800 * 64 + 64) + (64 * 32 + 32) + (32 * 10 + 10)
    )
    assert [name for name, _ in network.named_children()] == [
        *("conv1", "bn1", "relu1", "pool1", "conv2", "bn2", "relu2", "pool2", "flatten"),
        *("fc1", "relu3", "dropout1", "fc2", "relu4", "dropout2", "fc3"),
    ]
    assert (network.dropout1.p, network.dropout2.p) == (0.2, 0.2)


def test_the_report_cnn_takes_grey_images_of_a_batch_of_one():
    network = ReportCNN(num_classes=6, in_channels=1).eval()
    assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 6)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("simple-cnn", 150 + 444 + 12),
        ("simple-cnn?kernel=3&pool=average", 30 + 84 + 12),
        ("wider-cnn", 300 + 1770 + 21),
        ("deeper-cnn", 150 + 3 * 444 + 12),
        ("three-layer-cnn", 64 * 50 + 128 * (64 * 49 + 1) + 3 * 129),
        ("simple-cnn?batch_norm=1&dropout=0.5", 150 + 444 + 12 + 2 * 6),
        ("two-layer-mlp", 7850 + 33),
        ("three-layer-mlp", 39793),
        ("three-layer-mlp?hidden=5&side=8", 64 * 5 + 5 + 18),
        ("three-layer-mlp?batch_norm=1&dropout=0", 39793 + 2 * 60),
    ],
)
def test_the_networks_of_the_study_have_their_sizes(name: str, parameters: int) -> None:
    network = load_model(name, num_classes=3, in_channels=1)
    assert sum(p.numel() for p in network.parameters()) == parameters
    side = 8 if "side" in name else 28
    assert network(torch.zeros(2, 1, side, side)).shape == (2, 3)


@pytest.mark.parametrize(("pool", "apply"), [("max", functional.max_pool2d), ("average", functional.avg_pool2d)])
def test_the_small_cnn_computes_what_its_words_say(pool: str, apply: object) -> None:
    network = SmallCNN(num_classes=3, kernel=5, pool=pool)
    images = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert isinstance(network.conv1, nn.Conv2d)
    assert isinstance(network.conv2, nn.Conv2d)
    assert isinstance(network.linear, nn.Linear)
    x = functional.conv2d(functional.pad(images, [2] * 4, mode="reflect"), network.conv1.weight, network.conv1.bias)
    x = apply(x.relu(), 2)  # type: ignore[operator]
    x = functional.conv2d(functional.pad(x, [2] * 4, mode="reflect"), network.conv2.weight, network.conv2.bias).relu()
    expected = x.mean(dim=(2, 3)) @ network.linear.weight.T + network.linear.bias
    torch.testing.assert_close(network(images), expected)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        (
            "simple-cnn?filters=2&batch_norm=1&dropout=0.2",
            ["conv1", "norm1", "relu1", "pool", "mean", "flatten", "dropout", "linear"],
        ),
        (
            "two-layer-mlp?batch_norm=1&dropout=0.2",
            ["flatten", "linear1", "norm1", "relu1", "dropout1", "linear2"],
        ),
    ],
)
def test_batch_norm_and_dropout_stand_where_their_words_say(name: str, layers: list[str]) -> None:
    network = load_model(name, num_classes=3)
    assert [place for place, _ in network.named_children()] == layers
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.2]


@pytest.mark.parametrize("name", ["simple-cnn", "three-layer-mlp"])
def test_batch_norm_and_dropout_change_no_other_weight(name: str) -> None:
    plain = load_model(name, num_classes=3, seed=4)
    other = load_model(f"{name}?batch_norm=1&dropout=0.5", num_classes=3, seed=4).state_dict()
    assert all(torch.equal(other[place], weight) for place, weight in plain.state_dict().items())


def test_what_is_constant_stays_constant_to_the_border() -> None:
    """The padding reflects; zeros would dim the border."""
    network = SmallCNN(num_classes=2, filters=(1, 1), kernel=3, pool="average")
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.full_like(parameter, 1 / 9) if name.startswith("conv") else torch.ones(()))
            if name.endswith("bias"):
                parameter.zero_()
    assert torch.allclose(network(torch.ones(1, 1, 8, 8)), torch.ones(1, 2))


def test_options_of_networks_are_checked() -> None:
    with pytest.raises(OptionError, match=r"option pool=mean: expected max or average"):
        load_model("simple-cnn?pool=mean", num_classes=3)
    with pytest.raises(OptionError, match=r"option dropout=1: expected a number from 0, less than 1"):
        load_model("three-layer-mlp?dropout=1", num_classes=3)
    with pytest.raises(UnknownNameError, match=r'"simple-cnn" has no option "kernal". Did you mean "kernel"'):
        load_model("simple-cnn?kernal=3", num_classes=3)
    with pytest.raises(UnknownNameError, match="Its options are none"):
        load_model("resnet20?kernel=3", num_classes=3)
