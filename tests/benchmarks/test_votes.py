"""The benchmark of votes runs at toy sizes, and says everything that it promises to say."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.activations import Job, load_subject
from benchmarks.contenders import RIVALS
from benchmarks.kept import Kept
from benchmarks.oracle import Ask, Classes, Values
from numpy.testing import assert_array_equal

from benchmarks import activations, oracle, tap_votes, votes, votes_table
from layerwise.arrays.votes import nearest_rows, vote
from layerwise.cli.train import train
from layerwise.data.shapes import load_shapes
from layerwise.errors import RunError
from layerwise.models.saved import fingerprint, read_model

TOY = Job(base=120, queries=40, steps=1, check=25)
PROMISED = {
    *("speedup_sklearn", "speedup_faiss", "speedup_torch"),
    *("wrong_votes", "wrong_votes_sklearn", "wrong_votes_faiss", "wrong_votes_torch", "checked_votes"),
    *("reranked_share", "gflops", "gemm_limit_gflops", "gemm_share", "peak_rss_gb", "recording_s", "threads"),
}
PROMISED_OF_THE_WHOLE = {"speedup_lazy", "e2e_speedup", "wrong_depths", "wrong_depths_lazy"}


def check_numbers(result: dict[str, Any], names: set[str]) -> None:
    assert names <= result.keys()
    assert all(math.isfinite(result[name]) for name in names)


def asked_of(monkeypatch: pytest.MonkeyPatch, *, killed_at: str | None = None) -> list[str]:
    """Is filled with the taps that are measured from now on."""
    asked: list[str] = []

    def noted(tap: str, *arguments: Any, **options: Any) -> tap_votes.TapResult:
        if tap == killed_at:
            raise KeyboardInterrupt
        asked.append(tap)
        return tap_votes.measure_tap(tap, *arguments, **options)

    monkeypatch.setattr(votes, "measure_tap", noted)
    return asked


@pytest.mark.slow
def test_the_quick_run_says_all_that_it_promises(tmp_path: Path) -> None:
    result = votes.measure(replace(TOY, taps=("layer4", "softmax")), tmp_path, quick=True, side=64)
    check_numbers(result, PROMISED)
    assert (result["wrong_votes"], result["checked_votes"]) == (0, 50)
    assert [tap["tap"] for tap in result["taps"]] == ["layer4", "softmax"]
    assert all({"layerwise", "oracle", *RIVALS} == tap["seconds"].keys() for tap in result["taps"])
    assert "of 50 votes" in votes_table.rivals(result)


@pytest.mark.slow
def test_a_whole_run_that_was_killed_goes_on_and_ends_with_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asked_of(monkeypatch, killed_at="bn1")
    with pytest.raises(KeyboardInterrupt):
        votes.measure(TOY, tmp_path, quick=False, side=64)
    after = asked_of(monkeypatch)
    result = votes.measure(TOY, tmp_path, quick=False, side=64)
    check_numbers(result, PROMISED | PROMISED_OF_THE_WHOLE)
    assert before == ["relu", "conv1", "layer1", "input"]
    assert after == ["bn1", "maxpool", "layer2", "layer3", "layer4", "avgpool", "softmax"]
    assert (len(result["taps"]), result["checked_votes"], result["checked_depths"]) == (11, 275, 25)
    assert (result["wrong_votes"], result["wrong_depths"], result["wrong_depths_lazy"]) == (0, 0, 0)
    assert result["lazy_total_s"] > result["lazy_s"]
    assert "0 depths" in votes_table.rivals(result)
    assert not [path for path in tmp_path.glob("*.npy") if path.stat().st_size > 10_000]  # no activations


@pytest.mark.slow
def test_groups_under_the_memory_limit_give_the_same_votes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = votes.measure(TOY, tmp_path / "one", quick=False, side=64)
    monkeypatch.setattr(activations, "LIMIT_BYTES", 11e6)  # relu alone takes 10.5 MB
    shutil.copytree(tmp_path / "one" / "network", tmp_path / "many" / "network")
    parts = votes.measure(TOY, tmp_path / "many", quick=False, side=64)
    assert ("in 1 group(s)" in whole["recording_timed"], "in 5 group(s)" in parts["recording_timed"]) == (True, True)
    for tap in whole["taps"]:
        made = [np.load(tmp_path / folder / f"{tap['tap']}.npy") for folder in ("one", "many")]
        assert_array_equal(*made)


@pytest.mark.slow
def test_network_preprocessing_and_images_are_those_of_the_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    train("resnet18", "shapes?train=120&test=40", output=run, epochs=1, validation=0.0)
    saved = read_model(run)
    subject = load_subject(replace(TOY, run=str(run), base=100), tmp_path / "kept")
    assert fingerprint(subject.model) == fingerprint(saved.model)
    assert subject.preprocessing == saved.description.preprocessing is not None
    assert (len(subject.base), len(subject.queries)) == (100, 40)
    assert_array_equal(subject.queries.images, load_shapes(train=120, test=40).test.images)


def test_what_another_job_has_finished_is_not_mixed_in(tmp_path: Path) -> None:
    Kept(tmp_path, {"base": 1, "taps": ("relu",)})
    Kept(tmp_path, {"base": 1, "taps": ("relu",)})
    with pytest.raises(RunError) as caught:
        Kept(tmp_path, {"base": 2, "taps": ("relu",)})
    expected = f"{tmp_path} holds another job's numbers (base differ).\n    Choose another --folder."
    assert str(caught.value) == expected


def test_a_wrong_vote_among_the_checked_is_counted_and_one_elsewhere_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    labels = np.arange(80) % 2

    def wrong_twice(base: Values, classes: Classes, num_classes: int) -> Ask:
        def ask(queries: Values) -> Classes:
            made = oracle.float64(base, classes, num_classes)(queries)
            made[[3, 50]] ^= 1
            return made

        return ask

    monkeypatch.setattr(tap_votes, "RIVALS", {**RIVALS, "faiss": wrong_twice})
    result = tap_votes.measure_tap("toy", values, values, labels, num_classes=2, checked_rows=np.array([0, 3, 7]))
    assert (result.checked["faiss"], result.wrong_votes["faiss"], result.wrong_votes["layerwise"]) == (3, 1, 0)


def test_the_sample_of_the_oracle_is_ordered_distinct_and_no_larger_than_all() -> None:
    rows = votes.sample_rows(6000, 500)
    assert len(rows) == 500
    assert (np.diff(rows) > 0).all()
    assert_array_equal(rows, votes.sample_rows(6000, 500))
    assert_array_equal(votes.sample_rows(3, 500), [0, 1, 2])


def test_a_rival_whose_time_is_up_is_asked_no_more_and_its_time_is_scaled() -> None:
    values = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    result = tap_votes.measure_tap(
        "toy",
        values,
        values,
        np.arange(80) % 2,
        num_classes=2,
        checked_rows=np.array([1, 5, 70]),
        pace=tap_votes.Pace(limit_s=0.0, repeats=3),
    )
    assert result.asked == {"layerwise": 80, "sklearn": 10, "faiss": 10, "torch": 10, "oracle": 3}
    assert result.checked == {"layerwise": 3, "sklearn": 2, "faiss": 2, "torch": 2}
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
