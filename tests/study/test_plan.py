"""What was planned before the first run is held against what is claimed, allowed and looked at afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwise.arrays.blocks import spending
from layerwise.study.file import Study
from layerwise.study.plan import Plan
from layerwise.study.store import Store
from layerwise.study.summary import StudySummary, load_study, summarize
from study_files import made_up, small

CLAIM = "simple-cnn above two-layer-mlp (train_per_class = 2)"
FIRST = ("for.data.train_per_class = [2, 4]", "for.data.train_per_class = 4")
TEN = ("seeds = 3", "seeds = 10")


def contradicted(folder: Path) -> Store:
    """Ten seeds, in all of which later cells are better: both claims of the study fail."""
    return made_up(small(TEN), folder)


def later(store: Store, study: Study) -> StudySummary:
    """The study as it is asked again."""
    store.begin(study)
    return load_study(store.folder)


def test_the_plan_is_noted_once(tmp_path: Path) -> None:
    store = contradicted(tmp_path / "study")
    store.begin(small(("seeds = 3", "seeds = 20\nalpha = 0.1"), FIRST))
    plan = Plan.read(store.plan(), small())
    identities = tuple(one.identity for one in small().comparisons)
    assert plan == Plan(small().plan, small().hypothesis, identities, 0.05, (10,))


def test_a_study_that_is_as_it_was_planned_departs_in_nothing(tmp_path: Path) -> None:
    summary = later(contradicted(tmp_path / "study"), small(TEN))
    assert (summary.verdict, summary.departures, summary.gone, summary.planned_look) == ("contradicted", (), (), True)


def test_a_planned_claim_that_is_taken_out_leaves_the_verdict_open(tmp_path: Path) -> None:
    store = contradicted(tmp_path / "study")
    summary = later(store, small(TEN, FIRST))
    assert summary.verdict == "open"
    assert [one.claim for one in summary.gone] == [CLAIM]
    assert summary.departures == (
        f"1 planned claim is no longer in the file as planned ({CLAIM}), so the verdict is open.",
    )
    assert summary.judged[0].p_adjusted == 2 * summary.judged[0].finding.p


def test_a_planned_claim_that_is_made_secondary_leaves_the_verdict_open(tmp_path: Path) -> None:
    secondary = (FIRST[0], f"{FIRST[0]}\nprimary = false")
    summary = later(contradicted(tmp_path / "study"), small(TEN, secondary))
    assert summary.verdict == "open"
    assert summary.departures == (
        f"2 planned claims are no longer in the file as planned (the first: {CLAIM}), so the verdict is open.",
    )


def test_a_secondary_claim_that_is_taken_out_is_told_and_does_not_count(tmp_path: Path) -> None:
    summary = later(contradicted(tmp_path / "study"), small(TEN, ("level = 0.5", "level = 0.6")))
    assert summary.verdict == "contradicted"
    needed = "simple-cnn reaches 0.5 with fewer train_per_class than two-layer-mlp"
    assert summary.departures == (f"1 planned claim is no longer in the file as planned ({needed}).",)


def test_another_alpha_makes_all_claims_exploratory(tmp_path: Path) -> None:
    summary = later(contradicted(tmp_path / "study"), small(("seeds = 3", "seeds = 10\nalpha = 0.5")))
    assert (summary.verdict, [one.planned for one in summary.judged]) == ("open", [False] * 3)
    assert summary.departures == ("alpha was 0.05 before the first run and is 0.5 now, so all claims are exploratory.",)


def test_planned_claims_do_not_pay_for_exploratory_ones(tmp_path: Path) -> None:
    store = made_up(small(TEN, FIRST), tmp_path / "study")
    summary = later(store, small(TEN))
    planned, added = (
        [one for one in summary.judged if one.planned is kind and one.finding.comparison.primary]
        for kind in (True, False)
    )
    assert [one.p_adjusted for one in planned] == [one.finding.p for one in planned]
    assert [one.finding.comparison.claim for one in added] == [CLAIM]


def test_more_blocks_than_were_planned_are_told(tmp_path: Path) -> None:
    store = made_up(small(("seeds = 3", "seeds = 12")), tmp_path / "study")
    _replan(store, looks=[10])
    summary = load_study(store.folder)
    assert summary.departures == ("10 blocks were planned, 12 ran, so p values are exploratory.",)
    assert (summary.planned_look, summary.verdict) == (False, "contradicted")


def test_fewer_blocks_without_a_planned_look_are_told_and_stay_useful(tmp_path: Path) -> None:
    study = small(("seeds = 3", "seeds = 20")).with_seeds(10)
    store = made_up(study, tmp_path / "study")
    summary = load_study(store.folder)
    assert store.plan()["looks"] == [20]
    assert summary.departures == (
        "10 of 20 planned blocks are done, and the plan was to judge the results only after 20, so p values are "
        "exploratory.",
    )
    assert (summary.used, summary.planned_look, summary.verdict) == (10, False, "contradicted")


def test_all_looks_that_were_planned_are_named(tmp_path: Path) -> None:
    looks = small(("seeds = 3", "seeds = 20\nlooks = [10, 15, 20]")).with_seeds(4)
    summary = load_study(made_up(looks, tmp_path / "study").folder)
    assert summary.departures == (
        "4 of 20 planned blocks are done, and the plan was to judge the results only after 10, 15 or 20, so p values "
        "are exploratory.",
    )


def test_a_planned_look_has_its_own_error_though_fewer_seeds_are_asked_for(tmp_path: Path) -> None:
    looks = small(("seeds = 3", "seeds = 20\nlooks = [10, 20]"))
    store = made_up(looks.with_seeds(10), tmp_path / "study")
    summary = load_study(store.folder)
    assert (summary.used, summary.departures) == (10, ())
    assert summary.alpha == pytest.approx(spending([10, 20])[0])


def test_more_seeds_at_the_first_run_than_in_the_file_are_planned(tmp_path: Path) -> None:
    store = made_up(small().with_seeds(10), tmp_path / "study")
    assert store.plan()["looks"] == [3, 10]
    assert load_study(store.folder).departures == ()


def test_a_folder_that_noted_neither_alpha_nor_looks_is_read(tmp_path: Path) -> None:
    store = contradicted(tmp_path / "study")
    _replan(store, alpha=None, looks=None)
    summary = load_study(store.folder)
    assert (summary.verdict, summary.departures) == ("contradicted", ())


def test_before_the_first_look_nothing_is_said_of_looks(tmp_path: Path) -> None:
    store = made_up(small(), tmp_path / "study")
    summary = summarize(replace(small(), seeds=20, looks=(20,)), store)
    assert (summary.used, summary.departures, np.isnan(summary.judged[0].p_adjusted)) == (0, (), True)


def _replan(store: Store, **noted: object) -> None:
    """Note something else as the plan; None leaves it out."""
    plan = {**store.plan(), **noted}
    kept = {key: value for key, value in plan.items() if value is not None}
    (store.folder / "plan.json").write_text(json.dumps(kept))
