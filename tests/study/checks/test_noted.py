"""What was looked at before the first run is kept, and is looked at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerwise.errors import InputError
from layerwise.study.checks import noted
from layerwise.study.checks.check import Check
from layerwise.study.checks.noted import all_checks, note_checks
from layerwise.study.checks.seeds import check_few
from layerwise.study.store import Store
from layerwise.study.summary import summarize
from study_files import made_up, small

FINE = (Check("classes balanced", fine=True, saw="2 of each"),)


def test_checks_that_are_fine_are_made_once_for_the_same_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "study")
    store.begin(small())
    monkeypatch.setattr(noted, "check_before", lambda _: FINE)
    assert note_checks(small(), store)[:-1] == FINE

    def refuse(*_: object) -> None:
        raise AssertionError("looked at twice")

    monkeypatch.setattr(noted, "check_before", refuse)
    again = note_checks(small(("seeds = 3", "seeds = 9")), store)
    assert again == (*FINE, check_few(small(("seeds = 3", "seeds = 9"))))
    with pytest.raises(AssertionError):
        note_checks(small(("training.epochs = 2", "training.epochs = 3")), store)


def test_a_fault_that_was_mended_is_not_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "study")
    store.begin(small())
    fault = (Check("one image alone", fine=False, saw="a squeeze", do="do not squeeze"),)
    monkeypatch.setattr(noted, "check_before", lambda _: fault)
    assert note_checks(small(), store)[:-1] == fault
    monkeypatch.setattr(noted, "check_before", lambda _: FINE)
    assert note_checks(small(), store)[:-1] == FINE
    assert note_checks(small(), store)[:-1] == FINE


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
