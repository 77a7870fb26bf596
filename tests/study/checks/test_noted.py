"""What was looked at before the first run is kept, and is looked at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerwise.errors import InputError
from layerwise.study.checks import noted
from layerwise.study.checks.noted import all_checks, note_checks
from layerwise.study.store import Store
from layerwise.study.summary import summarize
from study_files import made_up, small


def test_checks_are_made_once_for_the_same_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "study")
    store.begin(small())
    first = note_checks(small(), store)
    assert {"classes balanced", "learns by heart"} <= {one.name for one in first}

    def refuse(*_: object) -> None:
        raise AssertionError("looked at twice")

    monkeypatch.setattr(noted, "check_before", refuse)
    again = note_checks(small(("seeds = 3", "seeds = 9")), store)
    assert again[:-1] == first[:-1]
    assert [(one.name, one.fine) for one in (first[-1], again[-1])] == [("seeds enough", False), ("seeds enough", True)]
    with pytest.raises(AssertionError):
        note_checks(small(("training.epochs = 2", "training.epochs = 3")), store)


def test_a_study_that_cannot_be_looked_at_is_run_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise InputError("no such file")

    monkeypatch.setattr(noted, "check_before", fail)
    store = Store(tmp_path / "study")
    store.begin(small())
    told, _ = note_checks(small(), store)
    assert (told.fine, told.saw) == (False, "no such file")


def test_the_report_has_both_kinds_each_once(tmp_path: Path) -> None:
    study = small()
    store = made_up(study, tmp_path / "study")
    note_checks(study, store)
    found = all_checks(summarize(study, store), store, store.table(series=True))
    names = [one.name for one in found]
    assert len(names) == len(set(names)) == 15
    assert {"classes balanced", "curves flattened", "not tuned on what is reported"} <= set(names)
