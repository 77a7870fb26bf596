"""The network draws the t-SNE map: its loss is the divergence, and new images fall among their class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from inside.embedding.test_tsne import digits
from layerwise.arrays.affinities import gaussian_shares
from layerwise.errors import DataError, InputError, NonFiniteError, NotEnoughExamplesError, ShapeError
from layerwise.inside.embedding.placing import Ground, place_points
from layerwise.inside.embedding.tsne import draw_tsne
from layerwise.inside.encoders.parametric_tsne import ParametricTsne, tsne_loss
from layerwise.seeds import stream

SMALL = {"hidden": (16,), "map_steps": 2, "steps": 2}


@pytest.mark.slow
@parametrize_with_checks([ParametricTsne(2, hidden=(4,), map_steps=1, steps=1)])
def test_it_follows_scikit_learns_conventions(estimator, check) -> None:
    check(estimator)


@given(st.integers(2, 6), st.integers(0, 100))
def test_the_loss_is_the_divergence_over_all_points_that_are_not_paired(count: int, seed: int) -> None:
    points = 3 * stream(seed, "loss").normal(size=(2 * count, 2))
    attraction = np.mean([np.log1p(((points[i] - points[count + i]) ** 2).sum()) for i in range(count)])
    weights = [
        1 / (1 + ((points[i] - points[j]) ** 2).sum())
        for i in range(2 * count)
        for j in range(2 * count)
        if i % count != j % count
    ]
    found = tsne_loss(torch.from_numpy(points[:count]), torch.from_numpy(points[count:]))
    assert float(found) == pytest.approx(attraction + np.log(np.mean(weights)), abs=1e-9)


@pytest.mark.slow
def test_held_out_images_fall_where_t_sne_would_place_them() -> None:
    values, labels = digits(1797)
    order = stream(0, "split").permutation(len(values))  # the last digits are by other hands
    values, labels = values[order], labels[order]
    old, new = values[:1400], values[1400:]
    drawn = draw_tsne(old, start=old[:, :2]).coordinates
    fitted = ParametricTsne(map_steps=400, steps=200).fit(old, start=drawn)
    by_vote = KNeighborsClassifier(10).fit(fitted.transform(old), labels[:1400])
    by_map = KNeighborsClassifier(10).fit(drawn, labels[:1400])
    placed = place_points([new], [Ground(old, drawn)])[0]
    of_transform = by_map.score(placed, labels[1400:])
    assert by_vote.score(fitted.transform(new), labels[1400:]) > of_transform - 0.02
    assert by_map.score(fitted.transform(new), labels[1400:]) > of_transform - 0.02  # on the map that was drawn
    assert np.median(np.linalg.norm(fitted.transform(old) - drawn, axis=1)) < 0.05 * np.ptp(drawn)


def exact_divergence(values: np.ndarray, positions: np.ndarray, perplexity: float = 20.0) -> float:
    """t-SNE's divergence by its definition, in float64, with the shares of all others."""
    count = len(values)
    others = ~np.eye(count, dtype=bool)
    squared = np.square(values[:, None].astype(np.float64) - values).sum(axis=2)
    shares = np.zeros((count, count))
    shares[others] = gaussian_shares(squared[others].reshape(count, -1), perplexity).ravel()
    p = ((shares + shares.T) / (2 * count))[others]
    w = 1 / (1 + np.square(positions[:, None].astype(np.float64) - positions).sum(axis=2)[others])
    return float((p * np.log(np.maximum(p, 1e-300) * w.sum() / w)).sum())


@pytest.mark.slow
def test_without_an_anchor_it_leaves_the_map_but_for_less_divergence() -> None:
    values, _ = digits(400)
    bad = 20 * stream(0, "no map").normal(size=(400, 2))
    held, free = (
        ParametricTsne(20, hidden=(64,), map_steps=30, steps=90, anchor=anchor, batch_size=64).fit(values, start=bad)
        for anchor in (100.0, 0.0)
    )
    assert np.linalg.norm(free.transform(values) - bad, axis=1).mean() > (
        np.linalg.norm(held.transform(values) - bad, axis=1).mean()
    )
    assert exact_divergence(values, free.transform(values)) < exact_divergence(values, held.transform(values)) - 0.1


def test_the_seed_and_nothing_else_decides() -> None:
    values, _ = digits(100)
    start = values[:, :2]
    first, same, other = (ParametricTsne(10, **SMALL, seed=seed).fit(values, start=start) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.transform(values), same.transform(values))
    assert (first.transform(values) != other.transform(values)).any()


def test_it_is_saved_and_loaded_as_itself(tmp_path: Path) -> None:
    values, _ = digits(100)
    fitted = ParametricTsne(10, **SMALL).fit(values, start=values[:, :2])
    fitted.save(tmp_path / "encoder.safetensors")
    loaded = ParametricTsne.load(tmp_path / "encoder.safetensors")
    np.testing.assert_array_equal(loaded.transform(values), fitted.transform(values))
    with pytest.raises(ValueError, match="X has 3 features"):
        loaded.transform(values[:, :3])


def test_what_cannot_be_fitted_is_refused() -> None:
    values, _ = digits(100)
    with pytest.raises(NotEnoughExamplesError, match="Lower the perplexity to at most 33"):
        ParametricTsne(40).fit(values)
    with pytest.raises(ShapeError, match=r"a map \(100, 2\) is expected; got \(99, 2\)"):
        ParametricTsne(10).fit(values, start=values[:99, :2])
    with pytest.raises(DataError, match="have the same values"):
        ParametricTsne(10).fit(np.ones((100, 4)))
    with pytest.raises(NonFiniteError, match="the map to learn holds NaN"):
        ParametricTsne(10).fit(values, start=np.full((100, 2), np.nan))
    with pytest.raises(InputError, match="batch_size must be at least 2"):
        ParametricTsne(10, batch_size=1).fit(values)
    with pytest.raises(InputError, match="anchor and noise must not be below"):
        ParametricTsne(10, noise=float("nan")).fit(values)
    with pytest.raises(NonFiniteError, match="Lower the learning rate"):
        ParametricTsne(10, hidden=(16, 16), map_steps=30, learning_rate=1e25).fit(values, start=values[:, :2])


def test_what_was_saved_gives_the_same_codes_to_the_last_bit(tmp_path: Path) -> None:
    values = stream(0, "saved").normal(size=(100, 6)).astype(np.float32)
    fitted = ParametricTsne(5, hidden=(8,), map_steps=2, steps=2).fit(values, start=values[:, :2])
    fitted.save(tmp_path / "one.safetensors")
    again = ParametricTsne.load(tmp_path / "one.safetensors")
    np.testing.assert_array_equal(again.transform(values), fitted.transform(values))
