"""Training: exact losses, order and seeds, and everything of the caller's put back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from layerwise.data.images import ImageData
from layerwise.errors import InputError, MissingExtraError, ModelError, NonFiniteError
from layerwise.training import loop
from layerwise.training.fit import train

MakeNet = Callable[..., nn.Module]
WeightBytes = Callable[[nn.Module], bytes]


def mean_loss_in_float64(model: nn.Module, data: ImageData) -> tuple[float, float]:
    """Mean cross-entropy and accuracy over all images at once: what batches must add up to."""
    model.eval()
    with torch.no_grad():
        logits = model(torch.from_numpy(data.batch(slice(None)))).double()
    labels = torch.from_numpy(data.labels)
    loss = functional.cross_entropy(logits, labels)
    return float(loss), float((logits.argmax(dim=1) == labels).double().mean())


@pytest.mark.parametrize("batch_size", [1, 7, 49, 64])
def test_r5_held_out_loss_is_the_mean_over_images_also_with_an_uneven_last_batch(
    digits: ImageData, make_net: MakeNet, batch_size: int
) -> None:
    model = make_net()
    if batch_size == 1:
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    history = train(model, digits, epochs=1, batch_size=batch_size)
    record = history.of_split("validation")[0]
    assert (record.loss, record.accuracy) == pytest.approx(mean_loss_in_float64(model, digits.validation), abs=1e-6)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
def test_r5_training_loss_is_computed_as_the_held_out_one(digits: ImageData, label_smoothing: float) -> None:
    """With a learning rate too small to change a weight, both are losses of one network and must be exact."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    history = train(
        model, digits, epochs=1, batch_size=64, optimizer="sgd", learning_rate=1e-30, label_smoothing=label_smoothing
    )
    for record, data in zip(history.records, [digits.train, digits.validation], strict=True):
        assert (record.loss, record.accuracy) == pytest.approx(mean_loss_in_float64(model, data), abs=1e-6)


def test_label_smoothing_changes_what_is_learned(
    digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes
) -> None:
    plain, smoothed = make_net(), make_net()
    train(plain, digits, epochs=1)
    train(smoothed, digits, epochs=1, label_smoothing=0.3)
    assert weight_bytes(plain) != weight_bytes(smoothed)


def test_one_sgd_step_is_the_textbook_one(digits: ImageData) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    weight = model[1].weight.detach().clone().double().requires_grad_()
    bias = model[1].bias.detach().clone().double()
    pixels = torch.from_numpy(digits.train.batch(slice(None))).flatten(1).double()
    functional.cross_entropy(pixels @ weight.T + bias, torch.from_numpy(digits.train.labels)).backward()
    assert weight.grad is not None
    expected = weight.detach() - 0.5 * (weight.grad + 0.1 * weight.detach())
    train(model, digits, epochs=1, batch_size=1000, optimizer="sgd", learning_rate=0.5, weight_decay=0.1)
    assert model[1].weight.detach().double().numpy() == pytest.approx(expected.numpy(), abs=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_optimiser_learns(digits: ImageData, make_net: MakeNet, optimizer: Any) -> None:
    history = train(make_net(), digits, epochs=6, batch_size=32, optimizer=optimizer, learning_rate=0.01)
    losses = [record.loss for record in history.of_split("train")]
    assert losses[-1] < 0.5 * losses[0]


def test_history_has_a_row_per_epoch_and_split(digits: ImageData, make_net: MakeNet) -> None:
    history = train(make_net(), digits, epochs=2, schedule="cosine")
    table = history.table()
    assert table["epoch"].tolist() == [1, 1, 2, 2]
    assert table["split"].tolist() == ["train", "validation"] * 2
    # Two batches an epoch (203 images by 128): the last step of four is the third of cosine's quarters.
    assert table["lr"].iloc[-1] == pytest.approx(1e-3 * (1 + np.cos(np.pi * 3 / 4)) / 2)
    assert (table["time_s"] > 0).all()
    assert history.kept_epoch == 2


class Order:
    """A progress that notes the rows of each batch."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []

    def __call__(self, items: Iterable[Any], *, total: int, what: str) -> Iterator[Any]:
        for rows in items:
            self.rows.append(rows.tolist())
            yield rows


def test_r6_two_models_trained_one_after_the_other_see_the_same_batches(
    digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes
) -> None:
    alone, first, second = Order(), Order(), Order()
    model_alone, model_second = make_net(), make_net()
    train(model_alone, digits, epochs=2, progress=alone, augment="flip-crop")
    other = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))
    train(other, digits, epochs=2, progress=first, augment="flip-crop")
    train(model_second, digits, epochs=2, progress=second, augment="flip-crop")
    assert alone.rows == first.rows == second.rows
    assert weight_bytes(model_alone) == weight_bytes(model_second)


def test_the_seed_suffices_and_matters(digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes) -> None:
    results = []
    for seed, noise in [(0, 1), (0, 2), (1, 1)]:
        torch.manual_seed(noise)
        np.random.seed(noise)  # noqa: NPY002 (the global state that must not matter)
        model = make_net()
        train(model, digits, epochs=1, seed=seed)
        results.append(weight_bytes(model))
    assert results[0] == results[1]
    assert results[0] != results[2]


def test_dropout_alone_depends_on_the_seed(digits: ImageData, weight_bytes: WeightBytes) -> None:
    """One batch of all images: neither order nor augmentation can make the difference, beyond rounding."""

    def trained(seed: int, share: float) -> torch.Tensor:
        model = nn.Sequential(nn.Flatten(), nn.Dropout(share), nn.Linear(64, 10))
        nn.init.zeros_(model[2].weight)
        nn.init.zeros_(model[2].bias)
        train(model, digits, epochs=1, batch_size=1000, optimizer="sgd", learning_rate=1.0, seed=seed)
        return model[2].weight.detach()

    assert torch.allclose(trained(0, 0.0), trained(1, 0.0), atol=1e-6)
    assert not torch.allclose(trained(0, 0.5), trained(1, 0.5), atol=1e-3)


def test_the_callers_mode_generators_and_gradients_are_put_back(digits: ImageData, make_net: MakeNet) -> None:
    model = make_net()
    model.train()
    model[1].eval()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    numpy_before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    train(model, digits, epochs=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.random.get_state()[1].tolist() == numpy_before  # type: ignore[index]  # noqa: NPY002
    assert [module.training for module in model] == [True, False, True, True, True, True]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_caller_is_put_back_after_a_failure_too(digits: ImageData, make_net: MakeNet) -> None:
    model = make_net().eval()
    before = torch.get_rng_state()
    with pytest.raises(NonFiniteError):
        train(model, digits, epochs=3, optimizer="sgd", learning_rate=1e30)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module.training for module in model.modules())


def test_frozen_parameters_stay(digits: ImageData, make_net: MakeNet) -> None:
    model = make_net()
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    train(model, digits, epochs=1)
    assert torch.equal(model[0].weight, before)


def test_r9_a_last_batch_of_one_image_trains_through_batch_norm(digits: ImageData) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.Linear(16, 10))
    history = train(model, digits.select(slice(0, 33)), epochs=1, batch_size=32)
    assert history.records[0].epoch == 1


def test_without_a_held_out_split_only_training_is_recorded(digits: ImageData, make_net: MakeNet) -> None:
    history = train(make_net(), digits.train, epochs=1)
    assert [record.split for record in history.records] == ["train"]


def test_test_images_are_watched_where_nothing_is_held_out(digits: ImageData, make_net: MakeNet) -> None:
    data = digits.select(digits.splits != "validation")
    history = train(make_net(), data, epochs=1)
    assert [record.split for record in history.records] == ["train", "test"]


def test_r10_early_stopping_on_the_reported_split_is_refused(digits: ImageData, make_net: MakeNet) -> None:
    data = digits.select(digits.splits != "validation")
    with pytest.raises(InputError) as error:
        train(make_net(), data, early_stop=2)
    assert str(error.value) == (
        "early_stop=2 needs a validation split, and digits has none: choosing an epoch on the test images would make "
        "their accuracy too good.\n    Hold some training images out: hold_out(data, 0.1)."
    )


def test_early_stopping_ends_in_time_and_keeps_the_best_weights(
    digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([3.0, 2.0, 2.5, 2.0, 9.0])
    epochs: dict[int, bytes] = {}
    model = make_net()
    record = loop._record

    def scripted(epoch: int, split: str, loss_sum: float, *rest: Any) -> Any:
        if split == "train":
            epochs[epoch] = weight_bytes(model)
            return record(epoch, split, loss_sum, *rest)
        return record(epoch, split, next(losses) * len(digits.validation), *rest)

    monkeypatch.setattr(loop, "_record", scripted)
    history = train(model, digits, epochs=9, early_stop=2)
    assert [record.loss for record in history.of_split("validation")] == [3.0, 2.0, 2.5, 2.0]
    assert history.kept_epoch == 2
    assert weight_bytes(model) == epochs[2]
    assert epochs[2] != epochs[4]


def test_a_loss_that_is_not_finite_is_told_with_its_epoch(digits: ImageData) -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    with pytest.raises(NonFiniteError) as error:
        train(linear, digits, epochs=3, optimizer="sgd", learning_rate=3e38)
    assert str(error.value) == (
        "the loss became NaN or infinite in epoch 1, at learning_rate 3e+38.\n"
        "    Lower learning_rate, and give a preprocessing if the pixels are not of the order of 1."
    )


def test_a_network_for_another_number_of_classes_is_refused(digits: ImageData, make_net: MakeNet) -> None:
    with pytest.raises(ModelError) as error:
        train(make_net(classes=7), digits)
    assert str(error.value) == (
        "Sequential must give logits of shape (1, 10) for one image, one for each class of digits; it gives (1, 7)."
    )


def test_a_network_for_other_images_is_refused(digits: ImageData) -> None:
    with pytest.raises(ModelError, match=r"^Sequential cannot take images of shape \(1, 8, 8\) \(C, H, W\): "):
        train(nn.Sequential(nn.Conv2d(3, 4, 3)), digits)


def test_a_network_with_nothing_to_train_is_refused(digits: ImageData, make_net: MakeNet) -> None:
    with pytest.raises(ModelError, match=r"^Sequential has no parameter to train: it has none, or all are frozen\.$"):
        train(make_net().requires_grad_(False), digits)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(digits: ImageData, make_net: MakeNet) -> None:
    with pytest.raises(
        InputError, match=r'^device "cuda" was asked for, and torch sees no GPU here\.\n    Use device='
    ):
        train(make_net(), digits, device="cuda")


def test_mixed_precision_trains(digits: ImageData, make_net: MakeNet, weight_bytes: WeightBytes) -> None:
    full, mixed = make_net(), make_net()
    expected = train(full, digits, epochs=2).records[-1].loss
    assert train(mixed, digits, epochs=2, precision="bf16").records[-1].loss == pytest.approx(expected, rel=0.05)
    assert weight_bytes(full) != weight_bytes(mixed)
    assert {parameter.dtype for parameter in mixed.parameters()} == {torch.float32}


def test_without_lightning_the_way_to_install_it_is_told(
    digits: ImageData, make_net: MakeNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "lightning" else find_spec(name, *rest)
    )
    with pytest.raises(MissingExtraError) as error:
        train(make_net(), digits)
    assert str(error.value) == (
        "training needs lightning, which is not installed.\n    Install it: pip install 'layerwise[train]'"
    )


@pytest.mark.slow
def test_importing_the_trainer_does_not_import_lightning() -> None:
    import subprocess

    code = "import sys, layerwise.training.fit; sys.exit('lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
