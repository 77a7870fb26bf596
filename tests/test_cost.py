import pytest
import torch
from torch import nn
from torch.nn import functional

from layerwise.cost import MacCounter, count_macs
from layerwise.errors import ModelError
from layerwise.models.catalog import load_model


def transformer_layer_macs(n, d, h):
    """n tokens of d numbers, a hidden layer of h: projections, attention, perceptron."""
    return 4 * n * d * d + 2 * n * n * d + 2 * n * d * h


class Attention(nn.Module):
    """(N, 1, T, D) → self-attention over T tokens; `need_weights` chooses the slow or the fused way."""

    def __init__(self, width, *, need_weights):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, num_heads=2, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x):
        tokens = x[:, 0]
        return self.attention(tokens, tokens, tokens, need_weights=self.need_weights)[0]


class Functional(nn.Module):
    """One function of the image and a parameter."""

    def __init__(self, function, *shape):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))
        self.function = function

    def forward(self, x):
        return self.function(x, self.weight)


@pytest.mark.parametrize(
    ("name", "classes", "size", "macs"),
    [
        ("resnet18", 1000, 224, 1_814_073_344),
        ("resnet18-cifar", 10, 32, 555_422_720),
        ("resnet18-cifar", 6, 32, 555_420_672),
        ("resnet20", 10, 32, 40_551_040),
    ],
)
def test_published_networks_cost_what_is_known(name, classes, size, macs):
    assert count_macs(load_model(name, num_classes=classes), (3, size, size)).total == macs


def test_the_reference_counted_a_mac_for_each_number_that_batch_norm_and_pooling_give():
    model = load_model("resnet18-cifar", num_classes=6).eval()
    macs = count_macs(model, (3, 32, 32)).total
    numbers = []
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d | nn.AdaptiveAvgPool2d):
            module.register_forward_hook(lambda module, images, given: numbers.append(given[0].numel()))
    with torch.no_grad():
        model(torch.zeros(1, 3, 32, 32))
    # torchprofile's count of the notebook's plain network, 6,000 test images
    assert 6000 * (macs + sum(numbers)) == 3_336_213_504_000


def test_a_convolution_and_a_linear_layer_by_hand():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4 * 4, 5))
    cost = count_macs(model, (3, 4, 4))
    assert cost.by_module == {"0": 4 * 4 * 8 * 3 * 9, "1": 0, "2": 0, "3": 128 * 5}
    assert cost.total == 4 * 4 * 8 * 3 * 9 + 128 * 5
    assert cost.parameters_by_module == {"0": 8 * 27 + 8, "1": 0, "2": 0, "3": 128 * 5 + 5}
    assert cost.parameters == 224 + 645


def test_grouped_strided_and_transposed_convolutions_by_hand():
    grouped = nn.Conv2d(4, 8, 3, groups=2, stride=2, padding=1)
    assert count_macs(grouped, (4, 6, 6)).total == 3 * 3 * 8 * 2 * 9
    transposed = nn.ConvTranspose2d(4, 6, 2, stride=2)
    assert count_macs(transposed, (4, 5, 5)).total == 5 * 5 * 4 * 6 * 4


@pytest.mark.parametrize("need_weights", [True, False])
def test_attention_on_the_fast_path_is_not_counted_as_zero(need_weights):
    tokens, width = 5, 8
    model = Attention(width, need_weights=need_weights).eval()
    expected = 4 * tokens * width**2 + 2 * tokens**2 * width
    assert count_macs(model, (1, tokens, width)).total == expected


def test_a_transformer_layer_on_the_fast_path_is_counted_whole():
    layer = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True)
    model = nn.Sequential(nn.Flatten(1, 2), layer)
    assert count_macs(model, (1, 5, 8)).total == transformer_layer_macs(5, 8, 16)


def test_scaled_dot_product_attention_is_not_missed():
    model = Functional(lambda x, w: functional.scaled_dot_product_attention(x, x, x) * w, 1)
    assert count_macs(model, (2, 5, 4)).total == 2 * (2 * 5 * 5 * 4)


@pytest.mark.slow
def test_vit_b_16_by_hand():
    n, d, h = 197, 768, 3072
    by_hand = 196 * d * (16 * 16 * 3) + 12 * transformer_layer_macs(n, d, h) + d * 1000
    assert by_hand == 17_563_828_224
    assert count_macs(load_model("vit_b_16", num_classes=1000), (3, 224, 224)).total == by_hand


def test_functional_convolutions_are_not_missed():
    model = Functional(lambda x, w: functional.conv2d(x, w, padding=1), 8, 3, 3, 3)
    assert count_macs(model, (3, 4, 4)).total == 4 * 4 * 8 * 27


@pytest.mark.parametrize(
    ("function", "shape", "macs"),
    [
        (lambda x, w: x.flatten(1) @ w, (12, 5), 12 * 5),
        (lambda x, w: x.flatten(1) @ w, (12,), 12),
        (lambda x, w: torch.einsum("nchw,ck->nkhw", x, w), (3, 7), 4 * 3 * 7),
        (lambda x, w: torch.dot(x.flatten(), w), (12,), 12),
        (lambda x, w: torch.addmv(w[:1], x.flatten(1), w), (12,), 12),
        (lambda x, w: torch.bmm(x.flatten(1)[None], w[None]), (12, 2), 24),
    ],
)
def test_functional_products_are_not_missed(function, shape, macs):
    assert count_macs(Functional(function, *shape), (3, 2, 2)).total == macs


def test_the_batch_size_does_not_matter():
    model = load_model("resnet20", num_classes=10).eval()
    totals = set()
    for batch_size in (1, 3):
        with torch.no_grad(), MacCounter(model, batch_size=batch_size) as counter:
            model(torch.zeros(batch_size, 3, 32, 32))
        totals.add((counter.total, *counter.by_module.items()))
    assert totals == {(40_551_040, *count_macs(model, (3, 32, 32)).by_module.items())}


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_the_gradient_mode_does_not_matter(mode):
    model = load_model("report-cnn", num_classes=10).eval()
    with mode(), MacCounter(model) as counter:
        model(torch.zeros(1, 3, 32, 32))
    convolutions = 28 * 28 * 64 * 75 + 10 * 10 * 32 * 1600
    assert counter.total == convolutions + 800 * 64 + 64 * 32 + 32 * 10
    assert counter.parameters == sum(parameter.numel() for parameter in model.parameters())


def test_a_module_used_twice_costs_twice_and_its_parameters_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return self.layer(self.layer(x.flatten(1)))

    cost = count_macs(Twice(), (1, 2, 2))
    assert cost.by_module == {"layer": 32}
    assert (cost.total, cost.parameters) == (32, 20)


def test_the_running_totals_can_be_read_in_hooks():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    seen = []
    with torch.no_grad(), MacCounter(model) as counter:
        handles = [
            module.register_forward_hook(lambda *_: seen.append((counter.total, counter.parameters)))
            for module in model
        ]
        model(torch.zeros(1, 1, 2, 2))
    for handle in handles:
        handle.remove()
    assert seen == [(0, 0), (12, 15), (12, 15), (18, 23)]


def test_the_totals_stay_readable_after_the_count():
    model = nn.Linear(4, 3)
    with MacCounter(model) as counter:
        model(torch.zeros(1, 4))
    model(torch.zeros(1, 4))
    assert counter.total == 12


def test_modes_hooks_gradients_and_the_fast_path_are_put_back():
    model = load_model("resnet20", num_classes=10)
    model.bn1.eval()
    modes = [module.training for module in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    count_macs(model, (3, 32, 32))
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled()


def test_an_image_that_does_not_fit_is_told_and_everything_is_put_back():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    with pytest.raises(ModelError) as caught:
        count_macs(model, (3, 2, 2))
    assert str(caught.value) == (
        "Sequential cannot take an image of shape (3, 2, 2) (channels, height, width): "
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x12 and 4x3)"
    )
    assert model.training
    assert not model[1]._forward_hooks
    assert torch.backends.mha.get_fastpath_enabled()


def test_networks_in_half_or_double_precision_are_counted():
    assert count_macs(nn.Conv2d(1, 2, 3).double(), (1, 3, 3)).total == 18
    assert count_macs(nn.Conv2d(1, 2, 3).bfloat16(), (1, 3, 3)).total == 18
