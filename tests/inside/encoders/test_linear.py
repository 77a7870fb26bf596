"""The linear autoencoder spans what PCA spans, and is an estimator like scikit-learn's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.utils.estimator_checks import parametrize_with_checks

from layerwise.errors import FileError, InputError
from layerwise.inside.encoders.linear import LinearAutoencoder
from layerwise.seeds import stream


@parametrize_with_checks([LinearAutoencoder(2, steps=20)])
def test_it_follows_scikit_learns_conventions(estimator, check) -> None:
    check(estimator)


@pytest.mark.parametrize("dims", [2, 10])
def test_its_subspace_is_that_of_the_principal_components(dims: int) -> None:
    pixels = load_digits().data
    fitted, oracle = LinearAutoencoder(dims).fit(pixels), PCA(dims).fit(pixels)
    angles = np.rad2deg(subspace_angles(fitted.tensors_["decoder"].numpy(), oracle.components_.T))
    assert angles.max() < 0.1
    lost = ((oracle.inverse_transform(oracle.transform(pixels)) - pixels) ** 2).mean()
    assert fitted.reconstruction_error_ == pytest.approx(lost, rel=1e-5)
    back = fitted.inverse_transform(fitted.transform(pixels))
    assert ((back - pixels) ** 2).mean() == pytest.approx(lost, rel=1e-4)


def test_the_seed_decides_the_basis_and_not_the_subspace() -> None:
    points = stream(0, "points").normal(size=(200, 6)) * [9, 7, 1, 1, 1, 1]
    first, same, other = (LinearAutoencoder(2, seed=seed).fit(points) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.transform(points), same.transform(points))
    assert not np.allclose(first.transform(points), other.transform(points))
    assert first.reconstruction_error_ == pytest.approx(other.reconstruction_error_, rel=1e-6)


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    points = stream(0, "points").normal(size=(50, 6))
    fitted = LinearAutoencoder(3, seed=4).fit(points)
    fitted.save(tmp_path / "encoder.safetensors")
    loaded = LinearAutoencoder.load(tmp_path / "encoder.safetensors")
    np.testing.assert_array_equal(loaded.transform(points), fitted.transform(points))
    assert loaded.get_params() == fitted.get_params()
    with pytest.raises(FileError, match="no file"):
        LinearAutoencoder.load(tmp_path / "nothing")
    (tmp_path / "damaged").write_bytes(b"{}")
    with pytest.raises(FileError, match="is no encoder that layerwise saved"):
        LinearAutoencoder.load(tmp_path / "damaged")


def test_dims_below_1_are_refused() -> None:
    with pytest.raises(InputError, match="dims = 0: give whole numbers from 1"):
        LinearAutoencoder(0).fit(np.ones((3, 3)))
