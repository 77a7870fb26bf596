"""check_study: all checks of a study, before a run and in its results; check_results: those of the results alone."""

from __future__ import annotations

from pathlib import Path

from layerwise.study.checks import check_after, check_before
from layerwise.study.checks.check import Check
from layerwise.study.file import Study
from layerwise.study.store import PLAN, Store
from layerwise.study.summary import summarize


def check_study(study: Study, folder: Path | str | None = None) -> tuple[Check, ...]:
    """What a careful experimenter looks at: images, networks and plan, and the results, where there are some.

    Args:
        study: of which the images of the first block are looked at; seconds for small networks.
        folder: of its results.

    Raises:
        InputError: the images or the network of a cell cannot be had.
        StudyError: the folder holds something else than a study.
    """
    return (*check_before(study), *(() if folder is None else check_results(study, folder)))


def check_results(study: Study, folder: Path | str) -> tuple[Check, ...]:
    """What is seen in the results of a study; nothing where there are none.

    Raises:
        StudyError: the folder holds something else than a study.
    """
    if not Path(folder).exists():
        return ()
    store = Store(folder)
    if not (store.folder / PLAN).exists():
        return ()
    return check_after(study, store.table(series=True), summarize(study, store).judged)
