"""write_study_report: the results in a folder as pages.

write_study_page     a study as one page, with its numbers beside it
write_study_index    several, side by side
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from layerwise.progress import Progress, silent
from layerwise.report.html import Html, joined, name, tag
from layerwise.report.page import fill_page
from layerwise.report.pictures import Album
from layerwise.report.study.answer import answer, outcomes, verdict_words
from layerwise.report.study.claims import claims_section, references_section
from layerwise.report.study.method import method_section
from layerwise.report.study.runs import (
    calibration_section,
    checks_section,
    confusion_section,
    curves_section,
    kernels_section,
    ledger_section,
)
from layerwise.report.study.tables import write_tables
from layerwise.report.study.view import StudyView, read_study_view
from layerwise.runs import as_file_name, write_text
from layerwise.study.file import Study
from layerwise.study.store import find_stores

Section = Callable[[StudyView, Album], Html]

SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("claims", "What was claimed, and what was found", claims_section),
    ("references", "Numbers of others beside ours", references_section),
    ("checks", "What a careful experimenter checks", checks_section),
    ("curves", "Every seed, epoch by epoch", curves_section),
    ("confusion", "Which classes are taken for which", confusion_section),
    ("calibration", "Whether confidence can be believed", calibration_section),
    ("kernels", "First kernels before and after", kernels_section),
    ("ledger", "Every run", ledger_section),
    ("method", "How these numbers were made", method_section),
)


def write_study_report(folder: Path | str, *, progress: Progress = silent) -> Path:
    """Write FOLDER/report.html: the verdict, the picture that carries it, and everything behind it.

    Beside it: charts as figures/*.svg, summary.json, cells.csv, claims.csv, runs.csv. The report needs no network and
    no JavaScript.

    Args:
        folder: of a study's results, or above those of several: each gets its report, and report.html in the folder
            shows them side by side.
        progress: is shown the studies.

    Returns:
        The path of FOLDER/report.html.

    Raises:
        StudyError: there are no results.
    """
    folder, written = Path(folder), []
    stores = find_stores(folder)
    for store in progress(stores, total=len(stores), what="reports"):
        view = read_study_view(store)
        written.append((view, write_study_page(view, store.folder)))
    first = written[0][1]
    return first if first.parent == folder else write_study_index(written, folder)


def write_study_page(view: StudyView, folder: Path) -> Path:
    """Write FOLDER/report.html, its charts as FOLDER/figures/*.svg, and summary.json, cells.csv, claims.csv, runs.csv.

    Returns:
        The path of the report.
    """
    album = Album(folder / "figures")
    write_tables(view.summary, folder)
    written = [(key, heading, build(view, album)) for key, heading, build in SECTIONS]
    kept = [one for one in written if one[2]]
    path = folder / "report.html"
    write_text(path, fill_page(view.summary.study.title, _subject(view.summary.study), answer(view, album), kept))
    return path


def _subject(study: Study) -> Html:
    """That it is a study, and what its question is called."""
    return Html(" · ".join(["study", *([name(study.question)] if study.question else [])]))


def write_study_index(views: Sequence[tuple[StudyView, Path]], folder: Path) -> Path:
    """Write FOLDER/report.html: each study's verdict and the picture that carries it, with a link to its own report.

    Args:
        views: studies with the paths of their reports.
        folder: above them.
    """
    keys = _section_keys([path.parent.name for _, path in views])
    sections = [_beside(view, path, folder, key) for key, (view, path) in zip(keys, views, strict=True)]
    verdicts = [view.summary.verdict for view, _ in views]
    told = ", ".join(f"{verdicts.count(one)} {one}" for one in ("supported", "contradicted", "open"))
    path = folder / "report.html"
    lead = tag("p", f"{len(views)} studies: {told}.", class_="lead")
    write_text(path, fill_page(folder.resolve().name, Html("studies"), lead, sections))
    return path


def _section_keys(folders: Sequence[str]) -> list[str]:
    """Names for sections and files, by folder, for one study may lie in two; numbered where they would be the same."""
    names = [as_file_name(one) for one in folders]
    return [name if names.count(name) == 1 else f"{name}-{place}" for place, name in enumerate(names, start=1)]


def _beside(view: StudyView, path: Path, folder: Path, key: str) -> tuple[str, str, Html]:
    """A study's section on the page of several: key, heading, body."""
    shown = [
        verdict_words(view.summary),
        outcomes(view.summary, Album(folder / "figures", prefix=f"{key}-")),
        tag("p", tag("a", "The whole report", href=path.relative_to(folder).as_posix())),
    ]
    return key, f"{view.summary.study.title} ({path.parent.name})", joined(shown)
