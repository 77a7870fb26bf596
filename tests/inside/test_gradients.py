"""Gradients by layer are autograd's, and a deep stack of sigmoids shows how they vanish."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from inside.test_units import drawn, images, small
from layerwise.data.images import ImageData
from layerwise.errors import InputError, ModelError, NonFiniteError, NotEnoughExamplesError
from layerwise.inside import gradients
from layerwise.inside.gradients import gradient_norms
from layerwise.inside.units import measure_units


@pytest.mark.parametrize("batch", [32, 5])
def test_norms_are_those_of_backward(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "BATCH", batch)
    model, data = small(), images()
    table = gradient_norms(model, data).set_index("layer")
    pixels, labels = torch.from_numpy(data.batch(slice(0, 23))), torch.from_numpy(data.labels)
    nn.functional.cross_entropy(model(pixels), labels).backward()
    for layer in ("0", "3", "5"):
        module = model.get_submodule(layer)
        squares = sum(float(value.grad.double().square().sum()) for value in module.parameters())
        assert table.loc[layer, "gradient"] == pytest.approx(squares**0.5, rel=1e-4)
        count = sum(value.numel() for value in module.parameters())
        assert table.loc[layer, "rms"] == pytest.approx((squares / count) ** 0.5, rel=1e-4)
    assert table.index.tolist() == ["0", "3", "5"]


def test_through_twenty_sigmoids_the_gradient_vanishes_and_through_relus_it_does_not() -> None:
    def stack(activation: type[nn.Module]) -> np.ndarray:
        layers = [layer for _ in range(20) for layer in (nn.Linear(64, 64), activation())]
        model = drawn(0, nn.Flatten(), *layers, nn.Linear(64, 3))
        for module in model.modules():
            if isinstance(module, nn.Linear) and activation is nn.ReLU:
                nn.init.kaiming_normal_(module.weight, generator=torch.Generator().manual_seed(0))
        return gradient_norms(model, images())["rms"].to_numpy()

    sigmoid, relu = stack(nn.Sigmoid), stack(nn.ReLU)
    assert len(sigmoid) == 21
    assert sigmoid[0] < 1e-8 * sigmoid[-1]
    assert (np.diff(np.log(sigmoid[:-1])) > 0).all()  # layer by layer
    assert relu[0] > 1e-3 * relu[-1]


def test_the_network_keeps_its_own_gradients_and_what_is_frozen() -> None:
    model = small().train()
    model[0].weight.grad = torch.ones_like(model[0].weight)
    model[3].requires_grad_(False)
    table = gradient_norms(model, images()).set_index("layer")
    assert table.loc["3", "gradient"] > 0
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert not model[3].weight.requires_grad
    assert model.training
    assert model[5].weight.grad is None


def test_without_parameters_there_is_no_gradient() -> None:
    with pytest.raises(ModelError, match="Sequential has no parameters"):
        gradient_norms(nn.Sequential(nn.Flatten()), images())


def test_nan_in_the_last_layer_is_refused_with_its_name() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        model[3].weight[0, 0] = torch.nan  # type: ignore[union-attr, index]
    data = ImageData.create(np.ones((4, 1, 4, 4), np.float32), [0, 1, 0, 1])
    with pytest.raises(NonFiniteError, match='is NaN or infinite at 2 layers, the first is "1"'):
        gradient_norms(model, data)
    with pytest.raises(NonFiniteError, match="the logits hold NaN or infinity for some of the first 4"):
        measure_units(model, data)
    with pytest.raises(NotEnoughExamplesError, match="at least one image; got -1"):
        gradient_norms(model, data, examples=-1)
    with pytest.raises(InputError, match="batch_size and top must be at least 1; got 0 and 9"):
        measure_units(model, data, batch_size=0)
