"""Encoded images (JPEG, PNG and the like) to arrays of bytes, in parallel; also what is done with odd kinds of pixels.

Grey images give one channel, colour images three; one colour image among grey ones makes all of them three.
Palettes become the colours they stand for; transparent pixels are laid on white; 16-bit grey keeps its high byte;
CMYK and other colour spaces become RGB. An orientation noted in EXIF is not applied, as in torchvision.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from layerwise.data.jpeg import decode_jpeg
from layerwise.errors import DataError, FileError

Encoded = bytes | Path
"""An image as it lies in a table (bytes) or on the disk (a path)."""

PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow's many decoders raise on broken files."""

GREY_MODES = frozenset({"1", "L", "LA", "I;16", "I;16B", "I;16L", "I;16N"})

TASK = 256
"""Images a thread takes at a time: enough to hide the cost of handing them out."""

ADVICE = 'Add "?size={side}" to the spec to scale and crop them to {side}×{side}.'
"""How to bring images of several sizes to one, where a spec can."""

Value = TypeVar("Value")
Result = TypeVar("Result")


def decode_images(
    images: Sequence[Encoded],
    names: Sequence[str],
    *,
    where: str,
    size: int | None = None,
    channels: int | None = None,
) -> NDArray[np.uint8]:
    """Decode images into one array.

    Args:
        images: N of them, encoded.
        names: N names, for messages.
        where: the file or folder they come from, for messages.
        size: scale and centre-crop each to a square of this many pixels; by default all must have one size already.
        channels: 1 or 3; by default 1 when all are grey, else 3.

    Returns:
        Shape (N, C, H, W), bytes.

    Raises:
        FileError: images that cannot be decoded; the first are named.
        DataError: images of several sizes, without `size`.
    """
    decoded = list(_in_threads(lambda image: _decode_or_fault(image, size), images))
    faults = [(name, fault) for name, fault in zip(names, decoded, strict=True) if isinstance(fault, str)]
    if faults:
        raise FileError(_broken(faults, len(images), where))
    pixels = [array for array in decoded if not isinstance(array, str)]
    check_one_size(count_sizes(pixels), where)
    return stack_images(pixels, channels=channels)


def count_sizes(pixels: Iterable[NDArray[Any]]) -> Counter[tuple[int, int]]:
    """(width, height) to how many of the images (H, W, C) have it."""
    return Counter((array.shape[1], array.shape[0]) for array in pixels)


def check_one_size(size_to_count: Counter[tuple[int, int]], where: str, *, advice: str = ADVICE) -> None:
    """Refuse images of several sizes, given as (width, height) to how many.

    Raises:
        DataError: says the sizes, how many images have each, and how to bring them to one.
    """
    if len(size_to_count) <= 1:
        return
    listed = [f"{width}×{height} ({count})" for (width, height), count in size_to_count.most_common(5)]
    listed += ["…"] if len(size_to_count) > 5 else []
    common = min(size_to_count.most_common(1)[0][0])
    raise DataError(
        f"images in {where} have {len(size_to_count)} sizes: {', '.join(listed)}; expected one.\n"
        f"    {advice.format(side=common)}"
    )


def stack_images(pixels: Sequence[NDArray[Any]], *, channels: int | None = None) -> NDArray[Any]:
    """Images (H, W, C) of one size as one array (N, C, H, W); a grey one among colours gets three equal channels."""
    height, width, _ = pixels[0].shape
    channels = channels or max(array.shape[2] for array in pixels)
    kind = np.result_type(*{array.dtype for array in pixels})
    images = np.empty((len(pixels), channels, height, width), kind)  # (N, C, H, W)
    for place, array in enumerate(pixels):
        images[place] = array.transpose(2, 0, 1)
    return images


def read_headers(paths: Sequence[Path], *, where: str) -> list[tuple[int, tuple[int, int]]]:
    """Channels (1 or 3) and (width, height) of each file, without decoding it.

    Raises:
        FileError: files that are not images; the first are named.
    """
    headers = list(_in_threads(_header_or_fault, paths))
    faults = [(str(path), fault) for path, fault in zip(paths, headers, strict=True) if isinstance(fault, str)]
    if faults:
        raise FileError(_broken(faults, len(paths), where))
    return [header for header in headers if not isinstance(header, str)]


def pixels_of(image: Image.Image, size: int | None = None) -> NDArray[np.uint8]:
    """One image's pixels, shape (H, W, C) with one channel when it is grey and three when not.

    Raises:
        DataError: pixels of 32 bits, whose range is not known.
    """
    plain = _plain(image)
    if size is not None and plain.size != (size, size):
        plain = ImageOps.fit(plain, (size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(plain)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _plain(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode in ("I", "F"):
        raise DataError(f'pixels of kind "{image.mode}" (32 bits) have no known range; save the image with 8 bits')
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    target = "L" if image.mode in GREY_MODES else "RGB"
    if "transparency" in image.info or image.mode.upper() in ("LA", "PA", "RGBA"):
        opaque = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(opaque, image.convert("RGBA")).convert(target)
    return image.convert(target)


def _decode_or_fault(encoded: Encoded, size: int | None) -> NDArray[np.uint8] | str:
    try:
        data = encoded if isinstance(encoded, bytes) else encoded.read_bytes()
        image = decode_jpeg(data) or Image.open(io.BytesIO(data))
        return pixels_of(image, size)
    except (*PILLOW_ERRORS, DataError) as error:
        return _reason(error)


def _header_or_fault(path: Path) -> tuple[int, tuple[int, int]] | str:
    try:
        with Image.open(path) as image:
            return 1 if image.mode in GREY_MODES else 3, image.size
    except PILLOW_ERRORS as error:
        return _reason(error)


def _reason(error: Exception) -> str:
    return "not an image" if isinstance(error, UnidentifiedImageError) else str(error) or type(error).__name__


def _broken(faults: list[tuple[str, str]], count: int, where: str) -> str:
    listed = [f"    - {name}: {fault}" for name, fault in faults[:3]]
    listed += [f"    - … and {len(faults) - 3} more"] if len(faults) > 3 else []
    return f"{len(faults)} of {count} images in {where} cannot be decoded; replace or remove them:\n" + "\n".join(
        listed
    )


def _in_threads(work: Callable[[Value], Result], values: Sequence[Value]) -> Iterator[Result]:
    # Pillow and NumPy let go of the interpreter's lock while they decode and copy.
    tasks = [values[start : start + TASK] for start in range(0, len(values), TASK)]
    with ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool:
        done: Iterable[list[Result]] = pool.map(lambda task: [work(value) for value in task], tasks)
        for results in done:
            yield from results
