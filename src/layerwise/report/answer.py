"""The question answered in a few sentences, each number with its interval."""

from __future__ import annotations

import pandas as pd

from layerwise.report.html import PERCENT, Html, interval_words, joined, name, share_words, tag
from layerwise.report.pictures import thumbnail
from layerwise.views.depths import accuracy_by_depth, decided_by
from layerwise.views.examples import hardest
from layerwise.views.run import RunView
from layerwise.views.taps import network_accuracy

FEWEST = 20  # images that a depth needs before a sentence speaks of its accuracy
HARDEST = 8
KIND_TO_WORDS = {
    "prediction": "the network's own prediction",
    "last-probe": "the last probe",
    "label": "the label",
}


def answer(view: RunView) -> Html:
    """Where images are decided, how accuracy goes with depth, how many are unresolved, what the hardest look like."""
    sentences = [sentence for sentence in (_decided(view), _accuracy(view), _unresolved(view)) if sentence]
    return joined(
        [_tiles(view), tag("p", *(joined([words, " "]) for words in sentences), class_="lead"), _hardest(view)]
    )


def reference_words(view: RunView) -> str:
    """What the probes are compared with, in words."""
    return KIND_TO_WORDS.get(view.agree_with, "the reference class")


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
            f"{reference_words(view)}.",
        ]
    )


def _accuracy(view: RunView) -> Html:
    """How accuracy goes from the shallowest to the deepest depth that has enough images."""
    table = accuracy_by_depth(view)
    table = table[(table["split"] == view.main_split) & (table["depth"] < len(view.taps)) & (table["count"] >= FEWEST)]
    if len(table) < 2:
        return Html()
    first, last = table.iloc[0], table.iloc[-1]
    verb, then, remark = _course(first, last)
    return joined(
        [
            f"The network's accuracy {verb} {_accuracy_words(first)} on the images decided at ",
            name(str(first["tap"])),
            f" {then} {_accuracy_words(last)} on those decided only at ",
            name(str(last["tap"])),
            f"{remark}.",
        ]
    )


def _course(first: pd.Series, last: pd.Series) -> tuple[str, str, str]:
    """The words before, between and after two accuracies; of a difference only where their intervals lie apart."""
    if last["accuracy_high"] < first["accuracy_low"]:
        return "falls from", "to", ""
    if last["accuracy_low"] > first["accuracy_high"]:
        return "rises from", "to", ""
    return "is", "and", " (the intervals overlap)"


def _accuracy_words(row: pd.Series) -> str:
    return f"{100 * row['accuracy']:.1f}{PERCENT} {interval_words(row['accuracy_low'], row['accuracy_high'])}"


def _unresolved(view: RunView) -> Html:
    row = accuracy_by_depth(view).query("split == @view.main_split").iloc[-1]
    total, count = len(view.rows()), int(row["count"])
    if count == 0:
        return Html("None is unresolved.")
    return joined(
        [
            tag("b", f"{count:,} ({share_words(count, total)})"),
            f" {'is' if count == 1 else 'are'} unresolved: not even the last probe agrees with "
            f"{reference_words(view)}; the network is right on {share_words(int(row['right']), count)} of them.",
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
    for split in view.splits:
        depth = view.examples["depth"].to_numpy()[view.rows(split)]
        count = int((depth == len(view.taps)).sum())
        share, interval = share_words(count, len(depth)).split(" [")
        tiles.append((share, f"unresolved, {split}", f"[{interval}, {count:,} of {len(depth):,}"))
    drawn = (
        tag("div", tag("strong", big), tag("span", words), tag("small", interval), class_="tile")
        for big, words, interval in tiles
    )
    return tag("div", *drawn, class_="tiles")
