"""Encoded images to bytes: kinds of pixels, sizes, broken ones, and the short way for JPEG."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from layerwise.data.decoding import decode_images, pixels_of, read_headers
from layerwise.data.jpeg import decode_jpeg
from layerwise.errors import DataError, FileError

NOISE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def encode(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def colour(value, size=(3, 2)):
    return Image.new("RGB", size, value)


def decode(*images, **options):
    return decode_images(list(images), [f"image {row}" for row in range(len(images))], where="toys", **options)


def test_colour_images_keep_their_pixels_and_have_three_channels_first():
    images = decode(encode(Image.fromarray(NOISE)), encode(colour((1, 2, 3), (9, 6))))
    assert images.shape == (2, 3, 6, 9)
    assert images[0].tolist() == NOISE.transpose(2, 0, 1).tolist()
    assert images[1, :, 0, 0].tolist() == [1, 2, 3]


def test_grey_images_have_one_channel():
    images = decode(encode(Image.fromarray(NOISE[:, :, 0])), encode(Image.new("L", (9, 6), 7)))
    assert images.shape == (2, 1, 6, 9)
    assert images[0, 0].tolist() == NOISE[:, :, 0].tolist()


def test_one_colour_image_among_grey_ones_makes_all_of_them_three_channels():
    images = decode(encode(Image.new("L", (3, 2), 7)), encode(colour((1, 2, 3))))
    assert images[:, :, 0, 0].tolist() == [[7, 7, 7], [1, 2, 3]]


def test_a_palette_becomes_its_colours():
    assert decode(encode(colour((255, 0, 0)).quantize(2)))[0, :, 0, 0].tolist() == [255, 0, 0]


def test_transparent_pixels_are_laid_on_white():
    image = Image.new("RGBA", (3, 2), (200, 0, 0, 255))
    image.putpixel((0, 0), (200, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 51))
    assert decode(encode(image))[0, :, 0].T.tolist() == [[255, 255, 255], [204, 204, 204], [200, 0, 0]]


def test_a_transparent_colour_of_a_palette_is_laid_on_white():
    image = Image.new("P", (3, 2), 0)
    image.putpalette([10, 20, 30, 200, 0, 0])
    image.putpixel((1, 0), 1)
    assert decode(encode(image, transparency=0))[0, :, 0].T.tolist() == [[255] * 3, [200, 0, 0], [255] * 3]


def test_grey_with_transparency_stays_grey():
    image = Image.new("LA", (3, 2), (50, 0))
    assert decode(encode(image))[0].tolist() == [[[255] * 3] * 2]


def test_black_and_white_images_become_0_and_255():
    image = Image.new("1", (3, 2), 0)
    image.putpixel((1, 0), 1)
    assert decode(encode(image))[0, 0].tolist() == [[0, 255, 0], [0, 0, 0]]


def test_grey_of_16_bits_keeps_its_high_byte_and_is_not_clipped():
    image = Image.fromarray(np.array([[0, 255, 256], [512, 32768, 65535]], np.uint16))
    assert decode(encode(image))[0, 0].tolist() == [[0, 0, 1], [2, 128, 255]]


def test_four_ink_jpegs_become_rgb():
    images = decode(encode(Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG", quality=100))
    assert images.shape == (1, 3, 8, 8)
    assert images.max() < 8


def test_pixels_of_32_bits_are_refused():
    with pytest.raises(DataError, match=r'pixels of kind "F" \(32 bits\) have no known range'):
        pixels_of(Image.new("F", (2, 2)))


def test_images_of_several_sizes_are_refused_with_sizes_counts_and_the_way_out():
    small, large = encode(colour(0, (8, 10))), encode(colour(0, (12, 8)))
    with pytest.raises(DataError) as error:
        decode(small, large, large)
    assert str(error.value) == (
        "images in toys have 2 sizes: 12×8 (2), 8×10 (1); expected one.\n"
        '    Add "?size=8" to the spec to scale and crop them to 8×8.'
    )


def test_size_scales_the_short_side_and_crops_the_middle_of_the_long_one():
    striped = np.zeros((4, 12), np.uint8)
    striped[:, 4:8] = 200
    assert decode(encode(Image.fromarray(striped)), size=4).tolist() == [[[[200] * 4] * 4]]
    assert (
        decode(encode(colour((9, 9, 9), (8, 6))), encode(colour((9, 9, 9), (5, 7))), size=3).tolist()
        == [[[[9] * 3] * 3] * 3] * 2
    )


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}, {"optimize": True}])
@pytest.mark.parametrize("image", [Image.fromarray(NOISE), Image.fromarray(NOISE[:, :, 0])], ids=["colour", "grey"])
def test_the_short_way_for_jpeg_gives_the_pixels_of_the_long_way(image, options):
    data = encode(image, "JPEG", **options)
    short = decode_jpeg(data)
    assert short is not None
    assert np.asarray(short).tolist() == np.asarray(Image.open(io.BytesIO(data))).tolist()


def test_the_short_way_takes_comments_and_camera_data_in_its_stride():
    exif = Image.Exif()
    exif[0x0110] = "camera" * 500
    data = encode(Image.fromarray(NOISE), "JPEG", exif=exif, comment=b"note" * 1000)
    assert np.asarray(decode_jpeg(data)).tolist() == np.asarray(Image.open(io.BytesIO(data))).tolist()


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x00" * 9, encode(colour(0)), b"\xff\xd8" * 9]
)
def test_the_short_way_leaves_whatever_else_to_the_long_way(data):
    assert decode_jpeg(data) is None


def test_the_short_way_leaves_four_ink_and_huge_jpegs_to_the_long_way(monkeypatch):
    assert decode_jpeg(encode(Image.new("CMYK", (8, 8)), "JPEG")) is None
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 53)
    assert decode_jpeg(encode(Image.fromarray(NOISE), "JPEG")) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_image_is_an_error_that_names_it(kind, share):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noise), kind)
    with pytest.raises(FileError) as error:
        decode(data, data[: int(len(data) * share)])
    assert str(error.value).startswith(
        "1 of 2 images in toys cannot be decoded; replace or remove them:\n    - image 1: "
    )


def test_of_many_broken_images_the_first_three_are_named():
    with pytest.raises(FileError) as error:
        decode(encode(colour(0)), *[b"nothing"] * 5)
    assert str(error.value) == (
        "5 of 6 images in toys cannot be decoded; replace or remove them:\n"
        "    - image 1: not an image\n    - image 2: not an image\n    - image 3: not an image\n    - … and 2 more"
    )


def test_a_decompression_bomb_is_an_error_that_names_it(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(FileError, match=r"image 0: .*decompression bomb"):
        decode(encode(Image.fromarray(NOISE)))


def test_order_is_kept_over_many_tasks():
    images = decode(*[encode(Image.new("L", (1, 1), row % 251)) for row in range(1000)])
    assert images.reshape(-1).tolist() == [row % 251 for row in range(1000)]


def test_headers_say_channels_and_size_without_decoding(tmp_path):
    Image.new("L", (5, 4)).save(tmp_path / "grey.png")
    whole = encode(Image.fromarray(np.zeros((40, 30, 3), np.uint8)), "JPEG")
    (tmp_path / "cut.jpg").write_bytes(whole[:-20])
    assert read_headers([tmp_path / "grey.png", tmp_path / "cut.jpg"], where="here") == [(1, (5, 4)), (3, (30, 40))]


def test_a_header_that_is_none_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(FileError) as error:
        read_headers([tmp_path / "text.png"], where="here")
    assert str(error.value) == (
        f"1 of 1 images in here cannot be decoded; replace or remove them:\n    - {tmp_path / 'text.png'}: not an image"
    )
