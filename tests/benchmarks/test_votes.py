"""The benchmark of votes runs at toy sizes, and says everything that it promises to say."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.activations import Job
from benchmarks.contenders import RIVALS

from benchmarks import oracle, tap_votes, votes, votes_table
from layerwise.arrays.votes import nearest_rows, vote

TOY = Job(base=120, queries=40, steps=1)
PROMISED = {
    *("speedup_sklearn", "speedup_faiss", "speedup_torch"),
    *("wrong_votes", "wrong_votes_sklearn", "wrong_votes_faiss", "wrong_votes_torch", "checked_votes"),
    *("reranked_share", "gflops", "gemm_limit_gflops", "gemm_share", "peak_rss_gb", "recording_s", "threads"),
}
PROMISED_OF_THE_WHOLE = {"speedup_lazy", "e2e_speedup", "wrong_depths"}


def check_numbers(result: dict[str, Any], names: set[str]) -> None:
    assert names <= result.keys()
    assert all(math.isfinite(result[name]) for name in names)


@pytest.mark.slow
def test_the_quick_run_says_all_that_it_promises(tmp_path: Path) -> None:
    result = votes.measure(replace(TOY, taps=("layer4", "softmax")), tmp_path, quick=True, side=64)
    check_numbers(result, PROMISED)
    assert result["wrong_votes"] == 0
    assert [tap["tap"] for tap in result["taps"]] == ["softmax", "layer4"]
    assert all({"layerwise", "oracle", *RIVALS} == tap["seconds"].keys() for tap in result["taps"])
    assert "of 80 votes" in votes_table.rivals(result)


@pytest.mark.slow
def test_a_whole_run_that_was_killed_goes_on_and_ends_with_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed_at_the_input(tap: str, *arguments: Any, **options: Any) -> tap_votes.TapResult:
        if tap == "input":
            raise KeyboardInterrupt
        return tap_votes.measure_tap(tap, *arguments, **options)

    monkeypatch.setattr(votes, "measure_tap", killed_at_the_input)
    with pytest.raises(KeyboardInterrupt):
        votes.measure(TOY, tmp_path, quick=False, side=64)
    asked: list[str] = []

    def noted(tap: str, *arguments: Any, **options: Any) -> tap_votes.TapResult:
        asked.append(tap)
        return tap_votes.measure_tap(tap, *arguments, **options)

    monkeypatch.setattr(votes, "measure_tap", noted)
    result = votes.measure(TOY, tmp_path, quick=False, side=64)
    check_numbers(result, PROMISED | PROMISED_OF_THE_WHOLE)
    assert asked == ["input"]
    assert len(result["taps"]) == 11
    assert (result["wrong_votes"], result["wrong_depths"]) == (0, 0)


def test_a_rival_whose_time_is_up_is_asked_no_more_and_its_time_is_scaled() -> None:
    values = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    labels = np.arange(80) % 2
    result = tap_votes.measure_tap(
        "toy", values, values, labels, num_classes=2, pace=tap_votes.Pace(limit_s=0.0, repeats=3)
    )
    assert result.asked == {"layerwise": 80, "sklearn": 10, "faiss": 10, "torch": 10, "oracle": 10}
    assert all(seconds > 0 for seconds in result.seconds.values())


@pytest.mark.parametrize("rows_at_once", [7, 2000])
def test_the_oracle_is_the_brute_force_search_with_ties_and_a_large_mean(
    monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr(oracle, "BASE_ROWS", rows_at_once)
    rng = np.random.default_rng(1)
    base = (rng.integers(0, 3, size=(90, 4)) + 1000).astype(np.float32)  # many rows are equal
    queries = (rng.integers(0, 3, size=(50, 4)) + 1000).astype(np.float32)
    labels = rng.integers(0, 3, 90)
    expected = vote(labels[nearest_rows(queries, base, oracle.K)], 3)
    monkeypatch.setattr(oracle, "SPARE", 60)
    assert (oracle.float64(base, labels, 3)(queries) == expected).all()
