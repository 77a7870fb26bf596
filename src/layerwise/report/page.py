"""`write_report`: the sections of a run folder as one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from layerwise.report.answer import answer
from layerwise.report.classes import class_section
from layerwise.report.depth import depth_section, tap_section
from layerwise.report.encoders import encoder_section
from layerwise.report.exits import exits_section
from layerwise.report.factors import factor_section
from layerwise.report.features import feature_section
from layerwise.report.galleries import data_section, gallery_section
from layerwise.report.html import Html, joined, name, tag
from layerwise.report.kinds import kinds_section
from layerwise.report.labels import dynamics_section, labels_section
from layerwise.report.maps import maps_section
from layerwise.report.method import method_section
from layerwise.report.over_runs import over_runs_section
from layerwise.report.pictures import Album
from layerwise.report.stories import story_section
from layerwise.report.training import training_section
from layerwise.report.units import unit_section
from layerwise.runs import write_text
from layerwise.views.approximation import approximation
from layerwise.views.run import RunView, read_run

Section = Callable[[RunView, Album], Html]

SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("depth", "Where images are decided", depth_section),
    ("taps", "What each tap can tell", tap_section),
    ("examples", "Easiest, last decided, unresolved", gallery_section),
    ("stories", "Three examples, tap by tap", story_section),
    ("maps", "The images at every tap", maps_section),
    ("encoders", "What few numbers keep, and where new images fall", encoder_section),
    ("filters", "Filters and feature maps", feature_section),
    ("units", "What the units do", unit_section),
    ("exits", "How much of the network each image needs", exits_section),
    ("kinds", "Four kinds of difficulty", kinds_section),
    ("over-runs", "How far one run can be trusted", over_runs_section),
    ("labels", "Labels that may be wrong", labels_section),
    ("dynamics", "What images went through in training", dynamics_section),
    ("classes", "Classes", class_section),
    ("factors", "What makes an image hard", factor_section),
    ("data", "The data at a glance", data_section),
    ("training", "Training", training_section),
    ("method", "How these numbers were made", method_section),
)


def write_report(run: Path | str) -> Path:
    """Write RUN/report.html, one file that needs no network and no JavaScript, and its charts as RUN/figures/*.svg.

    The same run folder gives the same bytes.

    Args:
        run: a run folder in which difficulty was measured, as a path or a string.

    Returns:
        The path of the report.

    Raises:
        RunError: nothing was measured in the folder, or its parts do not belong together.
        FileError: a file in it is truncated or of another kind.
    """
    run = Path(run)
    view = read_run(run)
    path = run / "report.html"
    write_text(path, page(view, title=run.resolve().name, figures=run / "figures"))
    return path


def page(view: RunView, *, title: str, figures: Path) -> str:
    """The whole page; sections that have nothing to say are left out. Charts are also written to `figures`."""
    album = Album(figures)
    written = [(key, heading, build(view, album)) for key, heading, build in SECTIONS]
    kept = [(key, heading, body) for key, heading, body in written if body]
    return fill_page(title, _subject(view), answer(view), kept)


def fill_page(title: str, subject: Html, answer: Html, sections: Sequence[tuple[str, str, Html]]) -> str:
    """A page of its title, what it is about, the answer, and sections: key, heading, body."""
    links = (tag("a", heading, href=f"#{key}") for key, heading, _ in sections)
    written = (tag("section", tag("h2", heading), body, id=key) for key, heading, body in sections)
    templates = files("layerwise.report") / "templates"
    return Template((templates / "page.html").read_text(encoding="utf-8")).substitute(
        title=joined([title]),
        heading=name(title),
        subject=subject,
        style=(templates / "style.css").read_text(encoding="utf-8"),
        answer=answer,
        links=joined(links),
        sections=joined(written),
    )


def _subject(view: RunView) -> Html:
    """Which network was measured on which data, where it was recorded."""
    recorded = (view.model.get("spec"), view.run.get("steps", {}).get("difficulty", {}).get("data"))
    known = [name(str(fact)) for fact in recorded if fact]
    subject = Html(" · ".join(["example difficulty", *([" on ".join(known)] if known else [])]))
    said = approximation(view.taps)
    return joined([subject, f" · {said}"]) if said else subject
