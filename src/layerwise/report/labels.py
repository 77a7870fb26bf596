"""Sections on training dynamics: what every image went through, and the labels that may be wrong."""

from __future__ import annotations

from layerwise.arrays.score_catalog import score
from layerwise.plots.labels import plot_correlations, plot_data_map, plot_scores_by_tap, plot_suspects
from layerwise.report.html import (
    DASH,
    PERCENT,
    Html,
    details,
    figure,
    joined,
    name,
    number_words,
    paragraph,
    table,
    tag,
)
from layerwise.report.pictures import Album
from layerwise.views.kinds import KindsView
from layerwise.views.labels import LabelsView
from layerwise.views.run import RunView
from layerwise.views.scores import scores_by_tap

SHOWN, LISTED, PER_PICTURE = 12, 100, 6


def dynamics_section(view: RunView, album: Album) -> Html:
    """The data map, and how the scores agree; nothing where no dynamics were noted."""
    noted = view.noted
    if noted is None:
        return Html()
    scores = noted.dynamics.scores
    never = int((scores["correctness"] == 0).sum())
    data_map = album.chart(
        "data-map",
        plot_data_map(noted, view.labels),
        f"{len(noted.ids)} training images by confidence and variability; {never} were never right.",
    )
    rings = " Rings: labels that most likely are wrong." if view.labels is not None else ""
    caption = (
        f"Each of {len(noted.ids):,} training images over {noted.dynamics.epochs} epochs, as it was trained on. "
        f"Top left: easy. Right: ambiguous. Bottom left: hard, or mislabelled. {never:,} were never right.{rings}"
    )
    correlations = album.chart("score-correlations", plot_correlations(noted), "Rank correlations of all scores.")
    told = "Spearman's correlation of the scores, each turned so that high is hard. They are no independent opinions."
    return joined([figure(data_map, caption), figure(correlations, told), _taps(view, album), _scores(view)])


def _taps(view: RunView, album: Album) -> Html:
    """How each score goes with the neighbours at each tap; nothing where no training image was measured."""
    table_of_taps = scores_by_tap(view)
    if not len(table_of_taps):
        return Html()
    count = int(table_of_taps["count"].iloc[0])
    chart = album.chart(
        "scores-by-tap",
        plot_scores_by_tap(table_of_taps),
        "Rank correlations of scores with neighbours.",
    )
    caption = (
        "Spearman's correlation of each score with the share of an image's neighbours that have another label, tap by "
        f"tap; {count:,} training images, all turned so that high is hard."
    )
    return figure(chart, caption)


def _scores(view: RunView) -> Html:
    """What each score is, and how it goes with depth where training images were measured."""
    if view.noted is None:
        return Html()
    with_depth = view.noted.with_depth(view.examples).set_index("score")
    heads = ["Score", "What it is", "Formula", "High means", "Source"]
    if len(with_depth):
        heads.append(f"With depth ({int(with_depth['count'].iloc[0]):,} training images, 95 % interval)")
    lines = []
    for column in view.noted.scores:
        one = score(column)
        cells: list[str] = [tag("code", column), one.words, one.formula, one.high_means, one.source]
        if len(with_depth):
            cells.append(_correlation(*with_depth.loc[column, ["rho", "low", "high"]]))
        lines.append(cells)
    return details("The scores", table(heads, lines, names=5))


def _correlation(rho: float, low: float, high: float) -> str:
    return DASH if rho != rho else number_words(rho, low, high)


def labels_section(view: RunView, album: Album) -> Html:
    """The most suspect labels with the evidence on each; nothing where labels were not ranked."""
    labels = view.labels
    if labels is None:
        return Html()
    counts = labels.counts()
    words = paragraph(
        f"Of {len(labels.labels):,} training labels {counts.get('mislabelled', 0):,} look wrong and "
        f"{counts.get('ambiguous', 0):,} images ambiguous, if nine in ten are fine. The most suspect come first; "
        "suspicion ranks labels, and is no probability."
    )
    pictures = []
    for start in range(0, min(SHOWN, len(labels.suspects)), PER_PICTURE):
        drawn = plot_suspects(labels, view.noted, first=start, count=PER_PICTURE)
        pictures.append(album.chart(f"suspects-{start // PER_PICTURE}", drawn, _alt(labels, start)))
    caption = (
        "Label → suggested class; the probability of the label while the network was trained; the share of its "
        f"{labels.facts.get('k', '')} nearest training images that have the suggested class (orange) and the label "
        "(blue) at each tap; and the nearest ones at the tap where it was lost (grey line), named in orange where they "
        "have the suggested class."
    )
    return joined([words, figure(joined(pictures), caption), _list(labels, view.kinds)])


def _alt(labels: LabelsView, start: int) -> str:
    rows = labels.labels.iloc[start : start + PER_PICTURE]
    said = (f"{row['id']}: {row['label_name']}, suggested {row['suggested_name']}" for row in rows.to_dict("records"))
    return f"Suspect labels and the evidence on each. {'; '.join(said)}."


def _list(labels: LabelsView, kinds: KindsView | None) -> Html:
    """The most suspect labels, and where folds were measured which of the four kinds of difficulty each image is."""
    of_folds = [] if kinds is None else ["By its depths (folds)"]
    id_to_kind = {} if kinds is None else dict(zip(map(str, kinds.examples["id"]), kinds.examples["kind"], strict=True))
    lines = [
        [
            f"{row['rank']}",
            name(row["id"]),
            name(row["label_name"]),
            name(row["suggested_name"]),
            row["kind"],
            *([] if kinds is None else [id_to_kind.get(str(row["id"]), DASH)]),
            f"{100 * row['suspicion']:.1f}{PERCENT}",
        ]
        for row in labels.labels.head(LISTED).to_dict("records")
    ]
    heads = ["Rank", "Image", "Label", "Suggested", "Most likely", *of_folds, "Suspicion"]
    return details(f"The {len(lines)} most suspect labels", table(heads, lines, names=len(heads) - 1))
