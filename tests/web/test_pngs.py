"""Feature maps as pictures."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from layerwise.web.pngs import as_png, feature_maps


def pixels_of(address: str) -> np.ndarray:
    start = "data:image/png;base64,"
    assert address.startswith(start)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.removeprefix(start)))))


def test_pixels_come_back_from_a_picture() -> None:
    grey, colour = np.arange(12, dtype=np.uint8).reshape(1, 3, 4), np.arange(36, dtype=np.uint8).reshape(3, 3, 4)
    assert (pixels_of(as_png(grey)) == grey[0]).all()
    assert (pixels_of(as_png(colour)) == colour.transpose(1, 2, 0)).all()


def test_each_map_goes_from_its_own_smallest_value_to_its_largest() -> None:
    values = np.array([[[0.0, 1.0], [2.0, 4.0]], [[-5.0, -5.0], [-5.0, -4.0]], [[7.0, 7.0], [7.0, 7.0]]], np.float32)
    found = feature_maps("conv1", values)
    assert (found["tap"], found["shape"], found["of"], found["values"]) == ("conv1", "3×2×2", 3, None)
    assert [one["unit"] for one in found["maps"]] == [0, 1, 2]
    shown = [pixels_of(one["png"]).tolist() for one in found["maps"]]
    assert shown == [[[0, 64], [128, 255]], [[0, 0], [0, 255]], [[0, 0], [0, 0]]]


def test_of_many_maps_those_are_shown_that_differ_most_within_in_their_order() -> None:
    values = np.zeros((100, 2, 2), np.float32)
    values[:, 0, 0] = np.arange(100)
    found = feature_maps("conv1", values)
    assert (found["of"], [one["unit"] for one in found["maps"]]) == (100, list(range(36, 100)))


def test_a_large_map_is_every_second_pixel() -> None:
    values = np.arange(100 * 90, dtype=np.float32).reshape(1, 100, 90)
    shown = pixels_of(feature_maps("conv1", values)["maps"][0]["png"])
    assert shown.shape == (50, 45)
    assert (shown == np.rint(255 * values[0, ::2, ::2] / 8999)).all()


def test_a_tap_without_maps_has_values_and_tokens_are_one_map() -> None:
    assert feature_maps("fc", np.array([0.5, -1.0], np.float32)) == {
        "tap": "fc",
        "shape": "2",
        "of": 2,
        "maps": None,
        "values": [0.5, -1.0],
    }
    assert feature_maps("encoder", np.zeros((5, 7), np.float32))["of"] == 1
    wide = feature_maps("wide", np.zeros(9000, np.float32))
    assert (wide["of"], len(wide["values"])) == (9000, 4096)
