"""The values of one example are those of a plain pass, and the examples worth looking at are the extreme ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inside.test_units import images, small
from layerwise.errors import InputError
from layerwise.inside.feature_maps import read_features, telling_examples
from layerwise.seeds import stream


def test_values_are_those_of_a_plain_pass() -> None:
    model, data = small(), images()
    features = read_features(model, data, 4)
    pixels = torch.from_numpy(data.batch(slice(4, 5)))
    with torch.no_grad():
        maps = model[1](model[0](pixels))[0]
        logits = model(pixels)[0]
    np.testing.assert_allclose(features.tap_to_values["1"], maps, atol=1e-6)
    np.testing.assert_allclose(features.logits, logits, atol=1e-6)
    assert features.prediction == int(logits.argmax())
    assert features.confidence == pytest.approx(float(logits.softmax(0).max()), abs=1e-6)
    assert (features.id, features.label) == (str(data.ids[4]), 1)
    table = features.table().set_index("tap")
    assert table.loc["1", "shape"] == "5×6×6"
    assert table.loc["1", "zero"] == pytest.approx(float((maps == 0).float().mean()))
    assert "input" not in table.index


def test_a_row_outside_the_data_is_refused() -> None:
    for row in (-1, 23):
        with pytest.raises(InputError, match=f"row {row} is outside the data: there are 23 images, 0 to 22"):
            read_features(small(), images(), row)


def test_telling_examples_are_the_extremes_of_confidence() -> None:
    logits, labels = stream(0, "logits").normal(size=(50, 4)), np.arange(50) % 4
    found = telling_examples(logits, labels)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    confidence, right = shares.max(axis=1), logits.argmax(axis=1) == labels
    assert right[found["right"]]
    assert confidence[found["right"]] == confidence[right].max()
    assert not right[found["wrong"]]
    assert confidence[found["wrong"]] == confidence[~right].max()
    assert confidence[found["unsure"]] == confidence.min()
    assert "wrong" not in telling_examples(np.eye(4), np.arange(4))
