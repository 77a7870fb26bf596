"""The section on the four kinds of difficulty: depth in training against depth held out, and the clearest images."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from layerwise.plots.kinds import plot_kinds
from layerwise.report.html import PERCENT, Html, figure, joined, name, share_words, table, tag
from layerwise.report.pictures import Album, thumbnail
from layerwise.views.kinds import KindsView
from layerwise.views.run import RunView

PER_KIND = 8


def kinds_section(view: RunView, album: Album) -> Html:
    """The map of both depths, the kinds in numbers and in pictures; nothing where folds were not measured."""
    kinds = view.kinds
    if kinds is None:
        return Html()
    count, folds = len(kinds.examples), kinds.facts.get("folds", "")
    chart = album.chart("kinds", plot_kinds(kinds), f"Depth held out against depth in training of {count} images.")
    caption = (
        f"Each of {count:,} training images was held out of one of {folds} trainings, and trained on in the others. "
        "Dashed: the median depths, which part the kinds. Bottom left: easy. Bottom right: looks like another class. "
        "Top left: ambiguous unless its label is given. Top right: ambiguous."
    )
    lines = [
        [
            row["kind"],
            f"{row['count']:,}",
            f"{100 * row['share']:.1f}{PERCENT}",
            share_words(row["right"], row["count"]),
        ]
        for row in kinds.counts().to_dict("records")
    ]
    heads = ["Kind", "Images", "Share", "Right where held out (95 % interval)"]
    return joined([figure(chart, caption), table(heads, lines), _galleries(view, kinds)])


def _galleries(view: RunView, kinds: KindsView) -> Html:
    """The clearest images of each kind, where the run has pictures of its training images."""
    if view.base is None or view.base_thumbnails is None:
        return Html()
    id_to_row = {str(one): row for row, one in enumerate(view.base["id"])}
    parts = []
    for kind in kinds.counts()["kind"]:
        chosen = [one for one in kinds.most(kind, PER_KIND).to_dict("records") if str(one["id"]) in id_to_row]
        cards = (
            tag(
                "figure",
                thumbnail(view.base_thumbnails[id_to_row[str(one["id"])]], f"{one['id']}, label {one['label_name']}"),
                tag("figcaption", tag("b", name(one["label_name"])), tag("br"), *_said(one)),
                class_="card",
                title=str(one["id"]),
            )
            for one in chosen
        )
        parts.append(
            joined([tag("h3", kind[0].upper() + kind[1:]), tag("div", *cards, class_="cards")]) if chosen else ""
        )
    return joined(parts)


def _said(one: Mapping[Hashable, Any]) -> tuple[Html, ...]:
    """What the network that did not see it says, and from which tap on if that is not its label."""
    says = name(str(one["looks_like_name"]))
    if one["label"] == one["looks_like"]:
        return (tag("span", "✓ ", says, class_="right"),)
    return tag("span", "→ ", says, class_="wrong"), tag("br"), tag("small", name(str(one.get("lost_at_tap", ""))))
