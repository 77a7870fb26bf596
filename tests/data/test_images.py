"""ImageData: choosing, batching, splitting, joining, fingerprints; the same for lazily decoded images."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from layerwise.data.images import ImageData, LazyImages, concatenate
from layerwise.errors import DataError, NonFiniteError, NotEnoughExamplesError, ShapeError, UnknownNameError

SPLITS = ["train"] * 4 + ["test"] * 2


def toy(**changes):
    pixels = np.arange(6 * 3 * 2 * 2, dtype=np.uint8).reshape(6, 3, 2, 2)
    return ImageData.create(pixels, [0, 1, 2, 0, 1, 2], **{"splits": SPLITS, "name": "toy", **changes})


def lazy(images, labels=(0, 1, 2, 0, 1, 2), **options):
    source = LazyImages(images.shape, images.dtype, lambda rows: images[rows])
    return ImageData.create(source, list(labels), **{"splits": SPLITS, "name": "toy", **options})


def test_a_data_set_says_how_many_examples_classes_and_pixels_it_has():
    data = toy(class_names=["a", "b", "c", "none of these"])
    assert (len(data), data.num_classes, data.image_shape) == (6, 4, (3, 2, 2))


def test_class_names_are_numbers_unless_given():
    assert toy().class_names == ("0", "1", "2")


def test_ids_are_numbered_within_each_split_unless_given():
    assert toy(splits=["test", "train", "test", "test", "train", "test"]).ids.tolist() == [
        "test-00000", "train-00000", "test-00001", "test-00002", "train-00001", "test-00003",
    ]  # fmt: skip


def test_one_split_name_stands_for_all_examples():
    assert toy(splits="test").splits.tolist() == ["test"] * 6


def test_splits_are_data_sets_with_their_ids_labels_and_factors():
    test = toy(factors={"size": [1, 2, 3, 4, 5, 6]}).test
    assert test.ids.tolist() == ["test-00000", "test-00001"]
    assert test.labels.tolist() == [1, 2]
    assert test.factors["size"].tolist() == [5, 6]
    assert test.images.tolist() == toy().images[4:].tolist()
    assert (test.class_names, test.name, test.split_names) == (("0", "1", "2"), "toy", ("test",))


def test_split_names_are_those_with_examples_in_the_order_of_use():
    assert toy(splits=["test", "validation", "test", "test", "test", "train"]).split_names == (
        "train", "validation", "test",
    )  # fmt: skip


def test_an_empty_split_is_an_error_that_names_the_splits_there_are():
    with pytest.raises(NotEnoughExamplesError) as error:
        _ = toy().validation
    assert str(error.value) == (
        'toy has no example in the split "validation"; it has "train" (4), "test" (2).\n'
        '    Add "?validation=0.1" to its spec, or call hold_out(data, 0.1), to take some of "train".'
    )


def test_an_unknown_split_is_an_error_with_the_near_name():
    with pytest.raises(UnknownNameError) as error:
        toy().split("tset")
    assert str(error.value) == (
        'no split is named "tset". Did you mean "test"?\n    Splits are "train", "validation", "test".'
    )


def test_contiguous_rows_share_memory_and_others_are_copied():
    data = toy()
    assert np.shares_memory(data.select(np.array([2, 3, 4])).images, data.images)
    assert np.shares_memory(data.train.images, data.images)
    assert not np.shares_memory(data.select(np.array([2, 4])).images, data.images)


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (np.array([4, 0, 0]), [4, 0, 0]),
        (np.array([-1]), [5]),
        (np.array([True, False, False, False, False, True]), [0, 5]),
        (slice(1, None, 2), [1, 3, 5]),
        (np.array([3, 2, 1]), [3, 2, 1]),
        (np.array([], dtype=np.int64), []),
    ],
)
@pytest.mark.parametrize("make", [toy, lambda: lazy(toy().images)], ids=["array", "lazy"])
def test_rows_masks_and_slices_choose_the_same_examples_in_memory_and_lazily(make, index, rows):
    chosen = make().select(index)
    assert chosen.ids.tolist() == toy().ids[rows].tolist()
    assert np.asarray(chosen.images[:]).tolist() == toy().images[rows].tolist()


def test_a_mask_of_another_length_is_an_error():
    with pytest.raises(IndexError):
        toy().select(np.array([True, False]))


def test_lazy_images_are_decoded_only_when_asked_for_and_only_those():
    asked = []
    images = toy().images

    def load(rows):
        asked.append(rows.tolist())
        return images[rows]

    data = ImageData.create(LazyImages(images.shape, images.dtype, load), toy().labels, splits=SPLITS)
    test = data.test.select(np.array([1]))
    assert asked == []
    assert test.batch(slice(0, 1)).tolist() == (images[5:6] / np.float32(255)).tolist()
    assert asked == [[5]]


def test_a_batch_of_bytes_is_divided_by_255():
    batch = toy().batch(np.array([5, 0]))
    assert batch.dtype == np.float32
    assert batch.shape == (2, 3, 2, 2)
    assert batch[0, 0, 0, 0] == np.float32(60) / np.float32(255)


def test_a_batch_of_floats_is_as_the_network_takes_it():
    pixels = np.linspace(-3, 3, 6 * 3 * 4).reshape(6, 3, 2, 2)
    data = ImageData.create(pixels, toy().labels)
    assert data.batch(slice(2, 4)).tolist() == pixels[2:4].astype(np.float32).tolist()


def test_r9_a_batch_of_one_image_keeps_its_axis():
    assert toy().batch(np.array([3])).shape == (1, 3, 2, 2)
    assert toy().select(slice(0, 1)).labels.shape == (1,)


def test_nan_in_a_lazy_image_is_found_when_its_batch_is_asked_for():
    pixels = np.ones((6, 3, 2, 2), np.float32)
    pixels[4, 0, 1, 1] = np.inf
    data = lazy(pixels)
    assert data.batch(slice(0, 4)).shape == (4, 3, 2, 2)
    with pytest.raises(NonFiniteError) as error:
        data.batch(slice(3, 6))
    assert str(error.value) == ('1 of 3 images hold NaN or infinity, the first is "test-00000"; repair or drop them.')


def test_the_fingerprint_is_the_same_in_memory_and_lazily():
    assert toy().fingerprint == lazy(toy().images).fingerprint
    assert len(toy().fingerprint) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"images": toy().images[::-1]},
        {"images": toy().images.astype(np.float32)},
        {"images": toy().images.reshape(6, 3, 1, 4)},
        {"labels": np.array([0, 1, 2, 0, 2, 1])},
        {"ids": np.array(list("abcdef"))},
    ],
)
def test_the_fingerprint_changes_with_images_labels_and_ids(change):
    assert dataclasses.replace(toy(), **change).fingerprint != toy().fingerprint


def test_the_fingerprint_of_many_images_does_not_depend_on_how_they_are_read():
    images = np.random.default_rng(0).integers(0, 256, (2500, 1, 2, 2), dtype=np.uint8)
    labels = np.arange(2500) % 2
    whole, strided = ImageData.create(images, labels), ImageData.create(np.repeat(images, 2, axis=0)[::2], labels)
    assert whole.fingerprint == strided.fingerprint


def test_data_sets_are_joined_in_order():
    joined = concatenate([toy().train, toy().test], name="both")
    assert joined.fingerprint == toy().fingerprint
    assert joined.splits.tolist() == SPLITS
    assert joined.name == "both"


def test_lazy_and_decoded_images_are_joined_in_order():
    joined = concatenate([lazy(toy().images).select(slice(0, 4)), toy().test])
    assert isinstance(joined.images, LazyImages)
    assert joined.images[np.array([5, 0, 3, 4])].tolist() == toy().images[[5, 0, 3, 4]].tolist()
    assert joined.fingerprint == toy().fingerprint


def test_nothing_cannot_be_joined():
    with pytest.raises(DataError, match="nothing to concatenate; expected at least one ImageData"):
        concatenate([])


def test_an_id_in_two_parts_is_an_error():
    with pytest.raises(DataError, match='6 ids are used more than once, the first is "test-00000"'):
        concatenate([toy(), toy()])


def test_parts_with_other_images_classes_or_factors_are_refused():
    other = ImageData.create(np.zeros((2, 1, 2, 2), np.uint8), [0, 1], ids=["a", "b"], name="other")
    with pytest.raises(ShapeError) as error:
        concatenate([toy(), other])
    assert str(error.value) == (
        "images of toy are ((3, 2, 2), 'uint8'), those of other ((1, 2, 2), 'uint8'); expected the same."
    )
    with pytest.raises(DataError, match=r"classes of toy are \('0', '1', '2'\), those of toy \('a', 'b', 'c'\)"):
        concatenate([toy(), toy(class_names=["a", "b", "c"])])
    with pytest.raises(DataError, match=r"factors of toy are \[\], those of toy \['size'\]"):
        concatenate([toy(), toy(factors={"size": np.zeros(6)})])
