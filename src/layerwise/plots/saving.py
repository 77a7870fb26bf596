"""`save_figure`: a picture as an SVG file, whole or not at all; the same data gives the same bytes."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerwise.errors import FileError, InputError
from layerwise.plots.style import style
from layerwise.runs import write_text


def save_figure(figure: Figure | Axes, path: Path) -> Path:
    """Write a figure (or the figure of some axes) as SVG, with text as text.

    Raises:
        FileError: the name does not end in .svg.
    """
    if path.suffix != ".svg":
        raise FileError(f"{path.name}: pictures are written as SVG. Give a name that ends in .svg.")
    write_text(path, svg_text(figure))
    return path


def svg_text(figure: Figure | Axes) -> str:
    """A figure as the text of an SVG file, without date or version, so that nothing but the data changes it."""
    whole = figure.get_figure(root=True)
    if whole is None:
        raise InputError("these axes have been removed from their figure: there is nothing to save.")
    buffer = io.StringIO()
    with style(), warnings.catch_warnings():
        # Text stays text, and who opens the file chooses the font: a script that matplotlib's fonts lack is no loss.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        whole.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"[ \t]+$", "", buffer.getvalue(), flags=re.MULTILINE)
