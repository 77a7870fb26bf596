"""Seeds that are too few to decide anything are told before a run, claims that are left open after it."""

from __future__ import annotations

from dataclasses import replace

from layerwise.arrays.blocks import Estimate
from layerwise.study.checks.check import Check
from layerwise.study.checks.seeds import check_few, check_seeds
from layerwise.study.comparisons import Finding, Verdict
from layerwise.study.summary import Judged
from study_files import small

STUDY = small(("seeds = 3", "seeds = 5"))
WORDS = "simple-cnn above two-layer-mlp (train_per_class = 2): open after 5 seeds"
DO = "plan a new study{} or with looks; to add seeds until a claim comes true errs more often than alpha says"


def judged(still_needed: int | None, verdict: Verdict = "open", blocks: int = 5) -> Judged:
    effect = Estimate(0.02, -0.01, 0.05, blocks)
    return Judged(Finding(STUDY.comparisons[0], effect, 0.2, (), None, still_needed), 0.2, verdict, True)


def test_with_too_few_seeds_no_claim_can_be_decided() -> None:
    saw = "5 seeds can decide none of 2 claims: even where all seeds agree, p is 0.062, and one of them needs 0.025"
    assert check_few(STUDY) == Check("seeds enough", False, saw, "run 7 or more, better twice as many")
    assert check_few(small(("seeds = 3", "seeds = 7"))).saw == "7; fewer than 7 could decide none of 2 claims"
    assert not check_few(small(("seeds = 3", "seeds = 7\nalpha = 0.01"))).fine
    assert not check_few(small(("seeds = 3", "seeds = 7\nlooks = [6, 7]"))).fine


def test_without_a_claim_of_a_difference_any_number_of_seeds_will_do() -> None:
    same = tuple(replace(one, kind="same", bound=0.1) for one in STUDY.comparisons)
    assert check_few(replace(STUDY, comparisons=same)) == Check("seeds enough", True, "no difference is claimed")
    assert check_few(replace(STUDY, comparisons=(*same, STUDY.comparisons[2]))).saw == (
        "5 seeds can decide none of 1 claims: even where all seeds agree, p is 0.062, and one of them needs 0.05"
    )


def test_an_open_claim_is_told_with_the_seeds_that_would_decide_it() -> None:
    found = check_seeds([judged(None), judged(40), judged(5, "supported")])
    saw = f"{WORDS}, about 40 in all would show 0.02; {WORDS}, no number of seeds is known that would decide it"
    assert found == Check("seeds enough", False, saw, DO.format(" with 40 seeds,"))
    assert check_seeds([judged(None)]).do == DO.format("")


def test_claims_that_are_decided_need_no_more_seeds() -> None:
    decided = judged(40, "contradicted")
    assert decided.still_needed is None
    assert check_seeds([decided]) == Check("seeds enough", True, "1 of 1 claims are decided")


def test_before_there_is_a_block_nothing_is_said_of_seeds() -> None:
    assert check_seeds([judged(None, blocks=0)]) == Check("seeds enough", True, "0 of 1 claims are decided")
