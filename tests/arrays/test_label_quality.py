"""Scores of labels from probabilities are cleanlab's own, and those of gradients are torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cleanlab.rank import get_label_quality_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from layerwise.arrays import label_quality
from layerwise.arrays.label_quality import (
    confidence_weighted_entropy,
    knn_disagreement,
    label_loss,
    last_layer_grand,
    normalized_margin,
    self_confidence,
    within_classes,
)
from layerwise.arrays.score_catalog import score
from layerwise.errors import DataError, NonFiniteError, ShapeError
from layerwise.seeds import stream


def drawn(count: int = 200, classes: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = stream(seed, "probabilities")
    probabilities = generator.dirichlet(np.full(classes, 0.4), count)
    return probabilities, np.concatenate([np.arange(classes), generator.integers(0, classes, count - classes)])


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 50))
def test_scores_are_cleanlabs(seed: int) -> None:
    probabilities, labels = drawn(seed=seed)
    for name, ours in (("self_confidence", self_confidence), ("normalized_margin", normalized_margin)):
        theirs = get_label_quality_scores(labels, probabilities, method=name)
        np.testing.assert_allclose(ours(probabilities, labels), theirs, atol=1e-12)
    weighted = confidence_weighted_entropy(probabilities, labels)
    theirs = get_label_quality_scores(labels, probabilities, method="confidence_weighted_entropy")
    usual = self_confidence(probabilities, labels) > 1e-4  # below, cleanlab cuts
    np.testing.assert_allclose((np.log1p(weighted) / weighted)[usual], theirs[usual], rtol=1e-5)


def test_the_loss_is_that_of_torch_and_a_label_of_probability_0_is_finite() -> None:
    probabilities, labels = drawn()
    expected = functional.nll_loss(torch.as_tensor(np.log(probabilities)), torch.as_tensor(labels), reduction="none")
    np.testing.assert_allclose(label_loss(probabilities, labels), expected, rtol=1e-9)
    assert np.isfinite(label_loss(np.array([[1.0, 0.0]]), np.array([1]))).all()


def test_the_gradient_norm_is_that_of_torch() -> None:
    generator = stream(0, "features")
    features, layer = torch.as_tensor(generator.normal(size=(6, 4))), torch.nn.Linear(4, 3).double()
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    expected = []
    for row in range(6):
        layer.zero_grad()
        functional.cross_entropy(layer(features[row : row + 1]), labels[row : row + 1]).backward()
        expected.append(torch.cat([layer.weight.grad.flatten(), layer.bias.grad]).norm().item())
    probabilities = layer(features).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(last_layer_grand(probabilities, labels.numpy(), features.numpy()), expected, rtol=1e-9)


def test_disagreement_is_the_share_of_other_labels() -> None:
    assert knn_disagreement(np.array([[0, 0, 1], [1, 1, 1]]), np.array([0, 0])).tolist() == [1 / 3, 1.0]
    with pytest.raises(ShapeError, match=r"neighbor_labels need shape \(2, k\); got \(1, 3\)"):
        knn_disagreement(np.zeros((1, 3), np.int64), np.zeros(2, np.int64))


def test_within_classes_no_class_is_hard_as_a_whole() -> None:
    labels = np.array([0, 1, 0, 1, 0, 2])
    found = within_classes(np.array([1.0, 5.0, 2.0, 7.0, 3.0, 9.0]), labels)
    np.testing.assert_allclose(found, [-(1.5**0.5), -1.0, 0.0, 1.0, 1.5**0.5, 0.0])
    with pytest.raises(ShapeError, match=r"^values and labels need shape \(N,\); got \(2,\) and \(1,\)\.$"):
        within_classes(np.zeros(2), labels[:1])


def test_every_score_says_its_direction_as_the_catalog_does() -> None:
    named = {"self_confidence": "self_confidence", "normalized_margin": "normalized_margin", "label_loss": "loss",
             "confidence_weighted_entropy": "confidence_weighted_entropy",
             "knn_disagreement": "knn_disagreement", "last_layer_grand": "grand"}  # fmt: skip
    for function, column in named.items():
        text = " ".join((getattr(label_quality, function).__doc__ or "").split())
        assert f"High is {score(column).high_means}" in text, function


def test_what_are_no_probabilities_is_refused() -> None:
    labels = np.array([0, 1])
    with pytest.raises(DataError, match=r"1 rows are no probabilities: row 1 sums to 1\.2"):
        self_confidence(np.array([[0.5, 0.5], [0.6, 0.6]]), labels)
    with pytest.raises(DataError, match="2 rows are no probabilities: row 0 sums to 1"):
        self_confidence(np.array([[1.5, -0.5], [3.0, -2.0]]), labels)
    with pytest.raises(NonFiniteError, match="first in row 1"):
        self_confidence(np.array([[0.5, 0.5], [np.nan, 0.6]]), labels)
    with pytest.raises(ShapeError, match=r"got \(2, 2\) and \(1,\)"):
        self_confidence(np.full((2, 2), 0.5), labels[:1])
    with pytest.raises(DataError, match="labels lie between 0 and 1; got 0 to 2"):
        self_confidence(np.full((2, 2), 0.5), np.array([0, 2]))
