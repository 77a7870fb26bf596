"""Edges are drawn as said, to the last row and column, and the same however many others are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.data.catalog import load_data
from layerwise.data.edges import CLASSES, EdgeFactors, draw_edges, load_edges, pixel_order
from layerwise.data.images import ImageData
from layerwise.errors import DataError, UnknownNameError


def edges(count: int = 40, *, classes: Sequence[str] = tuple(CLASSES), seed: int = 0, **ranges: object) -> ImageData:
    return load_edges(
        train_per_class=count,
        validation_per_class=count,
        test_per_class=2,
        classes=classes,
        seed=seed,
        ranges=EdgeFactors(**ranges),  # type: ignore[arg-type]
    )


def by_hand(data: ImageData, row: int) -> np.ndarray:
    """A straight stripe pixel by pixel."""
    found = {name: float(values[row]) for name, values in data.factors.items()}
    grey = np.full((28, 28), found["background"])
    for ending in ("", "_2"):
        if np.isnan(found.get(f"angle{ending}", np.nan)):
            continue
        first = int(found[f"position{ending}"])
        for line in range(first, first + int(found[f"width{ending}"])):
            if found[f"angle{ending}"] == 0:
                grey[line, :] = found[f"intensity{ending}"]
            else:
                grey[:, line] = found[f"intensity{ending}"]
    return np.rint(255 * grey).astype(np.uint8)


def test_straight_stripes_are_those_drawn_pixel_by_pixel() -> None:
    data = edges(classes=("horizontal", "vertical", "none", "both"))
    for row in range(len(data)):
        np.testing.assert_array_equal(data.images[row, 0], by_hand(data, row), err_msg=data.ids[row])


def test_classes_are_balanced_in_every_split_and_every_start_of_it() -> None:
    data = edges(7)
    for split in (data.train, data.validation, data.test):
        assert split.labels.tolist() == list(range(5)) * (len(split) // 5)
    assert data.class_names == tuple(CLASSES)


def test_stripes_reach_the_first_and_the_last_row_and_column() -> None:
    """Not so where the upper end of a range is left out (R8)."""
    data = edges(600, classes=("horizontal", "vertical"))
    position, width = data.factors["position"], data.factors["width"]
    for angle in (0, 90):
        here = data.factors["angle"] == angle
        assert position[here].min() == 0
        assert (position + width)[here].max() == 28
        assert set(width[here]) == {1, 2, 3, 4}


def test_turned_stripes_have_no_specks_and_stay_between_their_two_greys() -> None:
    """Splines overshoot, and a byte that overflows becomes a bright speck (R7)."""
    data = edges(300, classes=("diagonal", "none"), intensity=(0.95, 1.0))
    diagonal = data.labels == 0
    greys = data.images[diagonal, 0] / 255
    low = data.factors["background"][diagonal, None, None] - 0.5 / 255
    high = data.factors["intensity"][diagonal, None, None] + 0.5 / 255
    assert ((greys >= low) & (greys <= high)).all()
    assert set(data.factors["angle"][diagonal]) == {30.0, 45.0, 120.0, 135.0}


@pytest.mark.parametrize("angle", [0.0, 30.0, 45.0, 90.0, 120.0, 135.0])
def test_a_turned_stripe_covers_what_a_fine_grid_of_points_says(angle: float) -> None:
    fine = 20
    steps = (np.arange(28 * fine) + 0.5) / fine - 14
    y, x = np.meshgrid(steps, steps, indexing="ij")
    radians = np.radians(angle)
    inside = (np.abs(np.sin(radians) * x + np.cos(radians) * y - 2.0) <= 1.5) & (
        np.abs(np.cos(radians) * x - np.sin(radians) * y) <= 14
    )
    exact = inside.reshape(28, fine, 28, fine).mean(axis=(1, 3))
    columns = {"background": [0.0], "angle": [angle], "position": [14.5], "width": [3.0], "intensity": [1.0]}
    drawn = draw_edges(columns)[0, 0] / 255
    assert np.abs(drawn - exact).max() < (0.003 if angle % 90 == 0 else 0.25)
    assert drawn.sum() == pytest.approx(exact.sum(), rel=0.01)


def test_corners_that_a_turned_stripe_does_not_reach_are_background() -> None:
    columns = {"background": [0.1], "angle": [45.0], "position": [13.0], "width": [2.0], "intensity": [1.0]}
    image = draw_edges(columns)[0, 0]
    assert image[13, 14] > 200  # rises to the right
    assert image[27, 0] == image[0, 27] == image[0, 0] == 26


def test_a_smaller_set_is_the_start_of_a_larger_one() -> None:
    small, large = edges(5), edges(9)
    np.testing.assert_array_equal(small.train.images, large.train.images[: 5 * 5])
    np.testing.assert_array_equal(small.test.images, large.test.images)


def test_no_class_and_no_range_depends_on_another() -> None:
    all_of_them, two, thin = edges(5), edges(5, classes=("horizontal", "none")), edges(5, width=(1, 1))
    of_five = all_of_them.train.images[all_of_them.train.labels == 0]
    np.testing.assert_array_equal(of_five, two.train.images[two.train.labels == 0])
    np.testing.assert_array_equal(all_of_them.factors["intensity"], thin.factors["intensity"])
    assert set(thin.factors["width"][~np.isnan(thin.factors["width"])]) == {1.0}


def test_the_seed_decides_and_no_two_images_of_different_splits_are_the_same() -> None:
    one, again, other = edges(seed=1), edges(seed=1), edges(seed=2)
    np.testing.assert_array_equal(one.images, again.images)
    assert not np.array_equal(one.images, other.images)
    assert not np.array_equal(one.train.images, one.validation.images)


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_below_a_location_ratio_of_one_training_stripes_and_all_others_lie_apart(ratio: float) -> None:
    data = edges(200, classes=("horizontal", "vertical"), location_ratio=ratio)
    cut = round(28 * ratio)
    ends = data.factors["position"] + data.factors["width"]
    train = data.splits == "train"
    assert ends[train].max() == cut == data.factors["position"][~train].min()
    assert data.factors["position"][train].min() == 0
    assert ends[~train].max() == 28


def test_shuffled_pixels_are_put_back_by_the_inverse() -> None:
    plain = load_edges(seed=3, train_per_class=4)
    shuffled = load_edges(seed=3, train_per_class=4, permuted=True)
    back = shuffled.images.reshape(len(shuffled), -1)[:, np.argsort(pixel_order(28, seed=3))]
    np.testing.assert_array_equal(back.reshape(plain.images.shape), plain.images)
    assert not np.array_equal(shuffled.images, plain.images)


def test_an_image_has_as_many_stripes_as_asked() -> None:
    data = edges(20, classes=("horizontal", "none", "both"), horizontal=3)
    stripes = np.stack([data.factors[f"angle{ending}"] for ending in ("", "_2", "_3", "_4")])
    counts = (~np.isnan(stripes)).sum(axis=0)
    assert [set(counts[data.labels == label]) for label in range(3)] == [{3}, {0}, {4}]


@settings(max_examples=20, deadline=None)
@given(st.integers(8, 40), st.integers(1, 4), st.integers(0, 50))
def test_any_size_draws_and_a_straight_stripe_covers_whole_pixels(resolution: int, width: int, seed: int) -> None:
    data = load_edges(
        train_per_class=3,
        validation_per_class=1,
        test_per_class=1,
        resolution=resolution,
        seed=seed,
        ranges=EdgeFactors(width=(width, width)),
    )
    assert data.image_shape == (1, resolution, resolution)
    greys = [len(np.unique(image)) for image in data.images]
    assert max(greys) <= 2


def test_a_spec_says_it_all() -> None:
    data = load_data(
        "edges?train_per_class=4&validation_per_class=2&test_per_class=1&classes=vertical,diagonal&resolution=20"
        "&permuted=0&width=2,2&angles=45&location_ratio=0.5&seed=5"
    )
    assert (len(data.train), len(data.validation), len(data.test)) == (8, 4, 2)
    assert data.image_shape == (1, 20, 20)
    assert set(data.factors["angle"]) == {90.0, 45.0}
    assert set(data.factors["width"]) == {2.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("width=0,4", "width is (0.0, 4.0): give (low, high) with 1 <= low <= high"),
        ("width=1.5", "width is (1.5, 1.5): give whole pixels"),
        ("intensity=0.5,2", "intensity is (0.5, 2.0): give (low, high) with 0 <= low <= high <= 1"),
        ("location_ratio=0", "location_ratio is 0.0: give more than 0, at most 1"),
        ("location_ratio=0.1", "stripes of 4 pixels do not fit into the 3 lines that train images have"),
        ("classes=vertical", "classes are vertical: give at least two, each once."),
        ("classes=vertical,vertical", "classes are vertical, vertical: give at least two, each once."),
        (
            "train_per_class=0&validation_per_class=0&test_per_class=0",
            "train_per_class = 0, validation_per_class = 0, test_per_class = 0: give counts of at least 0",
        ),
    ],
)
def test_edges_that_cannot_be_drawn_are_refused(options: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        load_data(f"edges?{options}")
    assert message in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(DataError, match=r"width is .*; background is .*; diagonal is 0"):
        EdgeFactors(width=(4, 1), background=(0, 2), diagonal=0)


def test_an_unknown_class_has_its_near_name() -> None:
    with pytest.raises(UnknownNameError, match=r'no class of edges is called "verticle"\. Did you mean "vertical"'):
        load_data("edges?classes=horizontal,verticle")
