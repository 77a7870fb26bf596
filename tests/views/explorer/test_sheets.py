"""Sheets of pictures: each picture lies at its place, exact unless it is to be small."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from layerwise.views.explorer.payload import Payload
from layerwise.views.explorer.sheets import sheets_of
from payload_files import picture


@pytest.mark.parametrize("channels", [1, 3])
def test_every_picture_lies_at_its_place(channels: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (1100, channels, 5, 7), np.uint8)
    described, files = sheets_of(pictures, "examples", small=False)
    assert described["files"] == ["examples-0.png", "examples-1.png"]
    payload = Payload({}, {}, files)
    for place in (0, 31, 32, 1023, 1024, 1099):
        expected = pictures[place, 0] if channels == 1 else pictures[place].transpose(1, 2, 0)
        np.testing.assert_array_equal(picture(payload, described, place), expected)


def test_small_sheets_of_drawings_stay_exact_and_those_of_photos_shrink() -> None:
    drawings = np.zeros((64, 3, 16, 16), np.uint8)
    drawings[:, :, 4:12, 4:12] = 200
    described, files = sheets_of(drawings, "drawn", small=True)
    sheet = np.asarray(Image.open(io.BytesIO(files["drawn-0.webp"]())).convert("RGB"))
    assert set(np.unique(sheet)) == {0, 200}
    assert described["count"] == 64
    noise = np.random.default_rng(0).integers(0, 256, (64, 3, 16, 16), np.uint8)
    _, small = sheets_of(noise, "noise", small=True)
    _, exact = sheets_of(noise, "noise", small=False)
    assert len(small["noise-0.webp"]()) < 0.5 * len(exact["noise-0.png"]())


def test_no_pictures_give_no_sheets() -> None:
    assert sheets_of(None, "x", small=True) == (None, {})
    assert sheets_of(np.zeros((0, 1, 4, 4), np.uint8), "x", small=True) == (None, {})


def test_pictures_without_a_pixel_make_no_sheets() -> None:
    assert sheets_of(np.zeros((5, 3, 0, 8), np.uint8), "examples", small=False) == (None, {})
