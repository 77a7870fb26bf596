"""Uploaded pictures: what they become, and which are refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from explorer_files import as_file
from layerwise.errors import DataError, FileError
from layerwise.web.uploads import read_picture

GREY = (1, 6, 6)
COLOUR = (3, 6, 6)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims so many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b"")]
    framed = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_a_picture_of_the_networks_size_is_taken_byte_by_byte(kind: str) -> None:
    pixels = noise(6, 6)
    assert (read_picture(as_file(pixels, kind), GREY) == pixels[None]).all()
    assert (read_picture(as_file(pixels, kind), COLOUR) == pixels[None]).all()


def test_lossless_webp_keeps_colours() -> None:
    pixels = noise(6, 6, 3)
    assert (read_picture(as_file(pixels, "WEBP", lossless=True), COLOUR) == pixels.transpose(2, 0, 1)).all()


def test_colours_become_grey_by_their_weights() -> None:
    pixels = noise(6, 6, 3)
    expected = np.asarray(Image.fromarray(pixels).convert("L"))
    assert (read_picture(as_file(pixels), GREY) == expected).all()


def test_another_size_is_scaled_and_cropped_at_the_middle() -> None:
    wide = np.zeros((6, 18), np.uint8)
    wide[:, 6:12] = 200
    assert (read_picture(as_file(wide), GREY) == 200).all()
    assert read_picture(as_file(noise(40, 31, 3), "JPEG"), (3, 5, 7)).shape == (3, 5, 7)


def test_a_photograph_is_turned_as_it_was_held() -> None:
    pixels, exif = noise(6, 6), Image.Exif()
    exif[0x0112] = 6
    held = read_picture(as_file(pixels, "PNG", exif=exif), GREY)
    assert (held[0] == np.rot90(pixels, -1)).all()


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"MM\0*\0\0\0\x08\0\x05", b"II*\0\xff\xff\xff\xff", b""])
def test_exif_data_that_cannot_be_read_are_left_alone(exif: bytes) -> None:
    pixels = noise(6, 6)
    assert (read_picture(as_file(pixels, "PNG", exif=exif), GREY)[0] == pixels).all()


def test_what_is_transparent_is_laid_on_white_and_of_an_animation_the_first_frame_is_taken() -> None:
    clear = Image.fromarray(np.zeros((6, 6, 4), np.uint8))
    file = io.BytesIO()
    clear.save(file, "PNG")
    assert (read_picture(file.getvalue(), COLOUR) == 255).all()
    first, second = (Image.fromarray(np.full((6, 6), grey, np.uint8)) for grey in (10, 200))
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=[second])
    assert (read_picture(file.getvalue(), GREY) == 10).all()


def test_one_row_of_pixels_is_a_picture_too() -> None:
    assert read_picture(as_file(noise(1, 9)), (1, 1, 9)).shape == (1, 1, 9)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"hello",
        b"<svg/>",
        b"%PDF-1.4",
        b"\x80\x04pickle.",
        b"%!PS-Adobe-3.0 EPSF",
    ],
)
def test_what_is_no_picture_is_refused(encoded: bytes) -> None:
    with pytest.raises(FileError) as error:
        read_picture(encoded, GREY)
    assert str(error.value) == (
        "this is no picture that can be read.\n    Give a file of one of these kinds: PNG, JPEG, WEBP, BMP, GIF."
    )


def test_a_format_that_is_not_asked_for_is_not_opened() -> None:
    with pytest.raises(FileError, match="no picture that can be read"):
        read_picture(as_file(noise(6, 6), "TIFF"), GREY)


@pytest.mark.parametrize("cut", [60, 80])
def test_a_truncated_picture_is_refused(cut: int) -> None:
    with pytest.raises(FileError, match=r"damaged or truncated .*\n    Save it anew, as PNG or JPEG\."):
        read_picture(as_file(noise(60, 60))[:cut], GREY)


@pytest.mark.parametrize(("width", "height"), [(8000, 8000), (10_000, 10_000), (60_000, 60_000)])
def test_a_few_bytes_that_claim_too_many_pixels_are_not_unpacked(width: int, height: int) -> None:
    with pytest.raises(DataError, match=r"at most 50 million are read\.\n    Scale it down: the network sees"):
        read_picture(claims(width, height), GREY)


def test_a_strip_of_which_nothing_would_be_seen_is_refused() -> None:
    with pytest.raises(DataError, match="1,000 × 5 pixels, of which a crop at the middle would show next to nothing"):
        read_picture(as_file(noise(5, 1000)), GREY)


def test_a_network_of_other_channels_takes_no_picture() -> None:
    with pytest.raises(DataError, match="takes images of 4 channels; a picture has 1 or 3"):
        read_picture(as_file(noise(6, 6)), (4, 6, 6))
