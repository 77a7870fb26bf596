"""t-SNE from exact neighbours: as good as scikit-learn's, the same again, and refused where it cannot be."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE

from layerwise.arrays.map_quality import map_quality
from layerwise.errors import InputError, MissingExtraError, NotEnoughExamplesError
from layerwise.inside.embedding.reduction import reduce_features
from layerwise.inside.embedding.tsne import Schedule, draw_tsne
from layerwise.progress import in_words

pytestmark = pytest.mark.slow
BRIEF = Schedule(exaggerated=50, plain=100)


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return reduce_features(images[:count].astype(np.float32))[1], labels[:count]


def test_the_map_is_as_good_as_scikit_learns() -> None:
    values, labels = digits(500)
    ours = map_quality(values, draw_tsne(values, start=values[:, :2]).coordinates, labels).summary()
    theirs = map_quality(values, TSNE(perplexity=30, random_state=0).fit_transform(values), labels).summary()
    assert ours["recall"] > theirs["recall"] - 0.01
    assert ours["trustworthiness"] > theirs["trustworthiness"] - 0.005
    assert ours["label_accuracy"] > 0.9


def test_the_same_start_gives_the_same_map_and_progress_tells_the_divergence() -> None:
    values, _ = digits(200)
    said: list[str] = []

    def tell(items: Iterable[Any], *, total: int, what: str | Callable[[], str]) -> Iterator[Any]:
        before = len(said)
        for item in items:
            yield item
            said.append(in_words(what))
        assert len(said) - before == total

    first, second = (
        draw_tsne(values, start=values[:, :2], schedule=BRIEF, what="t-SNE of layer1", progress=tell) for _ in range(2)
    )
    np.testing.assert_array_equal(first.coordinates, second.coordinates)
    assert said[-1] == f"t-SNE of layer1, KL {first.divergence:.2f}"
    assert len(said) == 2 * 150 // 25


@pytest.mark.parametrize(
    ("perplexity", "error", "message"),
    [
        (
            30.0,
            NotEnoughExamplesError,
            "needs more than 90 examples; got 60.\n    Lower the perplexity to",
        ),
        (0.5, InputError, "perplexity = 0.5: give a number of at least 1"),
        (float("nan"), InputError, "perplexity = nan"),
    ],
)
def test_a_perplexity_that_cannot_be_is_refused(perplexity: float, error: type[Exception], message: str) -> None:
    values, _ = digits(60)
    with pytest.raises(error, match=message):
        draw_tsne(values, start=values[:, :2], perplexity=perplexity)


def test_without_opentsne_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    values, _ = digits(60)
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'layerwise\[maps\]'"):
        draw_tsne(values, start=values[:, :2], perplexity=5)
