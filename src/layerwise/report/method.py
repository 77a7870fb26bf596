"""The section that says how the numbers were made: definitions, choices, and what was recorded of the run."""

from __future__ import annotations

from collections.abc import Iterator

from layerwise.report.html import Html, details, joined, name, table, tag
from layerwise.report.pictures import Album
from layerwise.views.approximation import approximation
from layerwise.views.records import recorded_lines
from layerwise.views.run import RunView

PAPER = "Baldock, Maennel and Neyshabur (2021), Deep learning through the lens of example difficulty"
PAPER_ADDRESS = "https://arxiv.org/abs/2106.09647"


def method_section(view: RunView, _: Album) -> Html:
    """Definitions in a few lines, and what run.json and model.json say; not in whose folder it was: a page travels."""
    terms = (part for term, words in _definitions(view) for part in (tag("dt", term), tag("dd", words)))
    lines = [[name(key), name(value)] for key, value in recorded_lines(view)]
    if not lines:
        return tag("dl", *terms)
    recorded = details("All that was recorded of this run", table(["What", "Value"], lines, names=2))
    return joined([tag("dl", *terms), recorded])


def _definitions(view: RunView) -> Iterator[tuple[str, str]]:
    many = "k" if view.neighbors is None else f"k = {view.neighbors.shape[2]}"
    base = "" if view.base is None else f" {len(view.base):,}"
    yield "Tap", "A named place of the network whose values are read; the raw pixels first, the softmax last."
    yield (
        "Probe",
        f"At each tap, the class of most of the {many} nearest of{base} training images, by Euclidean distance between "
        "flattened activations. Equal counts go to the class whose nearest voter is nearer; equally near images "
        "are put in a fixed, shuffled order.",
    )
    said = approximation(view.taps)
    if said:
        yield "Approximation", said
    yield (
        "Prediction depth",
        joined(
            [
                f"The first tap from which every later probe agrees with {view.reference_words}: 0 to "
                f"{len(view.taps) - 1}; {len(view.taps)} is unresolved. ",
                tag(
                    "a",
                    PAPER,
                    href=PAPER_ADDRESS,
                ),
                ", section 2.1.",
            ]
        ),
    )
    splits = " and ".join(f"{len(view.rows(split)):,} {split} images" for split in view.splits)
    alone = " Training images are measured leave-one-out: none is its own neighbour." if "train" in view.splits else ""
    yield "Images measured", f"{splits}.{alone}"
    yield (
        "Intervals",
        "95 %: Wilson's for shares, Student's for means, Fisher's (Bonett and Wright 2000) for rank correlations. They "
        "speak of the images drawn, given this one trained network; another training run would differ by more.",
    )
