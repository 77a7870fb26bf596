"""Shapes: exact areas and places, the same bytes from the same columns, nothing wrapped round."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from layerwise.data.outlines import CIRCLE, CLASS_NAMES, ELLIPSE, HEART, RECTANGLE, RIGHT_TRIANGLE, SQUARE
from layerwise.data.shapes import FACTOR_LIMITS, ShapeFactors, draw_shapes, load_shapes, sample_factors
from layerwise.errors import DataError, ShapeError

KINDS = range(len(CLASS_NAMES))
PLAIN = {
    "size": 0.4,
    "aspect": 1.0,
    "x": 0.5,
    "y": 0.5,
    "rotation": 0.0,
    "brightness": 0.5,
    "contrast": 1.0,
    "polarity": 1.0,
    "blur": 0.0,
    "noise": 0.0,
    "occlusion": 0.0,
    "occlusion_angle": 0.0,
    "noise_seed": 0,
}


def columns(count: int = 1, **changes: float | list[float]) -> dict[str, NDArray[np.generic]]:
    """A clean white shape on black, upright in the middle, but for what is changed."""
    return {name: np.broadcast_to(value, count) for name, value in {**PLAIN, **changes}.items()}


def draw(kind: int, *, resolution: int = 32, **changes: float) -> NDArray[np.float64]:
    """One image as greys from 0 to 1, shape (H, W)."""
    return draw_shapes([kind], columns(**changes), resolution=resolution)[0, 0] / 255


def area_and_centre(image: NDArray[np.float64]) -> tuple[float, float, float]:
    down, across = np.indices(image.shape) + 0.5
    area = image.sum()
    return float(area), float((image * across).sum() / area), float((image * down).sum() / area)


class TestOutlines:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("rotation", [0, 17, 45, 200])
    def test_every_kind_covers_its_area_and_has_its_centroid_where_asked_to_a_fraction_of_a_pixel(self, kind, rotation):
        aspect = 1.0 if kind in (CIRCLE, SQUARE) else 1.4
        image = draw(kind, size=0.4, aspect=aspect, x=0.487, y=0.531, rotation=rotation)
        area, across, down = area_and_centre(image)
        assert area == pytest.approx((0.4 * 32) ** 2, rel=0.01)
        assert across == pytest.approx(0.487 * 32, abs=0.06)
        assert down == pytest.approx(0.531 * 32, abs=0.06)

    def test_a_square_on_pixel_borders_is_exact(self):
        expected = np.zeros((32, 32))
        expected[8:24, 8:24] = 1
        np.testing.assert_array_equal(draw(SQUARE, size=0.5), expected)

    def test_a_square_a_quarter_pixel_further_shares_its_border_columns(self):
        row = draw(SQUARE, size=0.5, x=0.5 + 0.25 / 32)[16]
        np.testing.assert_allclose(row[[7, 8, 9, 23, 24, 25]], [0, 0.75, 1, 1, 0.25, 0], atol=1 / 255)

    def test_a_disc_agrees_with_a_count_of_fine_samples(self):
        places = (np.arange(32 * 16) + 0.5) / (32 * 16)
        inside = np.hypot(places[:, None] - 0.52, places[None, :] - 0.47) <= 0.4 / np.sqrt(np.pi)
        counted = inside.reshape(32, 16, 32, 16).mean((1, 3))
        np.testing.assert_allclose(draw(CIRCLE, x=0.47, y=0.52), counted, atol=0.08)

    def test_a_rectangle_has_the_aspect_asked_for(self):
        image = draw(RECTANGLE, size=0.5, aspect=4.0)
        assert (image.max(axis=0).sum(), image.max(axis=1).sum()) == (32.0, 8.0)

    def test_an_ellipse_has_the_aspect_asked_for(self):
        image = draw(ELLIPSE, size=0.4, aspect=2.0)
        down, across = np.indices(image.shape) - 15.5
        spread = [np.sqrt((image * np.square(axis)).sum() / image.sum()) for axis in (across, down)]
        assert spread[0] / spread[1] == pytest.approx(2.0, rel=0.01)

    def test_a_right_triangle_has_its_right_angle_at_the_upper_left_before_it_is_turned(self):
        image = draw(RIGHT_TRIANGLE, size=0.5, aspect=1.0)
        np.testing.assert_allclose(image, image.T, atol=1 / 255)
        assert image[:, :16].sum() > image[:, 16:].sum()
        filled = image > 0.99
        assert filled.sum(axis=1).argmax() == np.flatnonzero(filled.any(axis=1))[0]

    def test_a_heart_is_symmetric_with_a_notch_between_two_lobes(self):
        image = draw(HEART, size=0.5, aspect=1.0)
        np.testing.assert_array_equal(image, image[::-1])
        lobes = image[:, np.flatnonzero(image.max(axis=0) > 0.5)[-1]] > 0.5
        assert np.count_nonzero(np.diff(lobes.astype(int)) == 1) == 2

    @pytest.mark.parametrize("kind", [CIRCLE, SQUARE, RECTANGLE, ELLIPSE])
    def test_half_a_turn_leaves_symmetric_kinds_as_they_were(self, kind):
        aspect = 1.0 if kind in (CIRCLE, SQUARE) else 1.7
        turned = [draw(kind, aspect=aspect, rotation=angle) for angle in (30, 210)]
        np.testing.assert_allclose(*turned, atol=1 / 255)

    @pytest.mark.parametrize("angle", [1, 33.3, 90, 271])
    def test_a_circle_does_not_change_with_rotation(self, angle):
        np.testing.assert_allclose(draw(CIRCLE, rotation=angle), draw(CIRCLE), atol=1 / 255)

    def test_a_square_changes_with_rotation_except_by_quarter_turns(self):
        np.testing.assert_allclose(draw(SQUARE, rotation=90), draw(SQUARE), atol=1 / 255)
        assert np.abs(draw(SQUARE, rotation=45) - draw(SQUARE)).max() == 1

    def test_a_quarter_turn_is_clockwise_on_the_screen(self):
        upright, turned = (draw(RIGHT_TRIANGLE, aspect=1.6, rotation=angle) for angle in (0, 90))
        np.testing.assert_allclose(turned, np.rot90(upright, -1), atol=1 / 255)

    def test_resolution_changes_the_pixels_and_not_the_picture(self):
        fine = draw(HEART, aspect=1.2, rotation=20, resolution=128).reshape(32, 4, 32, 4).mean((1, 3))
        np.testing.assert_allclose(draw(HEART, aspect=1.2, rotation=20), fine, atol=0.2)


class TestGreys:
    def test_brightness_lies_halfway_between_shape_and_background(self):
        image = draw(SQUARE, brightness=0.6, contrast=0.4)
        np.testing.assert_allclose([image[16, 16], image[0, 0]], [0.8, 0.4], atol=1 / 255)

    def test_negative_polarity_makes_the_shape_the_darker_one(self):
        image = draw(SQUARE, brightness=0.6, contrast=0.4, polarity=-1)
        np.testing.assert_allclose([image[16, 16], image[0, 0]], [0.4, 0.8], atol=1 / 255)

    def test_values_beyond_black_and_white_are_clipped_and_never_wrap_round(self):
        image = draw(SQUARE, brightness=1.0, contrast=1.0)
        assert (image[16, 16], image[0, 0]) == (1.0, 128 / 255)  # 1.5 and 0.5 before they become bytes
        noisy = draw(SQUARE, brightness=1.0, contrast=0.0, noise=0.2)
        # Half of Gaussian noise about white is cut off at 1; a byte that wrapped round would be nearly black.
        assert np.mean(noisy == 1) == pytest.approx(0.5, abs=0.05)
        assert noisy.min() > 1 - 5 * 0.2

    def test_noise_has_the_spread_asked_for(self):
        greys = draw(CIRCLE, contrast=0.0, noise=0.1)
        assert greys.std() == pytest.approx(0.1, rel=0.1)
        assert greys.mean() == pytest.approx(0.5, abs=0.01)

    def test_noise_comes_from_the_image_s_own_seed(self):
        noisy = draw_shapes([CIRCLE] * 3, columns(3, noise=0.1, noise_seed=[5, 6, 5]))
        np.testing.assert_array_equal(noisy[0], noisy[2])
        assert (noisy[0] != noisy[1]).mean() > 0.5

    def test_blur_is_the_gaussian_asked_for(self):
        blurred = gaussian_filter(draw(HEART), 1.5, truncate=8)
        np.testing.assert_allclose(draw(HEART, blur=1.5), blurred, atol=1.5 / 255)

    def test_no_blur_at_all_leaves_the_pixels_as_they_are(self):
        np.testing.assert_array_equal(draw(SQUARE, size=0.5, blur=0.0)[16, 6:10], [0, 0, 1, 1])

    def test_blur_keeps_an_even_grey_even_up_to_the_border(self):
        image = draw(SQUARE, brightness=0.6, contrast=0.0, blur=3.0)
        assert np.unique(image).tolist() == [0.6]


class TestPlace:
    def test_a_shape_over_the_border_is_cut_off_and_does_not_come_back_on_the_other_side(self):
        image = draw(SQUARE, size=0.5, x=1.0, y=0.5)
        expected = np.zeros((32, 32))
        expected[8:24, 24:] = 1
        np.testing.assert_array_equal(image, expected)

    def test_blur_does_not_carry_a_shape_round_to_the_other_side(self):
        assert draw(SQUARE, size=0.5, x=1.0, blur=2.0)[:, :12].max() == 0

    @pytest.mark.parametrize(("x", "y"), [(0.25, 0.25), (0.75, 0.75)])
    def test_the_bounds_are_inclusive_so_that_shapes_reach_the_first_and_last_row_and_column(self, x, y):
        image = draw(SQUARE, size=0.5, x=x, y=y)
        place = 0 if x < 0.5 else 31
        assert image[place].sum() == image[:, place].sum() == 16

    def test_a_shape_outside_the_image_leaves_the_background(self):
        assert draw(HEART, x=3.0, occlusion=0.5).max() == 0


class TestOcclusion:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(("share", "angle"), [(0.1, 0), (0.5, 77), (0.8, 200)])
    def test_the_card_covers_the_share_asked_for(self, kind, share, angle):
        sharp = {"resolution": 256}  # so fine that pixels on the outline hardly count
        whole = draw(kind, **sharp) == 1
        beside_card = 2 * np.abs(draw(kind, occlusion=share, occlusion_angle=angle, **sharp) - 0.5)
        assert beside_card[whole].mean() == pytest.approx(1 - share, abs=0.01)

    def test_the_card_has_the_grey_halfway_and_comes_from_the_side_of_its_angle(self):
        image = draw(SQUARE, size=0.5, occlusion=0.5, occlusion_angle=0)
        np.testing.assert_allclose(image[[2, 16], [30, 30]], 128 / 255)
        np.testing.assert_array_equal(image[[2, 16], [2, 10]], [0, 1])

    def test_no_occlusion_puts_no_card(self):
        assert set(np.unique(draw(SQUARE, size=0.5)).tolist()) == {0.0, 1.0}


class TestSampling:
    @settings(max_examples=30, deadline=None)
    @given(data=st.data())
    def test_factors_stay_in_their_ranges_and_images_can_be_drawn(self, data):
        limits = {"size": (0.05, 1.2), "aspect": (1, 5), "x": (-0.5, 1.5), "y": (0, 1), "rotation": (-360, 360)}
        limits |= {"brightness": (0, 1), "contrast": (0, 1), "blur": (0, 4), "noise": (0, 2), "occlusion": (0, 0.95)}
        pairs = {
            name: tuple(sorted(data.draw(st.tuples(st.floats(*bounds), st.floats(*bounds)), label=name)))
            for name, bounds in limits.items()
        }
        seed = data.draw(st.integers(0, 2**32), label="seed")
        kinds = np.arange(12) % 6
        factors = sample_factors(kinds, ShapeFactors(**pairs, occluded=1.0), seed=seed)
        for name, (low, high) in pairs.items():
            own = factors[name] if name != "aspect" else factors[name][~np.isin(kinds, (CIRCLE, SQUARE))]
            assert low <= own.min()
            assert own.max() <= high
        assert draw_shapes(kinds, factors, resolution=8).shape == (12, 1, 8, 8)

    def test_circles_and_squares_have_aspect_1(self):
        factors = sample_factors(list(KINDS), ShapeFactors(aspect=(2.0, 2.0)), seed=0)
        assert factors["aspect"].tolist() == [1, 1, 2, 2, 2, 2]

    def test_factors_are_spread_evenly_over_their_ranges(self):
        sizes = sample_factors(np.zeros(4000, int), ShapeFactors(size=(0.2, 0.4)), seed=0)["size"]
        np.testing.assert_allclose(np.quantile(sizes, [0, 0.25, 0.5, 0.75, 1]), [0.2, 0.25, 0.3, 0.35, 0.4], atol=0.006)

    @pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.25, 1000), (1.0, 4000)])
    def test_the_shares_of_occluded_and_dark_images_are_as_asked(self, share, expected):
        ranges = ShapeFactors(occluded=share, dark=share, occlusion=(0.1, 0.2))
        factors = sample_factors(np.zeros(4000, int), ranges, seed=0)
        assert np.count_nonzero(factors["occlusion"]) == pytest.approx(expected, abs=100 if 0 < share < 1 else 0)
        assert np.count_nonzero(factors["polarity"] < 0) == pytest.approx(expected, abs=100 if 0 < share < 1 else 0)

    def test_another_range_for_one_factor_leaves_the_others_as_they_were(self):
        first = sample_factors(np.arange(6), ShapeFactors(), seed=3)
        second = sample_factors(np.arange(6), replace(ShapeFactors(), noise=(0.3, 0.3)), seed=3)
        assert [name for name in first if (first[name] != second[name]).any()] == ["noise"]

    def test_no_two_columns_share_their_random_numbers(self):
        factors = sample_factors(np.full(500, ELLIPSE), ShapeFactors(occluded=1.0), seed=0)
        table = np.stack([np.asarray(values, dtype=float) for values in factors.values()])
        assert np.abs(np.corrcoef(table) - np.eye(len(table))).max() < 0.2


class TestLoadShapes:
    def test_classes_come_in_the_order_of_the_specification(self):
        data = load_shapes(train=6, test=6)
        assert data.class_names == ("circle", "square", "rectangle", "right_triangle", "heart", "ellipse")

    def test_each_class_has_as_many_images_and_rows_are_not_sorted_by_class(self):
        data = load_shapes(train=60, test=30)
        assert np.bincount(data.train.labels).tolist() == [10] * 6
        assert np.bincount(data.test.labels).tolist() == [5] * 6
        assert len({tuple(six) for six in data.train.labels.reshape(10, 6).tolist()}) > 5

    def test_images_are_grey_bytes_with_ids_of_split_and_row(self):
        data = load_shapes(train=12, test=6, resolution=16)
        assert (data.images.shape, data.images.dtype) == ((18, 1, 16, 16), np.uint8)
        assert data.ids[[0, 11, 12, 17]].tolist() == [
            "shapes-train-00000",
            "shapes-train-00011",
            "shapes-test-00000",
            "shapes-test-00005",
        ]
        assert data.splits.tolist() == ["train"] * 12 + ["test"] * 6

    def test_the_factors_beside_an_image_draw_it_again_bit_for_bit(self):
        data = load_shapes(train=120, test=60, ranges=ShapeFactors(noise=(0.1, 0.3), occluded=0.5, blur=(0.0, 2.0)))
        np.testing.assert_array_equal(draw_shapes(data.labels, data.factors), data.images)

    def test_any_one_image_can_be_drawn_alone(self):
        data = load_shapes(train=120, test=0)
        for row in (0, 7, 119):
            alone = draw_shapes(data.labels[[row]], {name: values[[row]] for name, values in data.factors.items()})
            np.testing.assert_array_equal(alone[0], data.images[row])

    def test_the_factors_are_those_documented_and_the_noise_seed(self):
        assert set(load_shapes(train=6, test=6).factors) == {*FACTOR_LIMITS, "noise_seed"}

    def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(self):
        first, again, other = (load_shapes(train=60, test=30, seed=seed) for seed in (4, 4, 5))
        np.testing.assert_array_equal(first.images, again.images)
        assert (first.images != other.images).any(axis=(1, 2, 3)).all()
        assert (first.labels != other.labels).any()

    def test_test_images_do_not_depend_on_how_many_training_images_were_asked_for(self):
        small, large = load_shapes(train=6, test=30).test, load_shapes(train=90, test=30).test
        np.testing.assert_array_equal(small.images, large.images)
        assert small.ids.tolist() == large.ids.tolist()

    def test_a_larger_set_begins_with_the_smaller_one(self):
        small, large = load_shapes(train=40, test=0), load_shapes(train=100, test=0)
        np.testing.assert_array_equal(small.images, large.images[:40])
        np.testing.assert_array_equal(small.labels, large.labels[:40])

    def test_no_test_image_is_a_training_image(self):
        data = load_shapes(train=60, test=60, ranges=ShapeFactors(noise=(0.0, 0.0)))
        assert len(np.unique(data.images.reshape(120, -1), axis=0)) == 120


class TestRefusals:
    def test_ranges_out_of_their_limits_are_all_named(self):
        expected = (
            "These ranges cannot be drawn from: "
            "aspect is (0.5, 2.0): give (low, high) with 1 <= low <= high <= 100; "
            "blur is (1.0, 0.0): give (low, high) with 0 <= low <= high <= 100; "
            "dark is 2.0: give a share from 0 to 1."
        )
        with pytest.raises(DataError, match=f"^{re.escape(expected)}$"):
            ShapeFactors(aspect=(0.5, 2.0), blur=(1.0, 0.0), dark=2.0)

    def test_a_range_that_is_not_a_number_is_refused(self):
        with pytest.raises(DataError, match=r"noise is \(0\.0, nan\)"):
            ShapeFactors(noise=(0.0, float("nan")))

    def test_missing_and_short_columns_are_all_named(self):
        factors = columns(2, blur=0.0)
        factors["noise"] = np.zeros(3)
        del factors["x"]
        expected = "Factor columns must have shape (2,), as kinds has. Not so: x (missing), noise ((3,))."
        with pytest.raises(ShapeError, match=f"^{re.escape(expected)}$"):
            draw_shapes([0, 1], factors)

    def test_values_that_cannot_be_drawn_are_all_named(self):
        expected = (
            "These images cannot be drawn: kinds must be whole numbers from 0 to 5; size must lie from 0.001 to 10; "
            "noise must lie from 0 to 10; aspect must be 1 for circles and squares; noise_seed must be whole numbers."
        )
        factors = columns(2, size=0.0, noise=[0.0, float("nan")], aspect=2.0, noise_seed=0.5)
        with pytest.raises(DataError, match=f"^{re.escape(expected)}$"):
            draw_shapes([SQUARE, 6], factors)

    @pytest.mark.parametrize("kinds", [0, [[0]]])
    def test_kinds_must_be_one_row_of_numbers(self, kinds):
        with pytest.raises(ShapeError, match=r"give kinds \(N,\) and at least 1 pixel\."):
            draw_shapes(kinds, columns())

    @pytest.mark.parametrize(("train", "test"), [(-6, 6), (0, 0)])
    def test_counts_that_make_no_data_are_refused(self, train, test):
        expected = f"train = {train} and test = {test}: give counts of at least 0, and at least one image."
        with pytest.raises(DataError, match=f"^{re.escape(expected)}$"):
            load_shapes(train=train, test=test)
