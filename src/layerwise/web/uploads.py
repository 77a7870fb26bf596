"""read_picture: an uploaded image as a network's pixels; whatever else was sent is refused in words.

Nothing is written to a disk, and only formats that are plain pictures are read.
"""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from layerwise.data.decoding import PILLOW_ERRORS, pixels_of
from layerwise.errors import DataError, FileError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MOST_BYTES = 20_000_000
MOST_PIXELS = 50_000_000
EXIF_ERRORS = (SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error)
SMALLEST_RATIO = 1 / 100
"""Of a picture's sides: what is cropped of a longer one says nothing of it."""


def read_picture(encoded: bytes, image_shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Decode a picture, and bring it to a network's channels and size.

    It is turned as its EXIF data say; of an animation the first frame is taken; what is transparent is laid on white. A
    picture of another size is scaled and cropped at its middle, as `?size=` does with data.

    Args:
        encoded: the file.
        image_shape: (C, H, W) of the network's images, C 1 or 3.

    Returns:
        Shape (C, H, W), bytes.

    Raises:
        FileError: it is no picture of a known format, or a damaged one.
        DataError: it has too many pixels, or the network takes images of other channels.
    """
    channels, height, width = image_shape
    if channels not in (1, 3):
        raise DataError(f"the network takes images of {channels} channels; a picture has 1 or 3. It cannot be placed.")
    pixels = _decoded(encoded)
    plain = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    plain = plain.convert("L" if channels == 1 else "RGB")
    if plain.size != (width, height):
        plain = ImageOps.fit(plain, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(plain).reshape(height, width, channels).transpose(2, 0, 1).copy()


def check_picture(encoded: bytes) -> None:
    """Raise as `read_picture` does of what is no picture, or one with too many pixels."""
    _decoded(encoded)


def _decoded(encoded: bytes) -> NDArray[np.uint8]:
    """The first frame (H, W, C), turned upright."""
    try:
        with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
            _check_size(image.width, image.height)
            return pixels_of(_upright(image))
    except UnidentifiedImageError:
        raise FileError(
            f"this is no picture that can be read.\n    Give a file of one of these kinds: {', '.join(FORMATS)}."
        ) from None
    # Pillow gives the warning for half as many pixels as it refuses, and both are more than we take.
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many("far more pixels than a photograph") from None
    except DataError:
        raise
    except (*PILLOW_ERRORS, MemoryError) as error:
        raise FileError(
            f"this picture is damaged or truncated ({error or type(error).__name__}).\n"
            "    Save it anew, as PNG or JPEG."
        ) from None


def _upright(image: Image.Image) -> Image.Image:
    """Turned as it was held; as it is where its EXIF data cannot be read, which is no fault of the pixels."""
    image.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ImageOps.exif_transpose(image)
        except EXIF_ERRORS:
            return image


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise _too_many(f"{width:,} × {height:,} pixels")
    if min(width, height) < 1 or min(width, height) < SMALLEST_RATIO * max(width, height):
        raise DataError(
            f"this picture has {width:,} × {height:,} pixels, of which a crop at the middle would show next to "
            "nothing.\n    Crop it yourself to what the network is to see."
        )


def _too_many(what: str) -> DataError:
    return DataError(
        f"this picture has {what}; at most {MOST_PIXELS // 1_000_000} million are read.\n"
        "    Scale it down: the network sees a small one."
    )
