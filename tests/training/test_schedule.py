"""Schedules: known values at known steps."""

from __future__ import annotations

import pytest

from layerwise.training.schedule import learning_rate_at
from layerwise.training.settings import TrainSettings


def test_without_a_schedule_the_rate_stays() -> None:
    assert {learning_rate_at(step, 10, TrainSettings(learning_rate=0.3)) for step in range(10)} == {0.3}


def test_cosine_starts_at_the_rate_and_halves_it_in_the_middle() -> None:
    settings = TrainSettings(learning_rate=0.4, schedule="cosine")
    rates = [learning_rate_at(step, 100, settings) for step in range(100)]
    assert rates[0] == 0.4
    assert rates[50] == pytest.approx(0.2)
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < 0.001


def test_onecycle_rises_for_three_tenths_and_falls_to_nothing() -> None:
    settings = TrainSettings(learning_rate=0.5, schedule="onecycle")
    rates = [learning_rate_at(step, 100, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.5 / 25)
    assert rates[15] == pytest.approx(0.5 * (1 + 1 / 25) / 2)
    assert rates[30] == pytest.approx(0.5)
    assert rates[65] == pytest.approx(0.25)
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)
    assert 0 < rates[-1] < 0.001
