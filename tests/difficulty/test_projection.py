"""The fast mode: what is folded, that it is said, and that what is said of it is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from layerwise.arrays.intervals import wilson_interval
from layerwise.arrays.votes import nearest_rows, vote
from layerwise.data.catalog import load_data
from layerwise.data.images import ImageData
from layerwise.difficulty import agreement, recorder
from layerwise.difficulty.folder import load_difficulty, save_difficulty
from layerwise.difficulty.measuring import measure_depths, measure_difficulty
from layerwise.difficulty.projection import Projection
from layerwise.difficulty.settings import ProbeSettings
from layerwise.errors import InputError
from layerwise.recording import record
from layerwise.report.page import write_report
from layerwise.seeds import stream
from layerwise.taps import Tap, find_taps
from layerwise.views.approximation import approximation

pytestmark = pytest.mark.slow


@pytest.fixture
def digits() -> ImageData:
    data = load_data("digits")
    return data.select(np.flatnonzero(np.arange(len(data)) % 3 == 0))


@pytest.fixture
def net() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10)).eval()


def test_every_feature_goes_with_its_sign_into_one_sum_and_all_sums_take_equally_many() -> None:
    folded = Projection(4)(torch.eye(11))  # (11, 4)
    assert (folded.abs().sum(dim=1) == 1).all()
    assert folded.abs().sum(dim=0).sort().values.tolist() == [2, 3, 3, 3]
    assert {-1.0, 1.0} <= set(folded.unique().tolist())
    assert torch.equal(folded, Projection(4)(torch.eye(11)))


def test_squared_distances_are_kept_on_average() -> None:
    differences = torch.from_numpy(stream(0, "test").standard_normal((400, 3000))).float()
    ratio = Projection(100)(differences).square().sum(dim=1) / differences.square().sum(dim=1)
    assert float(ratio.mean()) == pytest.approx(1, abs=4 * (2 / 100 / 400) ** 0.5)
    assert float(ratio.std()) == pytest.approx((2 / 100) ** 0.5, rel=0.2)


def test_values_that_are_narrow_enough_stay_as_they_are() -> None:
    value = torch.ones(2, 3, 2)
    assert Projection(6)(value) is value
    assert not Projection(6).changes(Tap("a", 1, (3, 2)))
    assert Projection(5).changes(Tap("a", 1, (3, 2)))


def test_a_width_below_one_is_refused(digits: ImageData, net: nn.Sequential) -> None:
    with pytest.raises(InputError) as caught:
        measure_difficulty(net, digits.train, digits.test, settings=ProbeSettings(fast=0))
    assert str(caught.value) == "fast = 0: of each tap at least one number must be kept, such as fast=512."


@pytest.mark.parametrize("limit_bytes", [4e9, 64 * 4 * 220])
@pytest.mark.parametrize("split", ["test", "train"])
def test_the_agreement_is_that_of_brute_force_on_the_sample_however_the_training_set_is_cut(
    digits: ImageData, net: nn.Sequential, split: str, limit_bytes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "SAMPLE", 60)
    settings = ProbeSettings(k=5, fast=16, limit_bytes=limit_bytes)
    train, examples = digits.train, digits.split(split)
    measured = measure_difficulty(net, train, examples, settings=settings)
    taps = find_taps(net, train, "children")
    base, queries = record(net, train, taps), record(net, examples, taps)
    sample = np.sort(stream(0, "agreement").choice(len(examples), 60, replace=False))
    table = measured.tap_table().set_index("name")
    for tap in ("input", "0", "1", "2"):
        votes = []
        for fold in (torch.nn.Identity(), Projection(16)):
            some, all_ = (fold(torch.from_numpy(part.flat(tap))).numpy() for part in (queries, base))
            votes.append(vote(train.labels[nearest_rows(some, all_, 5, leave_one_out=split == "train")], 10))
        agreeing = int((votes[0] == votes[1])[sample].sum())
        assert table.loc[tap, "exact_votes"] == agreeing / 60
        low, high = wilson_interval(agreeing, 60)
        assert (table.loc[tap, "exact_votes_low"], table.loc[tap, "exact_votes_high"]) == (low, high)
        assert measured.votes[:, table.index.get_loc(tap)].tolist() == votes[1].tolist()
    assert table["projected_to"].tolist() == [16, 16, 16, 16, pd.NA]
    assert table["exact_votes"].isna().tolist() == [False] * 4 + [True]


def test_folded_taps_need_less_memory(digits: ImageData, net: nn.Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def watched(*arguments: object, **options: object) -> object:
        activations = record(*arguments, **options)  # type: ignore[arg-type]
        sizes.append(activations.size_bytes)
        return activations

    monkeypatch.setattr(recorder, "record", watched)
    measure_difficulty(net, digits.train, digits.test, settings=ProbeSettings(k=5, fast=16))
    assert sizes == [4 * (4 * 16 + 10) * len(part) for part in (digits.train, digits.test)]


def test_depths_alone_are_those_of_the_fast_whole_measurement(digits: ImageData, net: nn.Sequential) -> None:
    settings = ProbeSettings(k=5, fast=16)
    whole = measure_difficulty(net, digits.train, digits.test, settings=settings)
    depths = measure_depths(net, digits.train, digits.test, settings=settings)
    pd.testing.assert_frame_equal(depths.table(), whole.table().drop(columns="soft_depth"))
    assert depths.depth.tolist() != measure_depths(net, digits.train, digits.test, k=5).depth.tolist()


def test_exact_neighbours_of_the_raw_images_are_neither_used_nor_replaced(
    tmp_path: Path, digits: ImageData, net: nn.Sequential
) -> None:
    exact = measure_difficulty(net, digits.train, digits.test, settings=ProbeSettings(k=5, cache=tmp_path))
    (kept,) = tmp_path.rglob("*.npy")
    before = kept.read_bytes()
    fast = measure_difficulty(net, digits.train, digits.test, settings=ProbeSettings(k=5, cache=tmp_path, fast=16))
    assert fast.neighbors[:, 0].tolist() != exact.neighbors[:, 0].tolist()
    assert kept.read_bytes() == before


def test_every_table_and_the_report_say_that_it_is_approximate(
    tmp_path: Path, digits: ImageData, net: nn.Sequential
) -> None:
    measured = measure_difficulty(net, digits.train, digits.test, settings=ProbeSettings(k=5, fast=16))
    save_difficulty(tmp_path, measured, digits.train, digits.test)
    assert pd.read_parquet(tmp_path / "examples.parquet")["approximate"].all()
    taps = pd.read_parquet(tmp_path / "taps.parquet")
    pd.testing.assert_frame_equal(load_difficulty(tmp_path).tap_table(), measured.tap_table())
    worst = taps.loc[taps["exact_votes"].idxmin()]
    count = int(worst["exact_votes_of"])
    said = approximation(taps)
    assert said == (
        "Approximate: 4 of 5 taps were projected to 16 numbers. Votes agree with the exact ones on "
        f"{100 * worst['exact_votes']:.1f} % ({100 * worst['exact_votes_low']:.1f} – "
        f"{100 * worst['exact_votes_high']:.1f}) of {count} examples at {worst['name']}, the least of all taps."
    )
    assert write_report(tmp_path).read_text(encoding="utf-8").count(said) == 2


def test_an_exact_measurement_has_no_word_of_it(digits: ImageData, net: nn.Sequential) -> None:
    exact = measure_difficulty(net, digits.train, digits.test, k=5)
    nothing_to_fold = measure_difficulty(net, digits.train, digits.test, settings=ProbeSettings(k=5, fast=64))
    for measured in (exact, nothing_to_fold):
        assert approximation(measured.tap_table()) == ""
        assert "approximate" not in measured.table()
    assert nothing_to_fold.neighbors.tolist() == exact.neighbors.tolist()
