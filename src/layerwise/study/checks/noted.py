"""note_checks: what was looked at before the first run, kept beside the results; all_checks adds what is seen after."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

import pandas as pd

from layerwise.errors import InputError
from layerwise.runs import write_json
from layerwise.study.checks import check_after, check_before
from layerwise.study.checks.before import check_reported
from layerwise.study.checks.check import Check
from layerwise.study.checks.seeds import check_few
from layerwise.study.file import Study
from layerwise.study.kept import read_cache
from layerwise.study.store import Store
from layerwise.study.summary import StudySummary

FILE = "checks.json"


def note_checks(study: Study, store: Store) -> tuple[Check, ...]:
    """Look at a study before it is run, unless all was fine when these cells were looked at; seeds are counted anew."""
    noted = _noted(study, store)
    seeds = check_few(study)
    if noted is None or not all(one.fine for one in noted if one.name != seeds.name):
        try:
            noted = check_before(study)
        except InputError as error:  # the runs of that cell will fail, and the others go on
            noted = (Check("can be looked at", fine=False, saw=str(error), do="mend this cell, or leave it out"),)
        write_json(store.folder / FILE, {"cells": _cells(study), "checks": [asdict(one) for one in noted]})
    return (*(one for one in noted if one.name != seeds.name), seeds)


def all_checks(summary: StudySummary, store: Store, series: pd.DataFrame) -> tuple[Check, ...]:
    """What was noted before the first run, and what is seen in the results.

    Args:
        summary: of the study.
        store: of its results.
        series: `Store.table(series=True)`.
    """
    after = check_after(summary.study, series, summary.judged)
    reported = check_reported(summary.study)  # claims may have changed since the cells were looked at
    before = _noted(summary.study, store) or ()
    told = {one.name for one in (reported, *after)}
    return (*(one for one in before if one.name not in told), reported, *after)


def _noted(study: Study, store: Store) -> tuple[Check, ...] | None:
    known = read_cache(store.folder / FILE)
    checks = known.get("checks")
    if known.get("cells") != _cells(study) or not isinstance(checks, list) or not all(map(_is_check, checks)):
        return None
    return tuple(Check(**one) for one in checks)


def _is_check(one: Any) -> bool:
    kinds = {"name": str, "fine": bool, "saw": str, "do": str}
    return isinstance(one, dict) and {key: type(value) for key, value in one.items()} == kinds


def _cells(study: Study) -> str:
    return hashlib.sha256("\n".join(cell.address for cell in study.cells).encode()).hexdigest()[:16]
