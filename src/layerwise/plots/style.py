"""How pictures look: colours that colour-blind people can tell apart, letters, and labels that always fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from layerwise.plots.words import shown

INK, MUTED, GRID, PAPER = "#1b2430", "#5b6675", "#d9dee5", "#ffffff"
RIGHT, WRONG, NEUTRAL = "#0072b2", "#d55e00", "#b8c0ca"
SAME, OTHER = "#009e73", "#e69f00"
SPLIT_COLORS = {"train": "#5b6675", "validation": "#cc79a7", "test": "#0072b2"}

# Okabe and Ito (2008), in an order that keeps neighbours apart; grey in place of black, for dark pages.
OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7a828c")
# Petroff (2021), ten colours found by search under colour-blindness models.
PETROFF = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)

# Beside DejaVu, which draws Latin, Greek and Cyrillic, fonts that know other scripts, where they are installed.
OTHER_SCRIPTS = ("Noto Sans CJK JP", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans Hebrew", "Noto Sans Thai")

LETTER_INCHES = 0.07  # the mean width of a letter at the size of tick labels
CROWDED = 14  # columns from which on their words must be smaller


@contextmanager
def style() -> Iterator[None]:
    """Draw in layerwise's style inside the block; matplotlib's settings are as before after it."""
    with mpl.rc_context(_settings()):
        yield


def _settings() -> dict[Any, Any]:
    return {
        "font.family": ["sans-serif", *_other_scripts()],
        "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
        "font.size": 8.5,
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 8.5,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.facecolor": "none",
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 0.6,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "legend.facecolor": PAPER,
        "legend.edgecolor": "none",
        "legend.framealpha": 0.8,
        "legend.fontsize": 8,
        "text.color": INK,
        # A class may be called "$5": names are text, never mathematics.
        "text.parse_math": False,
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "svg.fonttype": "none",
        "svg.hashsalt": "layerwise",
    }


@cache
def _other_scripts() -> tuple[str, ...]:
    installed = set(font_manager.get_font_names())
    return tuple(name for name in OTHER_SCRIPTS if name in installed)


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """The axes given, or those of a new figure of a size in inches, which no window and no pyplot state knows."""
    return ax if ax is not None else Figure(figsize=(width, height), layout="compressed").add_subplot()


def empty_axes(ax: Axes | None, words: str) -> Axes:
    """Axes with nothing in them but words that say so."""
    with style():
        ax = axes_or_new(ax, 2.7, 1.35)
        ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=MUTED)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
    return ax


def class_colors(count: int) -> tuple[str, ...]:
    """A colour for each class, or none when there are more classes than colours that everyone can tell apart.

    >>> len(class_colors(6)), len(class_colors(10)), class_colors(11)
    (6, 10, ())
    """
    for palette in (OKABE_ITO, PETROFF):
        if count <= len(palette):
            return palette[:count]
    return ()


def vote_colors(votes: Sequence[int], *, label: int, reference: int, classes: int) -> list[str]:
    """A colour for each vote: its class's; with too many classes, whether it is the reference, the label or neither.

    >>> vote_colors([3, 50, 7], label=3, reference=50, classes=100) == [SAME, RIGHT, NEUTRAL]
    True
    """
    palette = class_colors(classes)
    if palette:
        return [palette[vote] for vote in votes]
    return [RIGHT if vote == reference else SAME if vote == label else NEUTRAL for vote in votes]


def vote_legend(class_names: Sequence[str], reference: str = "reference class") -> list[tuple[str, str]]:
    """What the colours of votes mean: (colour, words); the reference class is called so where classes are too many."""
    palette = class_colors(len(class_names))
    if palette:
        return list(zip(palette, class_names, strict=True))
    return [(RIGHT, reference), (SAME, "label, where it differs"), (NEUTRAL, "another class")]


def readable_on(color: str) -> str:
    """Near-black or near-white, whichever can be read on a colour."""
    red, green, blue = mpl.colors.to_rgb(color)
    return "#111111" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "#fefefe"


def axes_over_columns(ax: Axes | None, names: Sequence[str], width: float, height: float) -> Axes:
    """The axes given, or new ones that are higher than `height` where the names of the columns have to slant."""
    labels = [shown(name) for name in names]
    slanted = max(map(len, labels)) > _letters_that_fit(0.8 * width, len(labels))
    return axes_or_new(ax, width, height + 0.7 * slanted * LETTER_INCHES * max(map(len, labels)))


def name_columns(ax: Axes, names: Sequence[str]) -> None:
    """Write a name under each of the columns 0, 1, …; slanted when they would not fit side by side."""
    labels = [shown(name) for name in names]
    ax.set_xticks(np.arange(len(names)), labels)
    ax.set_xlim(-0.6, len(names) - 0.4)
    figure = ax.get_figure(root=True)
    width = ax.get_position().width * (figure.get_figwidth() if figure is not None else 6.0)
    if max(map(len, labels)) > _letters_that_fit(width, len(names)):
        ax.tick_params(axis="x", rotation=45, labelsize=8 if len(names) <= CROWDED else 7)
        for label in ax.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")


def _letters_that_fit(width: float, columns: int) -> float:
    return width / columns / LETTER_INCHES - 1


def note_above(ax: Axes, x: float, y: float, words: str, *, columns: int) -> None:
    """Small words above a column; upright where the columns are too narrow for them."""
    ax.annotate(
        words,
        (x, y),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=7 if columns <= CROWDED else 6,
        rotation=0 if columns <= CROWDED else 90,
        color=MUTED,
    )


def percent_axis() -> PercentFormatter:
    """Ticks as whole percent."""
    return PercentFormatter(1.0, decimals=0, symbol=" %")


def legend(ax: Axes, color_to_words: Sequence[tuple[str, str]], **where: Any) -> None:
    """A legend of coloured squares.

    A zero-width space stands before each name: matplotlib leaves out names that start with an underscore.
    """
    handles = [Patch(color=color, label="\u200b" + words) for color, words in color_to_words]
    ax.legend(handles=handles, handlelength=0.9, handleheight=0.9, **where)
