"""Suspect labels: wrong ones first, the right class suggested, kinds told apart, whatever the other examples are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from label_files import AMBIGUOUS, CLASSES, FINE, WRONG, kinds, made_up
from layerwise.difficulty.labels.errors import LabelErrors, find_label_errors
from layerwise.difficulty.labels.export import export_label_errors
from layerwise.difficulty.labels.suspicion import KINDS, most_likely, suspicion
from layerwise.errors import DataError, InputError, NonFiniteError, ShapeError

NAMES = ("ant", "bee", "cat", "dog")


def found() -> LabelErrors:
    return find_label_errors(made_up(), ids=[f"image-{row}" for row in range(100)], class_names=NAMES)


def test_wrong_labels_come_first_and_ambiguous_images_before_fine_ones() -> None:
    order = kinds()[found().order]
    assert set(order[:WRONG]) == {"mislabelled"}
    assert (order[WRONG : WRONG + AMBIGUOUS] == "ambiguous").mean() >= 0.8
    assert set(order[WRONG + 2 * AMBIGUOUS :]) == {"fine"}


def test_the_class_that_the_network_gave_instead_is_suggested() -> None:
    errors = found()
    wrong = kinds() == "mislabelled"
    assert errors.suggested[wrong].tolist() == ((errors.labels[wrong] + 1) % CLASSES).tolist()
    assert errors.outvoted[wrong].all()
    assert not errors.outvoted[:FINE].any()


def test_each_kind_is_told_apart_from_the_others() -> None:
    errors = found()
    for column, kind in enumerate(KINDS):
        assert roc_auc_score(kinds() == kind, errors.kinds[:, column]) > 0.9
    np.testing.assert_allclose(errors.kinds.sum(axis=1), 1.0)


def test_a_label_that_no_other_class_outvoted_is_not_called_wrong() -> None:
    sure_of_another = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    assert most_likely(sure_of_another, np.array([True, False])).tolist() == ["mislabelled", "fine"]


def test_the_table_has_the_most_suspect_first_with_names() -> None:
    table = found().table()
    assert table["rank"].tolist() == list(range(1, 101))
    assert table["suspicion"].is_monotonic_decreasing
    first = table.iloc[0]
    assert (first["label_name"], first["suggested_name"]) == (NAMES[first["label"]], NAMES[first["suggested"]])
    assert first["kind"] == "mislabelled"


def test_suspicion_ranks_by_both_scores_and_says_half_where_all_are_alike() -> None:
    same = np.full(5, 0.3)
    assert suspicion({"learning_error": same, "learning_aum": same}).tolist() == [0.5] * 5
    error, aum = np.array([0.1, 0.2, 0.9]), np.array([5.0, 4.0, -3.0])
    assert suspicion({"learning_error": error, "learning_aum": aum}).argsort().tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="need the scores learning_error, learning_aum; there is no learning_aum"):
        suspicion({"learning_error": error})


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"ids need shape \(100,\), one for each example of the log; got 1"):
        find_label_errors(made_up(), ids=["a"], class_names=NAMES)
    with pytest.raises(DataError, match="class 3 of the log has no name: 2 class names were given"):
        find_label_errors(made_up(), ids=[str(row) for row in range(100)], class_names=NAMES[:2])


def test_tables_bear_the_names_of_other_tools_in_the_order_of_the_training_set() -> None:
    errors = found()
    datalab = export_label_errors(errors, "datalab")
    assert datalab.columns.tolist() == ["id", "is_label_issue", "label_score", "given_label", "predicted_label"]
    assert datalab["id"].tolist() == errors.ids.tolist()
    assert datalab["is_label_issue"].to_numpy().tolist() == (errors.kind == "mislabelled").tolist()
    np.testing.assert_allclose(datalab["label_score"], 1 - errors.suspicion)
    assert (datalab["predicted_label"] == datalab["given_label"]).to_numpy()[~errors.outvoted].all()
    fiftyone = export_label_errors(errors, "fiftyone")
    assert fiftyone.columns.tolist() == ["id", "mistakenness", "possible_label"]
    assert fiftyone["possible_label"].notna().to_numpy().tolist() == (errors.kind == "mislabelled").tolist()
    assert export_label_errors(errors)["rank"].sum() == 5050
    with pytest.raises(InputError, match=r'cannot be exported for "datalap"\. Did you mean "datalab"'):
        export_label_errors(errors, "datalap")  # type: ignore[arg-type]


def test_a_label_beside_which_nothing_was_ever_likely_suggests_itself() -> None:
    noted = replace(made_up(), rivals=np.full(100, -1))
    errors = find_label_errors(noted, ids=[str(row) for row in range(100)], class_names=NAMES)
    assert errors.suggested.tolist() == errors.labels.tolist()


def test_ids_that_come_twice_and_classes_without_a_name_are_refused() -> None:
    with pytest.raises(DataError) as twice:
        find_label_errors(made_up(), ids=["a"] * 100, class_names=NAMES)
    assert str(twice.value) == "some ids come twice.\n    Give each example an id of its own."
    ids = [str(row) for row in range(100)]
    with pytest.raises(DataError) as unnamed:
        find_label_errors(replace(made_up(), rivals=np.full(100, 4)), ids=ids, class_names=NAMES)
    assert str(unnamed.value) == (
        "class 4 of the log has no name: 4 class names were given.\n"
        "    Give the names of all classes, in the order of the logits."
    )


def test_scores_that_are_missing_or_not_finite_are_named() -> None:
    ids, noted = [str(row) for row in range(100)], made_up()
    few = {name: values for name, values in noted.scores.items() if name != "mean_margin"}
    with pytest.raises(InputError) as missing:
        find_label_errors(replace(noted, scores=few), ids=ids, class_names=NAMES)
    assert str(missing.value) == (
        "label errors need the scores mean_margin; there is no mean_margin.\n"
        "    Note them with DynamicsLog, or layerwise train --log-dynamics, of this version of layerwise."
    )
    odd = {**noted.scores, "mean_entropy": np.full(100, np.nan)}
    with pytest.raises(NonFiniteError) as infinite:
        find_label_errors(replace(noted, scores=odd), ids=ids, class_names=NAMES)
    assert str(infinite.value) == "the scores mean_entropy hold NaN or infinity.\n    Note the training again."
