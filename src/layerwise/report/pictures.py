"""Pictures inside the page: charts as inline SVG that follows light and dark, images as PNG data."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from layerwise.plots.saving import svg_text
from layerwise.plots.style import GRID, INK, MUTED, PAPER, RIGHT
from layerwise.report.html import Html, tag
from layerwise.runs import write_text

LARGEST_SIDE = 96
PIXELS_PER_POINT = 1.36
REFERENCE = re.compile(r'(?:url\(|href=")#([^")]+)')
COLOR_TO_VARIABLE = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    RIGHT: "var(--blue)",
}


class Album:
    """The charts of one report: each is written as a file of its own and given back as markup.

    Args:
        folder: where the SVG files go.
        prefix: of their names, and of the ids in them, where a page or a folder has charts of several.
    """

    def __init__(self, folder: Path, *, prefix: str = "") -> None:
        self._folder, self._prefix = folder, prefix

    def chart(self, name: str, drawn: Axes | Figure, alt: str) -> Html:
        """Write `name`.svg and return the same picture for the page; `alt` says what it shows to who cannot see it."""
        name, svg = f"{self._prefix}{name}", svg_text(drawn)
        write_text(self._folder / f"{name}.svg", svg)
        return inline_svg(svg, name, alt)


def inline_svg(svg: str, name: str, alt: str) -> Html:
    """A chart for the inside of a page: its ids made its own, some colours the page's, no style sheet."""
    root = ET.fromstring(svg)
    referenced = set(REFERENCE.findall(svg))
    for parent in root.iter():
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        _make_own(element, name, referenced)
    width = float(root.get("viewBox", "0 0 400 300").split()[2])
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"role": "img", "aria-label": alt, "style": f"max-width: {width * PIXELS_PER_POINT:.0f}px"}
    return tag("div", Html(ET.tostring(root, encoding="unicode")), class_="plot")


def _make_own(element: ET.Element, name: str, referenced: set[str]) -> None:
    element.tag = _local(element.tag)
    identity = element.attrib.pop("id", None)
    if identity in referenced:
        element.set("id", f"{name}-{identity}")
    for key, value in list(element.attrib.items()):
        if _local(key) == "href":
            del element.attrib[key]
            element.set("href", value.replace("#", f"#{name}-", 1) if value.startswith("#") else value)
        elif "url(#" in value:
            element.set(key, value.replace("url(#", f"url(#{name}-"))
        elif key == "style":
            element.set(key, themed(value))


def themed(style: str) -> str:
    """A CSS style whose neutral colours, and the blue that is too dark on a dark page, follow the page."""
    for color, variable in COLOR_TO_VARIABLE.items():
        style = style.replace(color, variable)
    return style


def _local(qualified: str) -> str:
    return qualified.rsplit("}", 1)[-1]


def thumbnail(image: NDArray[np.uint8], alt: str, *, size: str = "") -> Html:
    """An image (C, h, w) of bytes, its pixels enlarged as they are."""
    return tag("img", src=png_uri(image), alt=alt, class_=f"pixels {size}".strip())


def png_uri(image: NDArray[np.uint8]) -> str:
    """An image (C, h, w), with one or three channels, as the address of a PNG that holds itself."""
    pixels = np.asarray(image)
    drawn = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(np.moveaxis(pixels, 0, -1)))
    drawn.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    buffer = io.BytesIO()
    drawn.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
