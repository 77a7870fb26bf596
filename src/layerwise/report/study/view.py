"""StudyView: what a report of a study is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from layerwise.study.checks.check import Check
from layerwise.study.described import Described
from layerwise.study.summary import StudySummary


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
