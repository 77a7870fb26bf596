"""What was claimed and what was found, as pictures and tables; and numbers of others beside ours."""

from __future__ import annotations

import math
from typing import get_args

from layerwise.plots.studies import MEASURE_WORDS, plot_claims, plot_references
from layerwise.plots.study_runs import plot_interactions
from layerwise.report.html import DASH, Html, details, figure, joined, paragraph, table, tag
from layerwise.report.pictures import Album
from layerwise.report.study.answer import VERDICT_CLASS, estimate_words
from layerwise.report.study.view import StudyView
from layerwise.study.comparisons import Finding, Kind
from layerwise.study.summary import Judged
from layerwise.study.trials import SHARES
from layerwise.views.studies import lay_out

CAPTIONS = {
    "difference": "Paired differences within a seed.",
    "same": "Paired differences; claimed to lie between the dashed lines.",
    "at-least": "Means; claimed to lie right of the dashed line.",
    "interaction": "How much larger a difference is under one condition than under the other.",
    "needed": "How many times as much the one side needs to reach the level as the other; 1 where they need as much.",
}


def claims_section(view: StudyView, album: Album) -> Html:
    """Each kind of claim as a picture, and all of them as a table."""
    summary = view.summary
    if not summary.judged:
        return Html()
    parts = []
    for kind in get_args(Kind):
        some = [one for one in summary.judged if one.finding.comparison.kind == kind]
        if some:
            alt = "; ".join(
                f"{one.finding.comparison.claim}: {effect_words(one.finding)}, {one.verdict}" for one in some
            )
            caption = f"{CAPTIONS[kind]} 95 % intervals over seeds; blue: supported, orange: contradicted, grey: open."
            parts.append(figure(album.chart(kind, plot_claims(summary, kind), alt), caption))
        if some and kind == "interaction":
            words = "The four means of each interaction; lines would be parallel if there were none."
            chart = album.chart("interactions", plot_interactions(summary), words)
            parts.append(figure(chart, words))
    return joined([*parts, _table(view)])


def _table(view: StudyView) -> Html:
    p = "p (Holm)" if view.summary.planned_look else "p (Holm), exploratory"
    head = ["Claim", "Verdict", "Found (95 %)", p, "P(A > B)", "Seeds in all, to decide"]
    return table(head, [_row(one) for one in view.summary.judged], names=2)


def _row(one: Judged) -> list[str]:
    comparison, finding = one.finding.comparison, one.finding
    marks = [
        word for word, applies in (("exploratory", not one.planned), ("secondary", not comparison.primary)) if applies
    ]
    measure = "" if comparison.measure.startswith("test_acc") else f" [{MEASURE_WORDS[comparison.measure]}]"
    ahead = finding.superiority
    return [
        comparison.claim + measure + (f" ({', '.join(marks)})" if marks else ""),
        tag("span", one.verdict, class_=VERDICT_CLASS[one.verdict]),
        effect_words(finding),
        DASH if math.isnan(one.p_adjusted) else f"{one.p_adjusted:.2g}",
        DASH
        if ahead is None or math.isnan(ahead.value)
        else f"{ahead.value:.2f} ({ahead.low:.2f} to {ahead.high:.2f})",
        DASH if one.still_needed is None else f"{one.still_needed:,}",
    ]


def effect_words(finding: Finding) -> str:
    """An effect with its interval in the unit of its kind."""
    effect, comparison = finding.effect, finding.comparison
    if math.isnan(effect.value):
        return DASH
    if comparison.kind == "needed":
        return f"{_ratio(effect.value)} ({_ratio(effect.low)} to {_ratio(effect.high)})"
    if comparison.kind == "at-least" or comparison.measure not in SHARES:
        return estimate_words(effect, comparison.measure)
    value, low, high = (f"{100 * one:+.1f}".replace("-", "−") for one in (effect.value, effect.low, effect.high))
    return f"{value} points ({'one seed' if math.isnan(effect.low) else f'{low} to {high}'})"


def _ratio(value: float) -> str:
    return "beyond what was tried" if math.isinf(value) else DASH if math.isnan(value) else f"{value:.2f}×"


def references_section(view: StudyView, album: Album) -> Html:
    """Numbers of others beside ours: inside our interval or outside, and whether 95 % of our single runs lie there."""
    summary = view.summary
    if not summary.beside:
        return Html()
    words = {one.address: words for words, one in lay_out(summary.study.contenders).labelled()}
    rows = [
        [
            words[one.reference.cell],
            one.reference.source,
            f"{100 * one.reference.value:.1f} %" if one.reference.measure in SHARES else f"{one.reference.value:g}",
            estimate_words(one.ours, one.reference.measure),
            tag("span", "inside" if one.inside else "outside", class_="right" if one.inside else "wrong"),
            "yes" if one.among_runs else "no",
        ]
        for one in summary.beside
    ]
    inside = sum(one.inside for one in summary.beside)
    among = sum(one.among_runs for one in summary.beside)
    said = (
        f"Of {len(summary.beside)} numbers of others {inside} lie in the interval of our mean, and {among} where 95 % "
        "of our single runs do."
    )
    chart = album.chart("references", plot_references(summary), said)
    caption = (
        "Diamonds: numbers of others (blue inside our interval, orange outside); dots: our seeds; black: our mean with "
        "its 95 % interval. A single seed may lie anywhere among the dots."
    )
    head = ["Cell", "Source", "Theirs", "Ours (95 %)", "In the interval", "Among our single runs"]
    return joined(
        [paragraph(said), figure(chart, caption), details("As a table", table(head, rows, names=2)), tag("p")]
    )
