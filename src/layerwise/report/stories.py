"""The stories of three examples: an easy one, one decided late, an unresolved one."""

from __future__ import annotations

from itertools import groupby

from layerwise.plots.examples import plot_neighbors_by_tap, plot_vote_strip
from layerwise.report.html import PERCENT, Html, details, joined, name, table, tag
from layerwise.report.pictures import Album, thumbnail
from layerwise.views.examples import Story, story, telling_examples
from layerwise.views.run import RunView

KIND_TO_TITLE = {"easy": "An easy one", "late": "Decided late", "unresolved": "Unresolved"}
MOST_NEIGHBORS = 140  # images in one picture of neighbours
MOST_RUNS = 6  # changes of vote that a sentence can tell


def story_section(view: RunView, album: Album) -> Html:
    """Image, votes and neighbours of the most telling examples."""
    return joined(_story(view, album, kind, story(view, row)) for kind, row in telling_examples(view).items())


def _story(view: RunView, album: Album, kind: str, one: Story) -> Html:
    votes = album.chart(f"votes-{kind}", plot_vote_strip(view, one.row), _alt(view, one))
    parts = [tag("p", *_sentences(view, one)), votes]
    if one.neighbors is not None and view.base_thumbnails is not None:
        count = max(4, min(10, MOST_NEIGHBORS // len(view.taps)))
        axes = plot_neighbors_by_tap(view, one.row, count=count)
        alt = f"The {count} nearest training images of {one.id} at each of {len(view.taps)} taps."
        parts.append(album.chart(f"neighbors-{kind}", axes, alt))
    parts.append(details("The votes", _vote_table(view, one)))
    picture = [] if view.thumbnails is None else [thumbnail(view.thumbnails[one.row], one.id, size="large")]
    title = tag("h3", f"{KIND_TO_TITLE[kind]}: ", name(one.id))
    return tag("article", title, tag("div", tag("div", *picture), tag("div", *parts), class_="story"))


def _sentences(view: RunView, one: Story) -> list[Html]:
    label, prediction = view.class_names[one.label], view.class_names[one.prediction]
    right = "which is its label" if one.label == one.prediction else joined(["but its label is ", name(label)])
    sure = f" ({100 * one.confidence:.0f}{PERCENT}), "
    said = [
        joined(["The network says ", tag("b", name(prediction)), sure, right, ". "]),
        joined(["The probes vote ", joined(_votes(view, one)), ". "]),
    ]
    if one.depth == len(view.taps):
        said.append(Html(f"Not even the last agrees with {view.reference_words}, so it is unresolved."))
    else:
        said.append(joined(["From ", tag("b", name(view.tap_names[one.depth])), f" on all agree: depth {one.depth}."]))
    return said


def _votes(view: RunView, one: Story) -> list[str]:
    """Taps that vote alike one after the other, told together; too many changes of vote are counted instead."""
    runs = [(vote, list(taps)) for vote, taps in groupby(range(len(one.votes)), key=lambda tap: int(one.votes[tap]))]
    if len(runs) > MOST_RUNS:
        at_first, at_last = (name(view.class_names[vote]) for vote, _ in (runs[0], runs[-1]))
        return [at_first, " at first and ", at_last, f" at last, and change {len(runs) - 1} times on the way"]
    words: list[str] = []
    for vote, members in runs:
        first, last = view.tap_names[members[0]], view.tap_names[members[-1]]
        where = [" at ", name(first)] if len(members) == 1 else [" from ", name(first), " to ", name(last)]
        words += ["; " if words else "", name(view.class_names[vote]), *where]
    return words


def _alt(view: RunView, one: Story) -> str:
    votes = ", ".join(f"{tap}: {view.class_names[vote]}" for tap, vote in zip(view.tap_names, one.votes, strict=True))
    return f"Votes on {one.id} at each tap. {votes}."


def _vote_table(view: RunView, one: Story) -> Html:
    lines = []
    for tap, vote in enumerate(one.votes):
        support = "" if one.support is None else f"{100 * one.support[tap]:.0f}{PERCENT}"
        lines.append([name(view.tap_names[tap]), name(view.class_names[vote]), support])
    return table(["Tap", "Vote", "Share of the neighbours"], lines, names=2)
