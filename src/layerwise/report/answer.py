"""The question answered in a few sentences, each number with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerwise.arrays.intervals import wilson_interval
from layerwise.report.html import PERCENT, Html, interval_words, joined, name, share_words, tag
from layerwise.report.pictures import thumbnail
from layerwise.views.depths import decided_by, depth_histogram
from layerwise.views.examples import hardest
from layerwise.views.run import RunView
from layerwise.views.taps import network_accuracy

FEWEST = 20  # images of which a sentence may give the accuracy
HARDEST = 8


def answer(view: RunView) -> Html:
    """Where images are decided, how accuracy goes with depth, how many are unresolved, what the hardest look like."""
    sentences = [sentence for sentence in (_decided(view), _accuracy(view), _unresolved(view)) if sentence]
    return joined(
        [_tiles(view), tag("p", *(joined([words, " "]) for words in sentences), class_="lead"), _hardest(view)]
    )


def _decided(view: RunView) -> Html:
    table, split = decided_by(view), view.main_split
    total = len(view.rows())
    half = table[table["share"] >= 0.5]
    row = (half if len(half) else table.tail(1)).iloc[0]
    verb = "are decided by" if len(half) else "are decided at all, by"
    return joined(
        [
            f"Of {total:,} {split} images, ",
            tag("b", f"{row['count']:,} ({share_words(int(row['count']), total)})"),
            f" {verb} ",
            tag("b", name(str(row["tap"]))),
            f", tap {row['depth'] + 1} of {len(view.taps)}: from there on every k-NN probe agrees with "
            f"{view.reference_words}.",
        ]
    )


def _accuracy(view: RunView) -> Html:
    """How accuracy goes from the shallowest to the deepest resolved images, of as few depths as hold enough images."""
    table = depth_histogram(view)
    table = table[(table["split"] == view.main_split) & (table["depth"] < len(view.taps)) & (table["count"] > 0)]
    shallow = _enough(table)
    deep = _enough(table.iloc[len(shallow) :].iloc[::-1])
    if shallow.empty or deep.empty:
        return Html()
    first, last = _shares(shallow), _shares(deep)
    verb, then, remark = _course(first, last)
    return joined(
        [
            f"The network's accuracy {verb} {_share_words(first)} on the images decided at ",
            name(str(shallow["tap"].iloc[-1])),
            " or before" if len(shallow) > 1 else "",
            f" {then} {_share_words(last)} on those decided only at ",
            name(str(deep["tap"].iloc[-1])),
            " or later" if len(deep) > 1 else "",
            f"{remark}.",
        ]
    )


def _enough(table: pd.DataFrame) -> pd.DataFrame:
    """The first rows that together hold enough images; none if all together do not."""
    reached = np.flatnonzero(table["count"].cumsum() >= FEWEST)
    return table.iloc[: reached[0] + 1] if len(reached) else table.iloc[:0]


def _shares(table: pd.DataFrame) -> tuple[float, float, float]:
    right, count = int(table["right"].sum()), int(table["count"].sum())
    low, high = wilson_interval(right, count)
    return right / count, float(low), float(high)


def _course(first: tuple[float, float, float], last: tuple[float, float, float]) -> tuple[str, str, str]:
    """The words before, between and after two accuracies; of a change only where their intervals lie apart."""
    if last[2] < first[1]:
        return "falls from", "to", ""
    if last[1] > first[2]:
        return "rises from", "to", ""
    return "is", "and", " (the intervals overlap)"


def _share_words(share: tuple[float, float, float]) -> str:
    return f"{100 * share[0]:.1f}{PERCENT} {interval_words(share[1], share[2])}"


def _unresolved(view: RunView) -> Html:
    row = depth_histogram(view).query("split == @view.main_split").iloc[-1]
    total, count, right = len(view.rows()), int(row["count"]), int(row["right"])
    if count == 0:
        return Html("None is unresolved.")
    then = f"right on {share_words(right, count)} of them" if count > 1 else f"{'right' if right else 'wrong'} on it"
    return joined(
        [
            tag("b", f"{count:,} ({share_words(count, total)})"),
            f" {'are' if count > 1 else 'is'} unresolved: not even the last probe agrees with ",
            f"{view.reference_words}; the network is {then}.",
        ]
    )


def _hardest(view: RunView) -> Html:
    if view.thumbnails is None:
        return Html()
    table = hardest(view, HARDEST)
    pictures = (
        thumbnail(view.thumbnails[row], f"hard example: {label}", size="small")
        for row, label in zip(table.index, (view.class_names[number] for number in table["label"]), strict=True)
    )
    return tag("p", tag("span", "The hardest look like this:"), *pictures, class_="look")


def _tiles(view: RunView) -> Html:
    """The numbers to remember, one tile each."""
    whole = network_accuracy(view)
    tiles = [(f"{len(view.taps)}", "taps", ""), (f"{len(view.class_names)}", "classes", "")]
    for split, count, right in zip(whole["split"], whole["count"], whole["right"], strict=True):
        share, interval = share_words(int(right), int(count)).split(" [")
        tiles.append((share, f"network accuracy, {split}", f"[{interval}, {right:,} of {count:,}"))
    unresolved = int((view.examples["depth"].to_numpy()[view.rows()] == len(view.taps)).sum())
    total = len(view.rows())
    share, interval = share_words(unresolved, total).split(" [")
    tiles.append((share, f"unresolved, {view.main_split}", f"[{interval}, {unresolved:,} of {total:,}"))
    drawn = (
        tag("div", tag("strong", big), tag("span", words), tag("small", interval), class_="tile")
        for big, words, interval in tiles
    )
    return tag("div", *drawn, class_="tiles")
