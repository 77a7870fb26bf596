"""The single runs behind a study's numbers: curves, confusion, calibration, kernels, checks, and the ledger."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerwise.plots.studies import MEASURE_WORDS, plot_outcomes
from layerwise.plots.study_runs import plot_confusion, plot_curves, plot_kernels, plot_reliability
from layerwise.report.html import Html, details, figure, joined, paragraph, table, tag
from layerwise.report.pictures import Album
from layerwise.report.study.answer import estimate_words, number_words
from layerwise.report.study.view import StudyView
from layerwise.study.tuning import Contender, all_cells
from layerwise.views.studies import lay_out

MOST_FAILURES = 50


def checks_section(view: StudyView, album: Album) -> Html:
    """What a careful experimenter looks at, and what was seen; those that are not fine first."""
    del album
    if not view.checks:
        return Html()
    rows = [
        [
            tag("span", "fine" if one.fine else "look", class_="right" if one.fine else "wrong"),
            one.name,
            one.saw,
            one.do,
        ]
        for one in sorted(view.checks, key=lambda one: one.fine)
    ]
    return table(["", "Check", "Saw", "Do"], rows, names=4)


def curves_section(view: StudyView, album: Album) -> Html:
    """Accuracy and loss of all seeds by epoch."""
    captions = {
        "accuracy": "Accuracy by epoch: on validation images (pink, a thin line for each seed, their mean thick), and "
        "the mean on training images as they went by (grey).",
        "loss": "Mean loss of an image, likewise.",
    }
    return joined(
        figure(album.chart(key, plot_curves(view.summary, view.series, key), words), words)
        for key, words in captions.items()
    )


def confusion_section(view: StudyView, album: Album) -> Html:
    """Which classes are taken for which."""
    names = _class_names(view)
    if not names:
        return Html()
    words = "Of each class's test images (a row), the percentage that got each class (a column), over all seeds."
    drawn = plot_confusion(view.summary, view.series, names)
    return figure(album.chart("confusion", drawn, words), words)


def _class_names(view: StudyView) -> tuple[str, ...]:
    """The classes' names if all cells have the same; numbers where they are not known, nothing where cells differ."""
    sizes = {len(one) for one in view.series["confusion"] if len(one)}
    if len(sizes) != 1:
        return ()
    count = round(sizes.pop() ** 0.5)
    names = {one.classes for one in view.described.values()}
    return names.pop() if len(names) == 1 else tuple(map(str, range(count)))


def calibration_section(view: StudyView, album: Album) -> Html:
    """Whether confidence can be believed, and what one temperature would mend."""
    summary = view.summary
    words = (
        "Accuracy of test images by the network's confidence in them, over all seeds; dots are as large as the share "
        "of the images there. Below the dashed line the network is too sure. ECE: expected calibration error."
    )
    chart = album.chart("reliability", plot_reliability(summary, view.series), words)
    measures = ("test_accuracy", "test_loss", "scaled_test_loss", "temperature", "ece")
    head = ["Cell", *(MEASURE_WORDS[one].capitalize() for one in measures)]
    rows = [
        [words, *(estimate_words(summary.estimate(contender, one), one) for one in measures)]
        for words, contender in lay_out(summary.study.contenders).labelled()
    ]
    said = (
        "The temperature is by what logits should be divided for the least loss; each half of the test images is "
        "scaled by the temperature that is best for the other half. Where that takes most of the loss away, the loss "
        "was confidence, not classes."
    )
    more = []
    for measure in ("test_loss", "scaled_test_loss"):
        heading = MEASURE_WORDS[measure].capitalize()
        drawn = plot_outcomes(summary, measure=measure, title=heading)
        more.append(figure(album.chart(measure, drawn, heading), "Each dot is one seed."))
    pair = tag("div", *more, class_="pair")
    return joined([figure(chart, words), pair, paragraph(said), details("As a table", table(head, rows))])


def kernels_section(view: StudyView, album: Album) -> Html:
    """First kernels of the worst, the median and the best seed, before and after training; a picture for each cell."""
    parts = []
    for place, (words, contender) in enumerate(lay_out(view.summary.study.contenders).labelled()):
        rows = _three(view, contender)
        if rows is None:
            continue
        found, shape = rows
        chart = album.chart(f"kernels-{place}", plot_kernels(found, shape), words)
        parts.append(figure(chart, f"{words}."))
    if not parts:
        return Html()
    said = "First kernels of the worst, the median and the best seed, each picture with a colour scale of its own row."
    rest = details("Of all other cells", tag("div", *parts[1:], class_="pair")) if len(parts) > 1 else ""
    return joined([paragraph(said), parts[0], rest])


def _three(view: StudyView, contender: Contender) -> tuple[dict[str, dict[str, object]], tuple[int, ...]] | None:
    runs = view.summary.runs(contender)
    keep = runs.loc[runs["status"] == "done", ["cell", "block"]]
    rows = view.series.merge(keep, on=["cell", "block"])
    measure = view.summary.study.measure
    rows = _worst_first(rows[rows["kernels_after"].map(len) > 0], measure)
    shapes = {view.described[cell].kernels for cell in rows["cell"] if cell in view.described}
    if not len(rows) or len(shapes) != 1:
        return None
    shape = shapes.pop()
    if np.prod(shape) != len(rows["kernels_after"][0]):
        return None
    places = {"worst": 0, "median": len(rows) // 2, "best": len(rows) - 1}
    return {
        f"{words}\nseed {rows['block'][at]}, {number_words(rows[measure][at], measure)}": dict(rows.iloc[at])
        for words, at in places.items()
    }, shape


def _worst_first(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Runs in order: accuracies should be high, temperatures near 1, and all else low."""

    def goodness(values: pd.Series) -> pd.Series:
        if measure.endswith("accuracy"):
            return values
        return -(np.log(values).abs() if measure == "temperature" else values)

    return rows.sort_values(measure, key=goodness, kind="stable", ignore_index=True)


def ledger_section(view: StudyView, album: Album) -> Html:
    """What was run: a row for each cell, and every failure."""
    del album
    summary = view.summary
    rows = []
    for words, contender in lay_out(summary.study.contenders).labelled():
        cells = [cell.address for cell in all_cells([contender])]
        some = summary.records[summary.records["cell"].isin(cells)]
        status = some["status"].value_counts()
        rows.append(
            [
                words,
                ", ".join(cells[:3]) + (" …" if len(cells) > 3 else ""),
                f"{int(status.get('done', 0)):,}",
                f"{int(status.get('diverged', 0)):,}",
                f"{int(status.get('failed', 0)):,}",
                f"{some['seconds'].median():.2f} s" if len(some) else "–",
            ]
        )
    head = ["Cell", "Address", "Done", "Diverged", "Failed", "Median time"]
    parts = [table(head, rows, names=2)]
    if len(summary.failures):
        parts.append(_failures(summary.failures))
    return joined(parts)


def _failures(failures: pd.DataFrame) -> Html:
    first = failures.head(MOST_FAILURES).to_dict("records")
    rows = [[str(one[key]) for key in ("cell", "block", "status", "error")] for one in first]
    left = len(failures) - len(rows)
    more = paragraph(f"And {left:,} more, in runs.csv.") if left else Html()
    said = paragraph("What came to nothing is left out of its cell's mean; the others of its seed count.")
    head = ["Cell", "Seed", "Status", "Error"]
    return joined([tag("h3", "Failures"), said, table(head, rows), more])
