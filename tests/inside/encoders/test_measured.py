"""Encoders are fitted to four fifths of the images; the numbers are of the others."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import DataError, NotEnoughExamplesError, UnknownNameError
from layerwise.inside.encoders import measured
from layerwise.inside.encoders.autoencoder import Autoencoder
from layerwise.inside.encoders.linear import LinearAutoencoder
from layerwise.inside.encoders.measured import measure_encoders
from layerwise.inside.encoders.parametric_tsne import ParametricTsne
from layerwise.seeds import stream

pytestmark = pytest.mark.slow


def images(count: int = 120, side: int = 8) -> ImageData:
    """Three classes, a bright band each."""
    random = stream(0, "bands")
    labels = np.arange(count) % 3
    pixels = 0.2 * random.random((count, 1, side, side), dtype=np.float32)
    for row, label in enumerate(labels):
        pixels[row, 0, 2 * label : 2 * label + 2] += 0.6
    return ImageData.create(pixels, labels)


def network(side: int = 8) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * (side - 2) ** 2, 3)).eval()


def test_the_numbers_of_the_linear_one_are_those_of_pca() -> None:
    data = images()
    report = measure_encoders(network(), data, ["linear"])
    flat, new = data.images.reshape(len(data), -1).astype(np.float64), report.held_out
    assert new.sum() == 24
    pca = PCA(32).fit(flat[~new])
    lost = flat[new] - pca.inverse_transform(pca.transform(flat[new]))
    row = report.table().iloc[0]
    total = ((flat[new] - flat[~new].mean(axis=0)) ** 2).sum()
    assert row["error_held_out"] == pytest.approx((lost**2).sum() / total, rel=0.02)  # noise has no gap in its spectrum
    assert row["error"] == pytest.approx(1 - pca.explained_variance_ratio_.sum(), rel=0.02)
    of_features = KNeighborsClassifier(10).fit(flat[~new], data.labels[~new]).score(flat[new], data.labels[new])
    assert row["labels_features"] == pytest.approx(of_features, abs=1 / 24)
    assert report.encoders[0].reconstructions is not None
    assert report.encoders[0].reconstructions.shape == report.pictures.shape == (10, 1, 8, 8)


def test_all_kinds_draw_and_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = partial(ParametricTsne, hidden=(64, 64), map_steps=200, steps=100, learning_rate=3e-3)
    monkeypatch.setattr(measured, "ParametricTsne", quick)
    monkeypatch.setattr(measured, "Autoencoder", partial(Autoencoder, hidden=(128,), steps=300))
    report = measure_encoders(network(), images(), place=["1"], perplexity=10)
    table = report.table()
    assert list(zip(table["encoder"], table["tap"], strict=True)) == [
        *(("linear", "input"), ("autoencoder", "input"), ("tsne", "input"), ("tsne", "1"))
    ]
    assert [one.coordinates is None for one in report.encoders] == [True, False, False, False]
    assert (table[["labels_features", "labels_codes"]] > 0.9).all(axis=None)
    assert table["labels_map"].dropna().tolist() == [pytest.approx(1.0, abs=0.1)]


def test_large_images_are_averaged_over_squares() -> None:
    data = images(side=40)
    report = measure_encoders(network(40), data, ["linear"])
    whole = data.images[report.held_out][:10].reshape(10, 1, 20, 2, 20, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(report.pictures, whole, atol=1e-6)
    assert isinstance(report.encoders[0].encoder, LinearAutoencoder)


def test_the_seed_decides_who_is_held_out() -> None:
    first, same, other = (measure_encoders(network(), images(), ["linear"], seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.held_out, same.held_out)
    assert (first.held_out != other.held_out).any()


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "linear"'):
        measure_encoders(network(), images(), ["linaer"])
    with pytest.raises(NotEnoughExamplesError, match="more than 10 images to learn from"):
        measure_encoders(network(), images(12), ["linear"])
    with pytest.raises(NotEnoughExamplesError, match="Lower the perplexity"):
        measure_encoders(network(), images(60), ["tsne"])


def test_images_that_are_all_the_same_are_refused_before_anything_is_trained() -> None:
    data = ImageData.create(np.ones((60, 1, 8, 8), np.float32), np.arange(60) % 2)
    with pytest.raises(DataError, match="all 60 images have the same pixels: there is nothing to encode"):
        measure_encoders(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), data, ["linear"])
