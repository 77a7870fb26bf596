"""What ImageData.create refuses, with the whole message."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.data.images import ImageData
from layerwise.errors import DataError, NonFiniteError, NotEnoughExamplesError, ShapeError

IMAGES = np.zeros((4, 1, 2, 2), np.uint8)
LABELS = [0, 1, 0, 1]


def message_of(kind, images=IMAGES, labels=LABELS, **options):
    with pytest.raises(kind) as error:
        ImageData.create(images, labels, **options)
    assert type(error.value) is kind
    return str(error.value)


@pytest.mark.parametrize("shape", [(4, 2, 2), (4, 4), (4,), (4, 1, 1, 2, 2)])
def test_images_must_have_four_axes(shape):
    assert message_of(ShapeError, np.zeros(shape, np.uint8)) == (
        f"images have shape {shape}; expected (N, C, H, W): examples, channels, height, width.\n"
        "    Grey images need an axis of one channel: images[:, None]."
    )


def test_images_without_pixels_are_refused():
    assert "images have shape (4, 1, 0, 2)" in message_of(ShapeError, np.zeros((4, 1, 0, 2), np.uint8))


def test_channels_last_are_refused_with_the_way_to_turn_them():
    assert message_of(ShapeError, np.zeros((4, 32, 32, 3), np.uint8)) == (
        "images have shape (4, 32, 32, 3), which looks like channels last; expected (N, C, H, W).\n"
        "    Turn them: images.transpose(0, 3, 1, 2)."
    )


def test_whole_numbers_in_the_range_of_bytes_become_bytes():
    images = np.array([0, 255, 7, 9]).reshape(4, 1, 1, 1)
    data = ImageData.create(images, LABELS)
    assert data.images.dtype == np.uint8
    assert data.images.reshape(-1).tolist() == [0, 255, 7, 9]


@pytest.mark.parametrize("extreme", [-1, 256])
def test_whole_numbers_outside_the_range_of_bytes_are_refused_not_wrapped_round(extreme):
    images = np.array([0, 9, 9, extreme]).reshape(4, 1, 1, 1)
    assert message_of(DataError, images) == (
        f"images are whole numbers from {min(0, extreme)} to {max(9, extreme)}; expected 0 to 255.\n"
        "    Scale them to bytes, or give floats as the network takes them."
    )


def test_images_that_are_not_numbers_are_refused():
    assert message_of(DataError, IMAGES.astype(bool)) == "images are of type bool; expected bytes (uint8) or floats."


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_floats_become_float32(kind):
    assert ImageData.create(IMAGES.astype(kind), LABELS).images.dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array([0.0, 1.0, 0.5, 1.0]), "labels are of type float64, the first is np.float64(0.0)"),
        (["cat", "dog", "cat", "dog"], "labels are of type <U3, the first is np.str_('cat')"),
        ([True, False, True, False], "labels are of type bool, the first is np.True_"),
    ],
)
def test_labels_must_be_whole_numbers(labels, said):
    assert message_of(DataError, labels=labels) == (
        f"{said}; expected whole numbers from 0.\n    Give class numbers, and the names as class_names."
    )


def test_one_hot_labels_are_refused():
    assert message_of(DataError, labels=np.eye(4, 2, dtype=int)) == (
        "labels have shape (4, 2); expected (N,): one whole number an example."
    )


def test_labels_out_of_range_are_counted_and_the_first_is_named():
    assert message_of(DataError, labels=[0, 3, 1, -1], class_names=["cat", "dog"]) == (
        '2 labels are out of range, the first is 3 (example "train-00001"); expected 0 to 1.'
    )


def test_a_negative_label_is_out_of_range_without_class_names_too():
    assert message_of(DataError, labels=[0, -1, 1, 0]) == (
        '1 labels are out of range, the first is -1 (example "train-00001"); expected 0 to 1.'
    )


def test_identifiers_are_not_taken_for_class_numbers():
    assert message_of(DataError, labels=[10**15, 1, 10**15, 1]) == (
        "the highest label is 1000000000000000; expected numbers from 0 to the number of classes - 1."
    )


def test_one_class_only_is_refused():
    assert message_of(DataError, labels=[1, 1, 1, 1], class_names=["cat", "dog"]) == (
        "all 4 examples have the label 1; expected at least two classes."
    )


def test_columns_of_other_lengths_are_named_all_at_once():
    assert message_of(DataError, labels=[0, 1, 0], ids=list("abcde"), factors={"size": [1, 2]}) == (
        "for 4 images, each column must have shape (4,); got labels (3,), ids (5,), size (2,)."
    )


def test_no_example_is_refused():
    assert message_of(NotEnoughExamplesError, IMAGES[:0], []) == (
        "there is no image; expected at least one example of two classes."
    )


def test_duplicate_ids_are_refused():
    assert message_of(DataError, ids=["a", "b", "a", "c"]) == (
        '1 ids are used more than once, the first is "a"; expected a different one each.'
    )


def test_unknown_splits_are_refused_with_the_near_name():
    assert message_of(DataError, splits=["train", "tests", "test", "test"]) == (
        'no split is named "tests". Did you mean "test"? Splits are "train", "validation", "test".'
    )


def test_class_names_used_twice_are_refused():
    assert message_of(DataError, class_names=["cat", "dog", "cat"]) == (
        "class names are used twice: cat; each class needs its own."
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_counted_and_the_first_image_is_named(value):
    images = IMAGES.astype(np.float32)
    images[1, 0, 0, 0] = images[1, 0, 1, 1] = images[3, 0, 0, 1] = value
    assert message_of(NonFiniteError, images) == (
        '2 of 4 images hold NaN or infinity, the first is "train-00001"; repair or drop them.'
    )


def test_a_late_image_that_is_not_finite_is_found_too():
    images = np.zeros((5000, 1, 1, 1), np.float32)
    images[4999] = np.nan
    assert 'the first is "train-04999"' in message_of(NonFiniteError, images, np.arange(5000) % 2)


def test_all_faults_are_listed_at_once():
    images = np.full((4, 1, 2, 2), np.nan)
    assert message_of(DataError, images, [5, 5, 5, 5], ids=list("aabc"), splits="tset", class_names=["x", "y"]) == (
        "the data has 5 faults:\n"
        '    - 4 labels are out of range, the first is 5 (example "a"); expected 0 to 1.\n'
        "    - all 4 examples have the label 5; expected at least two classes.\n"
        '    - 1 ids are used more than once, the first is "a"; expected a different one each.\n'
        '    - no split is named "tset". Did you mean "test"? Splits are "train", "validation", "test".\n'
        '    - 4 of 4 images hold NaN or infinity, the first is "a"; repair or drop them.'
    )
