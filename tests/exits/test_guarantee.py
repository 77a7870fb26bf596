"""The promise, by redraws of a known population."""

from __future__ import annotations

import re

import numpy as np
import pytest

from exits.populations import drawn, recorded
from layerwise.arrays.exits import simulate
from layerwise.arrays.policies import EntropyBelow, ExitPolicy, MaxProbabilityAbove
from layerwise.errors import InputError, NotEnoughExamplesError
from layerwise.exits.guarantee import choose_with_guarantee
from layerwise.exits.recorded import RecordedExits


def harm_of(policy: ExitPolicy, population: RecordedExits) -> float:
    _, answers = simulate(policy, population.logits)
    return float((population.plain_right & (answers.argmax(axis=1) != population.labels)).mean())


@pytest.mark.slow
def test_a_promise_is_kept_in_nine_of_ten_redraws_where_the_best_threshold_breaks_it() -> None:
    """300 redraws of 300 examples; the share of broken promises has a standard error of 1.7 points."""
    population = _with_disagreement(20_000, 0)
    broken = naive = 0
    random = np.random.default_rng(1)
    for redraw in range(300):
        calibration = population.select(random.choice(len(population), 300, replace=False))
        chosen = choose_with_guarantee(calibration, MaxProbabilityAbove(0), harm=0.05, risk=0.1, seed=redraw)
        broken += harm_of(chosen.policy, population) > 0.05
        if redraw < 60:
            naive += harm_of(_best_on(calibration), population) > 0.05
    assert broken / 300 <= 0.1
    assert naive / 60 > 0.2


def _with_disagreement(count: int, seed: int) -> RecordedExits:
    """Exits that err on their own: some examples are right at the last exit only, and early confidence tells little."""
    random = np.random.default_rng(seed)
    sure = 0.5 + 0.5 * random.random((3, count)) ** np.array([1.0, 0.6, 0.2])[:, None]
    right = random.random((3, count)) < sure
    logits = np.zeros((3, count, 2))
    logits[:, :, 0] = np.log(sure / (1 - sure + 1e-9)) * np.where(right, 1, -1)
    return recorded(logits, np.zeros(count, np.int64), split="validation")


def _best_on(calibration: RecordedExits) -> ExitPolicy:
    """The boldest single threshold that harms at most 5 % of the calibration examples themselves."""
    cuts = np.linspace(0.5, 1, 200)
    harms = [harm_of(MaxProbabilityAbove(float(cut)), calibration) for cut in cuts]
    return MaxProbabilityAbove(float(cuts[np.flatnonzero(np.array(harms) <= 0.05)[0]]))


def test_a_calibration_split_that_is_too_small_for_the_promise_says_how_many_are_needed() -> None:
    message = (
        "a promise of at most 2% harm with probability 90% needs 228 calibration examples (half to order the "
        "thresholds, half to prove them); got 100.\n    Give more, or promise less."
    )
    with pytest.raises(NotEnoughExamplesError, match=re.escape(message)):
        choose_with_guarantee(drawn(100, 0), EntropyBelow(0))
    assert 0.98**114 <= 0.1 < 0.98**113


@pytest.mark.parametrize(("harm", "risk"), [(0, 0.1), (0.02, 1.0)])
def test_harm_and_risk_lie_between_0_and_1(harm: float, risk: float) -> None:
    with pytest.raises(InputError, match="harm and risk lie between 0 and 1"):
        choose_with_guarantee(drawn(100, 0), EntropyBelow(0), harm=harm, risk=risk)
