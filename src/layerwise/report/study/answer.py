"""The top of a study's report: the verdict by the rule, the prediction, and the picture that carries it."""

from __future__ import annotations

import math

from layerwise.arrays.blocks import Estimate
from layerwise.plots.studies import MEASURE_WORDS, plot_outcomes
from layerwise.report.html import DASH, Html, figure, joined, tag
from layerwise.report.pictures import Album
from layerwise.report.study.view import StudyView
from layerwise.study.summary import StudySummary
from layerwise.study.trials import SHARES
from layerwise.views.studies import lay_out

VERDICT_CLASS = {"supported": "right", "contradicted": "wrong", "open": ""}


def answer(view: StudyView, album: Album) -> Html:
    """The verdict, the hypothesis, and every run in one picture."""
    return joined([verdict_words(view.summary), tiles(view.summary), outcomes(view.summary, album)])


def verdict_words(summary: StudySummary) -> Html:
    """The verdict and the prediction it is about."""
    primary = [one for one in summary.judged if one.finding.comparison.primary and one.planned]
    came = sum(one.verdict == "supported" for one in primary)
    against = sum(one.verdict == "contradicted" for one in primary)
    rule = f"{came} of {len(primary)} planned claims came true, {against} came out the other way. "
    if not summary.used:
        rule = f"No planned look is reached yet: {summary.blocks} of {summary.study.looks[0]} blocks are whole. "
    return joined(
        [
            tag("p", "Predicted: ", tag("em", " ".join(summary.study.hypothesis.split())), class_="lead"),
            tag(
                "p",
                tag("b", f"{summary.verdict}. ", class_=VERDICT_CLASS[summary.verdict]),
                rule,
                " ".join(summary.departures),
                class_="lead",
            ),
        ]
    )


def tiles(summary: StudySummary) -> Html:
    """The study in four numbers."""
    runs, lost = len(summary.records), len(summary.failures)
    hours = summary.records["seconds"].sum() / 3600
    facts = (
        (f"{summary.used}", "seeds", "each a block of data, weights and order"),
        (f"{len(summary.study.contenders)}", "cells", "compared within each seed"),
        (f"{runs:,}", "runs", f"{lost} of them came to nothing" if lost else "all finished"),
        (f"{60 * hours:.0f} min", "of one core", f"{3600 * hours / max(runs, 1):.2f} s a run"),
    )
    drawn = (
        tag("div", tag("strong", number), tag("span", words), tag("small", more), class_="tile")
        for number, words, more in facts
    )
    return tag("div", *drawn, class_="tiles")


def outcomes(summary: StudySummary, album: Album) -> Html:
    """Every run beside the mean of its cell."""
    alt = "; ".join(
        f"{words}: {estimate_words(summary.estimate(contender), summary.study.measure)}"
        for words, contender in lay_out(summary.study.contenders).labelled()
    )
    chart = album.chart("outcomes", plot_outcomes(summary), alt)
    beside = " Open diamonds: numbers of others." if summary.beside else ""
    caption = (
        f"{MEASURE_WORDS[summary.study.measure].capitalize()}; each dot is one seed, marks are means with 95 % "
        f"intervals over {summary.used} seeds.{beside}"
    )
    return figure(chart, caption)


def number_words(value: float, measure: str) -> str:
    """A number, shares in percent.

    >>> number_words(0.7131, "test_accuracy"), number_words(1.1096, "test_loss")
    ('71.3 %', '1.110')
    """
    if math.isnan(value):
        return DASH
    return f"{100 * value:.1f} %" if measure in SHARES else f"{value:.3f}"


def estimate_words(found: Estimate, measure: str) -> str:
    """A number with its interval, shares in percent."""
    if math.isnan(found.value):
        return DASH
    low, high = (number_words(end, measure) for end in (found.low, found.high))
    ends = "one seed" if math.isnan(found.low) else f"{low.removesuffix(' %')} to {high.removesuffix(' %')}"
    return f"{number_words(found.value, measure)} ({ends})"
