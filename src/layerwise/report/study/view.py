"""StudyView: what a report of a study is made of; read_study_view: from its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from layerwise.study.checks.check import Check
from layerwise.study.checks.noted import all_checks
from layerwise.study.described import Described, describe
from layerwise.study.store import Store
from layerwise.study.summary import StudySummary, summarize


@dataclass(frozen=True, eq=False)
class StudyView:
    """A study as its report shows it.

    Attributes:
        summary: what was found.
        series: `Store.table(series=True)`, with curves, confusion, reliability and kernels.
        described: class names and shapes of kernels by a cell's address.
        checks: what a careful experimenter looks at.
    """

    summary: StudySummary
    series: pd.DataFrame = field(repr=False)
    described: Mapping[str, Described] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()


def read_study_view(store: Store) -> StudyView:
    """The study that was last run in a store.

    Raises:
        StudyError: nothing was run there.
    """
    study = store.study()
    summary, series = summarize(study, store), store.table(series=True)
    return StudyView(summary, series, describe(study, store), all_checks(summary, store, series))
