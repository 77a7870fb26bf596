"""Sections of images: the easiest, those decided last, the unresolved; and the data at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerwise.plots.style import class_colors, vote_colors, vote_legend
from layerwise.report.html import PERCENT, Html, details, joined, name, paragraph, table, tag
from layerwise.report.pictures import Album, themed, thumbnail
from layerwise.views.examples import Story, easiest, hardest, story, unresolved
from layerwise.views.run import RunView

PER_GALLERY = 16
PER_CLASS = 10
MOST_CLASS_ROWS = 12
MOST_CLASSES = 100


def gallery_section(view: RunView, _: Album) -> Html:
    """Three galleries, each image with what was said of it and the votes at every tap."""
    galleries = (
        ("Easiest", "The shallowest; among equals the most confident.", easiest(view, PER_GALLERY)),
        (
            "Decided last",
            "The deepest of those that are resolved; among equals the least confident.",
            hardest(view, PER_GALLERY, resolved_only=True),
        ),
        (
            "Unresolved",
            f"Not even the last probe agrees with {view.reference_words}; the most confident first.",
            unresolved(view, PER_GALLERY),
        ),
    )
    return joined(
        [
            _legend(view),
            *(
                joined([tag("h3", title), paragraph(words), cards(view, table.index.tolist())])
                for title, words, table in galleries
                if len(table)
            ),
        ]
    )


def cards(view: RunView, rows: Sequence[int]) -> Html:
    """Images with their captions and vote strips."""
    return tag("div", *(_card(view, story(view, int(row))) for row in rows), class_="cards")


def _card(view: RunView, one: Story) -> Html:
    label, prediction = view.class_names[one.label], view.class_names[one.prediction]
    said = tag("span", "✓ ", name(prediction), class_="right")
    if one.label != one.prediction:
        said = tag("span", "→ ", name(prediction), class_="wrong")
    picture = [] if view.thumbnails is None else [thumbnail(view.thumbnails[one.row], f"{one.id}, label {label}")]
    return tag(
        "figure",
        *picture,
        strip(view, one),
        tag(
            "figcaption",
            tag("b", name(label)),
            tag("br"),
            said,
            f" {100 * one.confidence:.0f}{PERCENT}",
            tag("br"),
            tag("small", name(view.depth_names[one.depth])),
        ),
        class_="card",
        title=one.id,
    )


def strip(view: RunView, one: Story) -> Html:
    """The votes at every tap as a row of colours; underlined where they agree with the reference class."""
    colors = vote_colors(one.votes.tolist(), label=one.label, reference=one.reference, classes=len(view.class_names))
    cells = [
        tag(
            "i",
            class_="agrees" if vote == one.reference else "differs",
            style=themed(f"background:{color}"),
            title=f"{tap}: {view.class_names[vote]}",
        )
        for tap, vote, color in zip(view.tap_names, one.votes, colors, strict=True)
    ]
    said = ", ".join(f"{tap} {view.class_names[vote]}" for tap, vote in zip(view.tap_names, one.votes, strict=True))
    return tag("span", *cells, class_="strip", role="img", aria_label=f"Votes: {said}")


def _legend(view: RunView) -> Html:
    keys = (
        tag("span", tag("i", style=themed(f"background:{color}")), name(words), class_="key")
        for color, words in vote_legend(view.class_names, view.reference_words)
    )
    where = f"that of {view.reference_words}" if view.agree_with == "last-probe" else view.reference_words
    how = "Under each image, the class that the probe votes for at each tap, first tap on the left"
    return tag("p", f"{how}; a bar beneath where it is {where}. ", *keys, class_="legend")


def data_section(view: RunView, _: Album) -> Html:
    """Images of each class, from shallow to deep, and how many there are."""
    classes = np.unique(view.examples["label"].to_numpy()[view.rows()])
    pictures = Html()
    if view.thumbnails is not None:
        pictures = _class_rows(view, classes) if len(classes) <= MOST_CLASS_ROWS else _class_grid(view, classes)
    return joined([pictures, _counts(view)])


def _class_rows(view: RunView, classes: np.ndarray) -> Html:
    """A row of images for each class, evenly taken from its shallowest to its deepest."""
    ordered = easiest(view, len(view.examples))
    colors = class_colors(len(view.class_names))
    rows = []
    for number in classes:
        members = ordered.index[ordered["label"] == number].to_numpy()
        chosen = members[np.unique(np.linspace(0, len(members) - 1, PER_CLASS).round().astype(int))]
        color = colors[number] if colors else "transparent"
        title = tag("th", tag("i", style=themed(f"background:{color}")), name(view.class_names[number]), scope="row")
        rows.append(tag("tr", title, tag("td", *(_glance(view, int(row)) for row in chosen))))
    words = f"Each row goes from the shallowest to the deepest {view.main_split} image of its class."
    return joined([paragraph(words), tag("div", tag("table", *rows, class_="glance"), class_="wide")])


def _class_grid(view: RunView, classes: np.ndarray) -> Html:
    """One image of each class, of the middle of its depths."""
    ordered = easiest(view, len(view.examples))
    shown = []
    for number in classes[:MOST_CLASSES]:
        members = ordered.index[ordered["label"] == number].to_numpy()
        caption = tag("figcaption", name(view.class_names[number]))
        shown.append(tag("figure", _glance(view, int(members[len(members) // 2])), caption, class_="card"))
    of = "" if len(classes) <= MOST_CLASSES else f" The first {MOST_CLASSES} of {len(classes)} classes."
    return joined([paragraph(f"One image of each class, of middling depth.{of}"), tag("div", *shown, class_="cards")])


def _glance(view: RunView, row: int) -> Html:
    if view.thumbnails is None:
        return Html()
    one = story(view, row)
    alt = f"{view.class_names[one.label]}, depth {one.depth}"
    return thumbnail(view.thumbnails[row], alt, size="small")


def _counts(view: RunView) -> Html:
    counts = pd.crosstab(view.examples["label"], view.examples["split"])
    base = None if view.base is None else view.base["label"].value_counts()
    headers = ["Class", *(f"{split} images measured" for split in view.splits)]
    lines = []
    for number in counts.index:
        cells = [f"{counts.loc[number, split]:,}" for split in view.splits]
        lines.append([name(view.class_names[number]), *cells, *([] if base is None else [f"{base.get(number, 0):,}"])])
    if base is not None:
        headers.append("training images of the probes")
    return details("Images of each class", table(headers, lines))
