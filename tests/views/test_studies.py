"""Cells are laid out along numbers of the data, and told apart by as few words as are needed."""

from __future__ import annotations

from typing import Any

from layerwise.study.cells import Cell
from layerwise.study.named import find_studies
from layerwise.views.studies import lay_out, words_of


def series(name: str) -> list[str]:
    return list(lay_out(find_studies(f"inductive-bias/{name}")[0].contenders).series)


def cells(*settings: dict[str, Any]) -> list[Cell]:
    return [Cell(one) for one in settings]


def test_the_built_in_studies_are_told_apart_in_few_words() -> None:
    assert series("q2-images") == ["simple-cnn", "three-layer-mlp"]
    assert series("q3-epochs") == [
        "simple-cnn, 100 epochs", "simple-cnn, 1000 epochs", "three-layer-mlp, 100 epochs",
        "three-layer-mlp, 1000 epochs",
    ]  # fmt: skip
    assert series("q4-domain-shift") == ["simple-cnn", "three-layer-mlp", "simple-cnn, kernel 3"]
    assert series("q8-search") == ["simple-cnn", "simple-cnn, tuned", "three-layer-mlp, tuned"]
    assert len(series("q7-size")) == 6


def test_numbers_that_run_through_all_series_make_the_axis() -> None:
    layout = lay_out(find_studies("inductive-bias/q5-permuted")[0].contenders)
    assert (layout.along, layout.levels) == ("data.train_per_class", (10.0, 30.0, 50.0, 100.0))
    assert layout.along_words == "training images a class"
    assert all(sorted(one) == [10.0, 30.0, 50.0, 100.0] for one in layout.series.values())
    sizes = lay_out(find_studies("inductive-bias/q7-size")[0].contenders)
    assert (sizes.along, sizes.levels) == ("", (0.0,))


def test_switches_and_lists_are_put_into_words() -> None:
    cell = Cell({"data.permuted": False, "data.classes": ["a", "b"], "training.learning_rate": 0.1})
    assert words_of(cell, ["data.permuted", "data.classes", "training.learning_rate", "gone"]) == (
        "not permuted, classes a, b, learning rate 0.1"
    )
    assert words_of(Cell({"data.train_per_class": 10}), ["data.train_per_class"]) == "10 training images a class"
    assert words_of(cell, []) == "all"


def test_every_contender_has_words_of_its_own() -> None:
    along = cells(*({"model.name": name, "data.n": n} for name in "ab" for n in (1, 2, 4)))
    assert [words for words, _ in lay_out(along).labelled()] == ["a, 1", "a, 2", "a, 4", "b, 1", "b, 2", "b, 4"]
    assert list(lay_out(along[:2]).labelled()) == [("n 1", along[0]), ("n 2", along[1])]


def test_one_cell_is_one_row() -> None:
    layout = lay_out(cells({"model.name": "a"}))
    assert (layout.along, list(layout.series)) == ("", ["all"])
