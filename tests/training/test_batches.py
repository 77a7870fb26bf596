"""Batches: each image once an epoch, in an order that only seed and epoch decide."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.data.images import ImageData
from layerwise.models.preprocessing import Preprocessing
from layerwise.training.batches import cut_into_batches, epoch_order, load_batch, load_training_batch
from layerwise.training.settings import TrainSettings


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 10])
@pytest.mark.parametrize("batch_size", [1, 2, 4, 100])
def test_every_image_comes_once_and_none_is_left_alone_at_the_end(count: int, batch_size: int) -> None:
    batches = cut_into_batches(np.arange(count), batch_size)
    assert np.concatenate(batches).tolist() == list(range(count))
    sizes = [len(batch) for batch in batches]
    assert all(size == batch_size for size in sizes[:-1])
    assert sizes[-1] > 1 or batch_size == 1 or count == 1


def test_the_order_is_a_permutation_that_seed_and_epoch_decide() -> None:
    order = epoch_order(50, seed=3, epoch=2)
    assert sorted(order.tolist()) == list(range(50))
    assert np.array_equal(order, epoch_order(50, seed=3, epoch=2))
    assert not np.array_equal(order, epoch_order(50, seed=4, epoch=2))
    assert not np.array_equal(order, epoch_order(50, seed=3, epoch=3))


def test_a_batch_holds_the_preprocessed_pixels_and_their_labels(digits: ImageData) -> None:
    settings = TrainSettings(preprocessing=Preprocessing((0.5,), (0.25,)))
    rows = np.array([7, 3])
    images, labels = load_batch(digits, rows, settings)
    expected = (digits.images[rows].astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.25)
    assert images.numpy() == pytest.approx(expected, abs=1e-6)
    assert labels.tolist() == digits.labels[rows].tolist()
    assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)


def test_augmentation_is_decided_by_seed_epoch_and_batch(digits: ImageData) -> None:
    settings = TrainSettings(augment="flip-crop", seed=1)
    rows = np.arange(16)

    def pixels(settings: TrainSettings, epoch: int, batch: int) -> torch.Tensor:
        return load_training_batch(digits, rows, settings, epoch=epoch, batch=batch)[0]

    first = pixels(settings, 2, 5)
    assert torch.equal(first, pixels(settings, 2, 5))
    others = [pixels(settings, 3, 5), pixels(settings, 2, 6), pixels(TrainSettings(augment="flip-crop", seed=2), 2, 5)]
    assert not any(torch.equal(first, other) for other in others)


def test_without_augmentation_training_sees_the_images_as_they_are(digits: ImageData) -> None:
    rows = np.arange(16)
    images, _ = load_training_batch(digits, rows, TrainSettings(), epoch=0, batch=0)
    assert np.array_equal(images.numpy(), digits.batch(rows))
