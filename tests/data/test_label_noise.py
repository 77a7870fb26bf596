"""Labels flipped on purpose: as many as asked for, to the classes that the kind says, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data.images import ImageData
from layerwise.data.label_noise import blend_images, flip_labels
from layerwise.errors import DataError, InputError
from layerwise.seeds import stream


def images(count: int = 600, classes: int = 5) -> ImageData:
    generator = stream(0, "images")
    pixels = generator.integers(0, 256, (count, 1, 4, 4), dtype=np.uint8)
    return ImageData.create(pixels, np.arange(count) % classes)


@settings(deadline=None)
@given(st.integers(2, 40), st.sampled_from([0.0, 0.05, 0.4, 0.99]), st.integers(2, 4), st.integers(0, 9))
def test_exactly_the_share_asked_for_is_wrong(count: int, rate: float, classes: int, seed: int) -> None:
    data = images(max(count, classes), classes)
    for kind in ("uniform", "pair"):
        noisy = flip_labels(data, rate, kind, seed=seed)  # type: ignore[arg-type]
        assert (noisy.labels != data.labels).sum() == round(rate * len(data))
        assert noisy.factors["true_label"].tolist() == data.labels.tolist()
        assert noisy.ids.tolist() == data.ids.tolist()


def test_uniform_noise_goes_to_all_other_classes_alike() -> None:
    data = images(50_000, 5)
    noisy = flip_labels(data, 0.4)
    step = (noisy.labels - data.labels)[noisy.labels != data.labels] % 5
    assert np.bincount(step, minlength=5)[1:] / len(step) == pytest.approx(0.25, abs=0.01)


def test_pair_noise_goes_to_the_next_class() -> None:
    data = images()
    noisy = flip_labels(data, 0.2, "pair")
    wrong = noisy.labels != data.labels
    assert (noisy.labels[wrong] == (data.labels[wrong] + 1) % 5).all()


def test_instance_dependent_noise_has_the_mean_rate_and_depends_on_the_pixels() -> None:
    data = images(20_000, 5)
    twice = ImageData.create(np.repeat(data.images[:1000], 20, axis=0), np.repeat(data.labels[:1000], 20))
    for rate in (0.05, 0.4):
        noisy = flip_labels(data, rate, "instance")
        assert (noisy.labels != data.labels).mean() == pytest.approx(rate, abs=0.012)
    noisy = flip_labels(twice, 0.4, "instance")
    to = np.where(noisy.labels != twice.labels, noisy.labels, -1).reshape(1000, 20)
    same_target = np.mean([np.unique(row[row >= 0]).size for row in to])
    assert same_target < 3.3  # of about eight flips to four classes alike, 3.6 different ones would be expected


def test_the_seed_matters_and_suffices() -> None:
    data = images()
    for kind in ("uniform", "pair", "instance"):
        first, again, other = (flip_labels(data, 0.3, kind, seed=seed).labels for seed in (0, 0, 1))  # type: ignore[arg-type]
        assert first.tolist() == again.tolist() != other.tolist()


def test_rates_and_kinds_that_are_none_are_refused() -> None:
    for rate in (-0.1, 1.0, float("nan"), "0.1"):
        with pytest.raises(InputError, match="give the share of images to be changed"):
            flip_labels(images(), rate)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r'no noise is named "pairs"\. Did you mean "pair"'):
        flip_labels(images(), 0.1, "pairs")  # type: ignore[arg-type]


def test_a_blended_image_is_the_mean_of_two_of_different_classes() -> None:
    data = images(100)
    mixed = blend_images(data, 0.3)
    partners = mixed.factors["blended_with"]
    chosen = partners >= 0
    assert chosen.sum() == 30
    assert (partners[chosen] != data.labels[chosen]).all()
    whole, after = data.batch(slice(0, 100)), mixed.batch(slice(0, 100))
    np.testing.assert_array_equal(after[~chosen], whole[~chosen])
    for row in np.flatnonzero(chosen)[:5]:
        others = whole[data.labels == partners[row]]
        halves = (whole[row] + others) / 2
        assert np.abs(halves - after[row]).reshape(len(others), -1).max(axis=1).min() < 1e-6


def test_images_of_one_class_have_no_other_to_be_blended_with() -> None:
    both = ImageData.create(np.zeros((8, 1, 2, 2), np.uint8), np.arange(8) % 2, name="ants")
    alone = both.select(both.labels == 0)
    assert (flip_labels(alone, 0.5).labels == 1).sum() == 2
    with pytest.raises(DataError) as blended:
        blend_images(alone, 0.5)
    assert str(blended.value) == "images are blended with those of another class; ants has images of one alone."


def test_a_rate_may_be_a_number_of_numpy() -> None:
    images = ImageData.create(np.zeros((8, 1, 2, 2), np.uint8), np.arange(8) % 2)
    assert (flip_labels(images, np.float32(0.5)).labels != images.labels).sum() == 4
