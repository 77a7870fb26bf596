"""UMAP from a given start and exact neighbours."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from inside.embedding.test_tsne import digits
from layerwise.arrays.map_quality import map_quality
from layerwise.errors import MissingExtraError, NotEnoughExamplesError
from layerwise.inside.embedding.umap import draw_umap


@pytest.mark.slow
def test_classes_part_and_the_seed_decides() -> None:
    values, labels = digits(300)
    first, same, other = (draw_umap(values, start=values[:, :2], seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
    assert map_quality(values, first, labels).summary()["label_accuracy"] > 0.85


def test_too_few_examples_and_a_missing_package_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.zeros((10, 3), np.float32)
    with pytest.raises(NotEnoughExamplesError, match="k = 15 needs more than 15"):
        draw_umap(values, start=values[:, :2])
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'layerwise\[umap\]'"):
        draw_umap(values, start=values[:, :2], neighbors=5)
