"""Filters and values of single examples are read as they were written, or refused with the way to make them again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inside_files import write_features
from layerwise.errors import FileError
from layerwise.runs import write_array
from layerwise.views.features import read_examples, read_filters
from toy_runs import make_run


def test_filters_are_read_with_what_they_were_before(tmp_path: Path) -> None:
    assert read_filters(make_run(tmp_path)) is None
    filters = read_filters(write_features(tmp_path))
    assert filters is not None
    assert filters.before is not None
    assert (filters.layer, filters.weights.shape) == ("<i>conv1", (6, 3, 5, 5))
    np.testing.assert_allclose(filters.before, filters.weights / 2)
    assert filters.moved == pytest.approx(1.0)


def test_examples_are_read_with_their_values_at_every_tap(tmp_path: Path) -> None:
    assert read_examples(make_run(tmp_path)) == ()
    right, other = read_examples(write_features(tmp_path))
    assert (right.word, other.id) == ("right", "<i><i>some id")
    assert right.words.startswith("<i>right: circle with 0.6")
    assert other.words.endswith(", labelled square")
    assert {tap: value.shape for tap, value in other.tap_to_values.items()} == {
        "conv1": (64, 4, 4), "fc": (5,), "softmax": (6,),
    }  # fmt: skip
    assert other.tap_to_maps["conv1"] == 70
    np.testing.assert_array_equal(other.tap_to_values["softmax"], 1)
    assert other.image.shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((f"filters/{name}", "--filters first") for name in ("filters.json", "weights.npy", "before.npy")),
        *((f"features/{name}", "--maps right,wrong,unsure") for name in ("features.json", "values.npy", "images.npy")),
    ],
)
def test_damaged_files_are_said(tmp_path: Path, name: str, words: str) -> None:
    run = write_features(make_run(tmp_path))
    (run / name).write_text("[")
    read = read_filters if name.startswith("filters") else read_examples
    with pytest.raises(FileError, match=f"layerwise inside .* {words}"):
        read(run)


def test_files_of_two_looks_are_refused(tmp_path: Path) -> None:
    run = write_features(make_run(tmp_path))
    values = np.load(run / "features" / "values.npy")
    write_array(run / "features" / "values.npy", np.append(values, 0))
    with pytest.raises(FileError, match="do not belong together"):
        read_examples(run)
    write_array(run / "filters" / "before.npy", np.zeros((1, 3, 5, 5), np.float32))
    with pytest.raises(FileError, match="do not belong together"):
        read_filters(run)
