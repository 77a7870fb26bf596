"""The autoencoder reconstructs what it was fitted to better than PCA where data are curved."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from layerwise.errors import FileError, InputError, NonFiniteError, ShapeError
from layerwise.inside.encoders.autoencoder import Autoencoder
from layerwise.inside.encoders.base import KEY
from layerwise.inside.encoders.linear import LinearAutoencoder
from layerwise.seeds import stream


@parametrize_with_checks([Autoencoder(2, hidden=(4,), steps=2)])
def test_it_follows_scikit_learns_conventions(estimator, check) -> None:
    check(estimator)


def circle(count: int = 600) -> np.ndarray:
    """One number, the angle, in two dimensions and a little noise in two more."""
    random = stream(0, "circle")
    angle = random.uniform(0, 2 * np.pi * 0.8, count)
    return np.stack([np.cos(angle), np.sin(angle), *(0.01 * random.normal(size=(2, count)))], axis=1)


@pytest.mark.slow
def test_a_curve_needs_one_number_where_pca_needs_two() -> None:
    points = circle()
    fitted = Autoencoder(1, hidden=(64, 64), steps=1140, batch_size=32, learning_rate=3e-3).fit(points)
    back = fitted.inverse_transform(fitted.transform(points))
    lost = ((back - points) ** 2).sum() / ((points - points.mean(axis=0)) ** 2).sum()
    by_pca = 1 - PCA(1).fit(points).explained_variance_ratio_[0]
    assert lost < 0.1 * by_pca
    assert fitted.losses_[-1] < 0.2 * fitted.losses_[0]


def test_the_seed_and_nothing_else_decides() -> None:
    points = circle(100)
    first, same, other = (Autoencoder(2, hidden=(8,), steps=3, seed=seed).fit(points) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.transform(points), same.transform(points))
    assert (first.transform(points) != other.transform(points)).any()


def test_the_unit_of_the_vectors_plays_no_part() -> None:
    points = circle(100)
    one, large = (Autoencoder(2, hidden=(8,), steps=3).fit(points * scale) for scale in (1, 1000))
    np.testing.assert_allclose(one.transform(points), large.transform(1000 * points), atol=1e-3)


def test_it_is_saved_and_loaded_as_itself(tmp_path: Path) -> None:
    points, path = circle(100), tmp_path / "encoder.safetensors"
    fitted = Autoencoder(2, hidden=(8, 4), steps=2).fit(points)
    fitted.save(path)
    loaded = Autoencoder.load(path)
    np.testing.assert_array_equal(loaded.transform(points), fitted.transform(points))
    np.testing.assert_array_equal(loaded.inverse_transform([[0, 1]]), fitted.inverse_transform([[0, 1]]))
    with pytest.raises(FileError, match="holds a Autoencoder, not a LinearAutoencoder"):
        LinearAutoencoder.load(path)


def test_numbers_of_numpy_are_saved_and_settings_of_a_later_version_refused(tmp_path: Path) -> None:
    path = tmp_path / "encoder.safetensors"
    LinearAutoencoder(np.int64(2)).fit(circle(50)).save(path)
    assert LinearAutoencoder.load(path).dims == 2
    with safetensors.safe_open(str(path), framework="pt") as file:
        facts = json.loads(file.metadata()[KEY])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    facts["settings"]["warp"] = 9
    safetensors.torch.save_file(tensors, path, metadata={KEY: json.dumps(facts)})
    with pytest.raises(FileError, match="no encoder that layerwise saved"):
        LinearAutoencoder.load(path)


def test_an_encoder_is_fitted_where_gradients_are_off() -> None:
    with torch.no_grad():
        assert LinearAutoencoder(2).fit(circle(50)).transform(circle(50)).shape == (50, 2)


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(InputError, match=r"hidden\[0\] = 0: give whole numbers from 1"):
        Autoencoder(2, hidden=(0,)).fit(circle(50))
    with pytest.raises(InputError, match=r"dims = 2\.5, steps = 0: give whole numbers from 1"):
        Autoencoder(2.5, steps=0).fit(circle(50))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"hidden = 8: give the widths of the layers, such as \(512, 128\)"):
        Autoencoder(2, hidden=8).fit(circle(50))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="learning_rate = nan: give a number above 0"):
        Autoencoder(2, learning_rate=float("nan")).fit(circle(50))
    with pytest.raises(NonFiniteError, match="Lower the learning rate"):
        Autoencoder(2, hidden=(64, 64), steps=50, learning_rate=1e18).fit(circle(50))


def test_codes_of_another_width_have_no_way_back() -> None:
    fitted = Autoencoder(2, hidden=(4,), steps=2).fit(circle(50))
    with pytest.raises(ShapeError, match=r"codes \(N, 2\) are expected; got \(5, 3\)"):
        fitted.inverse_transform(np.zeros((5, 3)))
    with pytest.raises(NotFittedError):
        Autoencoder(2).inverse_transform(np.zeros((5, 2)))


def test_steps_are_steps_however_few_the_vectors() -> None:
    assert len(Autoencoder(2, hidden=(4,), steps=30).fit(circle(20)).losses_) == 30
    assert len(Autoencoder(2, hidden=(4,), steps=30, batch_size=10).fit(circle(20)).losses_) == 15


@pytest.mark.parametrize("change", ["missing", "shape", "nan", "settings", "kind"])
def test_a_file_whose_numbers_do_not_fit_is_no_encoder(tmp_path: Path, change: str) -> None:
    path = tmp_path / "one.safetensors"
    Autoencoder(2, hidden=(4,), steps=2).fit(circle(50)).save(path)
    with safetensors.safe_open(str(path), framework="pt") as file:
        facts = json.loads(file.metadata()[KEY])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if change == "missing":
        del tensors["scale"]
    elif change == "shape":
        tensors["mean"] = torch.zeros(5)
    elif change == "nan":
        tensors["mean"][0] = torch.nan
    elif change == "settings":
        facts["settings"]["hidden"] = [10**13]
    else:
        facts["kind"] = ["Autoencoder"]
    safetensors.torch.save_file(tensors, path, metadata={KEY: json.dumps(facts)})
    with pytest.raises(FileError, match="is no encoder that layerwise saved" if change != "kind" else "holds a"):
        Autoencoder.load(path)
