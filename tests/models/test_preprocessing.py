import json

import numpy as np
import pytest
import torch

from layerwise.errors import DataError, InputError, NonFiniteError, NotEnoughExamplesError, ShapeError
from layerwise.models.preprocessing import Preprocessing


def test_each_channel_is_standardised_by_its_own_numbers():
    images = torch.tensor([[[[1.0]], [[0.5]]]])
    assert Preprocessing(mean=(0.5, 0.25), std=(0.25, 0.5))(images).flatten().tolist() == [2.0, 0.5]


def test_the_images_are_not_changed():
    images = torch.ones(1, 1, 1, 1)
    Preprocessing(mean=(0.5,), std=(0.5,))(images)
    assert images.item() == 1.0


def test_mean_and_std_are_those_of_numpy_whatever_the_batches():
    images = np.random.default_rng(0).random((7, 3, 4, 5)).astype(np.float32)
    whole = images.astype(np.float64)
    for cuts in ([], [3], [1, 2, 6]):
        fitted = Preprocessing.of_images(np.split(images, cuts))
        np.testing.assert_allclose(fitted.mean, whole.mean(axis=(0, 2, 3)), rtol=1e-14)
        np.testing.assert_allclose(fitted.std, whole.std(axis=(0, 2, 3)), rtol=1e-14)


def test_a_small_spread_around_a_large_mean_keeps_its_digits():
    images = 1e8 + np.random.default_rng(0).random((6, 1, 8, 8))
    fitted = Preprocessing.of_images(np.split(images, 3))
    assert fitted.std[0] == pytest.approx(images.std(), rel=1e-9)


def test_it_comes_back_from_json():
    preprocessing = Preprocessing(mean=(0.1, 0.2), std=(0.3, 0.4))
    assert Preprocessing.from_dict(json.loads(json.dumps(preprocessing.to_dict()))) == preprocessing


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as caught:
        Preprocessing(mean=(0.5, float("nan")), std=(0.0,))
    assert str(caught.value) == (
        "mean (0.5, nan) and std (0.0,) cannot be used: 2 means but 1 standard deviations; every number must be "
        "finite; every standard deviation must be above 0."
    )


def test_words_are_no_numbers():
    with pytest.raises(InputError) as caught:
        Preprocessing(mean=("red",), std=(1.0,))
    assert str(caught.value) == "mean must be numbers, one per channel; got ('red',)."


def test_an_incomplete_dict_is_told():
    with pytest.raises(InputError) as caught:
        Preprocessing.from_dict({"mean": [0.5]})
    assert str(caught.value) == "a preprocessing needs mean and std; std missing in {'mean': [0.5]}."


def test_images_of_another_number_of_channels_are_refused():
    with pytest.raises(ShapeError) as caught:
        Preprocessing(mean=(0.5,), std=(0.5,))(torch.zeros(2, 3, 4, 4))
    assert str(caught.value) == (
        "the preprocessing has 1 channels, so it takes images of shape (N, 1, H, W); got (2, 3, 4, 4)."
    )


@pytest.mark.parametrize(
    ("batches", "error", "message"),
    [
        ([], NotEnoughExamplesError, "no image: the mean and standard deviation need at least one."),
        (
            [np.zeros((0, 1, 2, 2))],
            NotEnoughExamplesError,
            "no image: the mean and standard deviation need at least one.",
        ),
        ([np.zeros((2, 2))], ShapeError, "each batch must have the shape (B, C, H, W); got (2, 2)."),
        (
            [np.eye(2)[None, None], np.zeros((1, 3, 2, 2))],
            ShapeError,
            "each batch must have the shape (B, 1, H, W); got (1, 3, 2, 2).",
        ),
        (
            [np.full((1, 1, 1, 1), np.nan)],
            NonFiniteError,
            "a pixel is NaN or infinite, so the mean and standard deviation are undefined.",
        ),
        (
            [np.ones((2, 1, 2, 2))],
            DataError,
            "channel 0 has the same value in every pixel of every image, so it cannot be standardised.\n"
            "    Leave the channel out, or give numbers of your own: Preprocessing(mean, std).",
        ),
    ],
)
def test_images_without_a_mean_or_spread_are_refused(batches, error, message):
    with pytest.raises(error) as caught:
        Preprocessing.of_images(batches)
    assert str(caught.value) == message
