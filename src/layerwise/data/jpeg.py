"""A short way into Pillow's JPEG decoder: for small images its parser of headers takes longer than the decoding."""

from __future__ import annotations

import struct

from PIL import Image

START = b"\xff\xd8"
FRAMES = frozenset({0xFFC0, 0xFFC1, 0xFFC2})
"""Frame headers of baseline, extended and progressive JPEG (ITU-T T.81, table B.1)."""

COMPONENTS_TO_MODE = {1: "L", 3: "RGB"}


def decode_jpeg(data: bytes) -> Image.Image | None:
    """Decode a grey or colour JPEG, or give None for whatever else: Pillow's own way knows more, and what is wrong.

    The pixels are those that `Image.open` gives: the same decoder gets the same bytes.
    """
    frame = _frame(data)
    if frame is None:
        return None
    width, height, components = frame
    mode = COMPONENTS_TO_MODE.get(components)
    if mode is None or not 0 < width * height <= (Image.MAX_IMAGE_PIXELS or 0):
        return None
    try:
        return Image.frombytes(mode, (width, height), data, "jpeg", mode, "")
    except (ValueError, OSError):
        return None


def _frame(data: bytes) -> tuple[int, int, int] | None:
    """Width, height and number of components, from the frame header; None when the walk through segments fails."""
    if not data.startswith(START):
        return None
    at = len(START)
    while at + 10 <= len(data):
        marker, length = struct.unpack_from(">HH", data, at)
        if marker in FRAMES:
            height, width, components = struct.unpack_from(">HHB", data, at + 5)  # byte 4 is the precision
            return width, height, components
        if marker < 0xFFC0 or length < 2:
            return None
        at += 2 + length
    return None
