"""Sheets: many small pictures in one image file, so that a page with sixty thousand of them asks for sixty files."""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Encode = Callable[[Image.Image], bytes]

SIDE_COUNT = 32
"""Pictures in a row and in a column of a sheet."""
SMALL_QUALITY = 55
WORTH_EXACT = 1.5
"""Sheets that are exact may be so many times as large as ones that are not; the first one decides."""


def sheets_of(
    pictures: NDArray[np.uint8] | None, name: str, *, small: bool
) -> tuple[dict[str, Any] | None, Mapping[str, Callable[[], bytes]]]:
    """`Sheets` of webapp/src/payload.ts, and what makes each file.

    Args:
        pictures: shape (N, C, h, w), C 1 or 3; None, or none with a pixel, gives None and no files.
        name: what the files are called.
        small: files that are passed on: WebP, not exact where that is much smaller. Else exact PNG, made fast.
    """
    if pictures is None or not pictures.size:
        return None, {}
    count, _, height, width = pictures.shape
    per_sheet = SIDE_COUNT**2
    starts = range(0, count, per_sheet)
    kind = "webp" if small else "png"
    encode = _small_encoder(pictures[:per_sheet]) if small else _png
    files = {f"{name}-{number}.{kind}": _maker(pictures, start, encode) for number, start in enumerate(starts)}
    described = {"width": width, "height": height, "columns": SIDE_COUNT, "rows": SIDE_COUNT, "count": count}
    return {**described, "files": list(files)}, files


def _maker(pictures: NDArray[np.uint8], start: int, encode: Encode) -> Callable[[], bytes]:
    return lambda: encode(_sheet(pictures[start : start + SIDE_COUNT**2]))


def _small_encoder(first: NDArray[np.uint8]) -> Encode:
    """Exact or not, as it is decided when the first file is made."""
    decide, alone = functools.cache(lambda: _is_worth_exact(_sheet(first))), threading.Lock()

    def encode(sheet: Image.Image) -> bytes:
        with alone:
            is_exact = decide()
        return _exact(sheet) if is_exact else _lossy(sheet)

    return encode


def _is_worth_exact(sheet: Image.Image) -> bool:
    return len(_exact(sheet)) <= WORTH_EXACT * len(_lossy(sheet))


def _sheet(pictures: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(tiled(np.asarray(pictures)))


def tiled(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most 1,024 pictures (n, C, h, w) beside and below each other: (rows × h, 32 × w) or, in colour, (…, 3)."""
    count, channels, height, width = pictures.shape
    rows = -(-count // SIDE_COUNT)
    places = np.zeros((rows * SIDE_COUNT, channels, height, width), np.uint8)
    places[:count] = pictures
    grid = places.reshape(rows, SIDE_COUNT, channels, height, width).transpose(0, 3, 1, 4, 2)
    sheet = grid.reshape(rows * height, SIDE_COUNT * width, channels)
    return np.ascontiguousarray(sheet[..., 0] if channels == 1 else sheet)


def _exact(sheet: Image.Image) -> bytes:
    return _encoded(sheet, "WEBP", lossless=True, method=1)


def _lossy(sheet: Image.Image) -> bytes:
    return _encoded(sheet, "WEBP", quality=SMALL_QUALITY)


def _png(sheet: Image.Image) -> bytes:
    return _encoded(sheet, "PNG", compress_level=1)


def _encoded(sheet: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, format=kind, **options)
    return buffer.getvalue()
