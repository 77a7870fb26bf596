"""How a study's numbers were made, and its file."""

from __future__ import annotations

from layerwise.report.html import Html, details, joined, paragraph, tag
from layerwise.report.pictures import Album
from layerwise.report.study.view import StudyView


def method_section(view: StudyView, album: Album) -> Html:
    """The rule of the verdict, the statistics, and the plan."""
    del album
    summary = view.summary
    study, plan = summary.study, summary.plan
    looks = f" Looks were planned after {', '.join(map(str, plan.looks))} blocks." if len(plan.looks) > 1 else ""
    return joined(
        [
            paragraph(
                f"Every cell was trained once in each of {summary.used} blocks. A block has a stream of its own for "
                "data, for initial weights and for order, so all networks of a block see the same images and are "
                "compared within it. The hypothesis is supported if every primary planned claim is, contradicted if "
                f"one surely came out the other way, else open; the error allowed is {study.alpha:g}.{looks}"
            ),
            paragraph(
                "Intervals: bootstrap over blocks, never narrower than Student's. Differences: sign-flip permutation "
                "test. Claims of sameness: two one-sided t tests. Several claims: Holm. Amounts needed: where the mean "
                "crosses the level, on a logarithmic scale, blocks resampled."
            ),
            paragraph(" ".join([f"Plan {plan.digest}, noted before the first run.", *summary.departures])),
            details("The study's file", tag("pre", study.text)),
        ]
    )
