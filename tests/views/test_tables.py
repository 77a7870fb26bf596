"""Exact tables of a toy run of six examples, three taps and three classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerwise.arrays.intervals import wilson_interval
from layerwise.errors import RunError, UnknownNameError
from layerwise.views.depths import (
    accuracy_by_depth,
    classes_by_depth,
    decided_by,
    depth_histogram,
    depths_of_classes,
    survival,
)
from layerwise.views.examples import easiest, hardest, row_of, story, telling_examples, unresolved
from layerwise.views.factors import factor_bins, factor_effects, numeric_factors
from layerwise.views.run import RunView
from layerwise.views.taps import confusion, gains_and_losses, most_confused, network_accuracy, probe_accuracy

VOTES = np.array(
    [
        [0, 0, 0],  # depth 0
        [1, 0, 0],  # depth 1
        [0, 1, 1],  # depth 1, the network wrong
        [2, 0, 2],  # depth 2
        [2, 2, 0],  # unresolved
        [1, 1, 0],  # unresolved, the network wrong
    ]
)
LABELS = [0, 0, 2, 2, 2, 0]
PREDICTIONS = [0, 0, 1, 2, 2, 1]


def toy(**columns: object) -> RunView:
    examples = pd.DataFrame(
        {
            "id": ["e", "d", "c", "b", "a", "f"],
            "split": "test",
            "label": LABELS,
            "prediction": PREDICTIONS,
            "correct": np.equal(LABELS, PREDICTIONS),
            "confidence": [0.9, 0.8, 0.8, 0.5, 0.7, 0.7],
            "depth": [0, 1, 1, 2, 3, 3],
            "reference": PREDICTIONS,
        }
        | columns
    )
    base = pd.DataFrame({"id": ["p", "q", "r"], "label": [0, 1, 2]})
    return RunView(
        name="toy",
        class_names=("cat", "dog", "emu"),
        examples=examples,
        taps=pd.DataFrame({"name": ["input", "layer1", "softmax"]}),
        votes=VOTES,
        neighbors=np.tile(np.array([0, 0, 1, 2], np.int32), (6, 3, 1)),
        base=base,
    )


def test_every_tap_and_the_unresolved_are_in_the_histogram_and_the_last_is_not_dropped() -> None:
    table = depth_histogram(toy())
    assert table["tap"].tolist() == ["input", "layer1", "softmax", "unresolved"]
    assert table["count"].tolist() == [1, 2, 1, 2]
    assert table["right"].tolist() == [1, 1, 1, 1]
    assert table["wrong"].tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(table["share"], np.array([1, 2, 1, 2]) / 6)


def test_accuracy_by_depth_has_wilson_intervals_and_nothing_where_no_example_is() -> None:
    view = toy(depth=[0, 1, 1, 2, 3, 3])
    table = accuracy_by_depth(view)
    np.testing.assert_allclose(table["accuracy"], [1.0, 0.5, 1.0, 0.5])
    low, high = wilson_interval(1, 2)
    assert (table["accuracy_low"][1], table["accuracy_high"][1]) == pytest.approx((float(low), float(high)))
    only_early = RunView(
        name="early", class_names=view.class_names, examples=view.examples[:3], taps=view.taps, votes=VOTES[:3]
    )
    rest = accuracy_by_depth(only_early).iloc[2:]
    assert rest["count"].tolist() == [0, 0]
    assert rest[["accuracy", "accuracy_low", "accuracy_high"]].isna().all(axis=None)


def test_decided_by_grows_and_leaves_the_unresolved_out() -> None:
    table = decided_by(toy())
    assert table["count"].tolist() == [1, 3, 4]
    assert table["share"].iloc[-1] == pytest.approx(4 / 6)


def test_survival_is_what_is_undecided_after_each_tap_of_the_right_and_of_the_wrong() -> None:
    table = survival(toy())
    assert table["outcome"].tolist() == ["right"] * 3 + ["wrong"] * 3
    assert table["tap"].tolist() == ["input", "layer1", "softmax"] * 2
    assert table["count"].tolist() == [3, 2, 1, 2, 1, 1]
    assert table["total"].tolist() == [4, 4, 4, 2, 2, 2]
    low, high = wilson_interval(3, 4)
    assert tuple(table.loc[0, ["share", "share_low", "share_high"]]) == (0.75, float(low), float(high))


def test_survival_and_what_is_decided_are_all_there_are() -> None:
    undecided = survival(toy()).groupby("depth")["count"].sum()
    assert (undecided + decided_by(toy())["count"]).tolist() == [6, 6, 6]


def test_a_network_that_is_always_right_has_one_curve() -> None:
    assert set(survival(toy(correct=True))["outcome"]) == {"right"}


def test_probe_accuracy_compares_votes_with_labels_and_agreement_with_the_reference() -> None:
    table = probe_accuracy(toy())
    assert table["right"].tolist() == [3, 3, 4]
    np.testing.assert_allclose(table["agreement"], np.array([4, 5, 4]) / 6)
    low, high = wilson_interval(4, 6)
    assert (table["accuracy_low"][2], table["accuracy_high"][2]) == pytest.approx((float(low), float(high)))


def test_network_accuracy_is_that_of_the_predictions_not_of_a_probe() -> None:
    assert network_accuracy(toy())["right"].tolist() == [4]


def test_classes_at_each_depth_share_the_depth_and_the_class() -> None:
    table = classes_by_depth(toy())
    unresolved_rows = table[table["depth"] == 3]
    assert unresolved_rows["count"].tolist() == [1, 0, 1]
    assert unresolved_rows["share"].tolist() == [0.5, 0.0, 0.5]
    assert table.loc[(table["class"] == 0) & (table["depth"] == 0), "class_share"].item() == pytest.approx(1 / 3)
    assert table.loc[table["class"] == 1, "class_share"].isna().all()


def test_depths_of_classes_have_students_interval() -> None:
    table = depths_of_classes(toy())
    assert table["class_name"].tolist() == ["cat", "emu"]
    assert table["mean"].tolist() == pytest.approx([4 / 3, 2.0])
    oracle = stats.ttest_1samp([1, 2, 3], 0.0).confidence_interval()
    ends = (max(oracle.low, 0), min(oracle.high, 3))  # no depth lies outside
    assert (table["mean_low"][1], table["mean_high"][1]) == pytest.approx(ends)
    assert table["unresolved"].tolist() == [1, 1]
    assert table["q50"].tolist() == [1.0, 2.0]


def test_easiest_and_hardest_break_ties_by_confidence_then_id() -> None:
    view = toy()
    assert easiest(view, 4)["id"].tolist() == ["e", "c", "d", "b"]
    assert hardest(view, 6)["id"].tolist() == ["a", "f", "b", "c", "d", "e"]
    assert hardest(view, 2, resolved_only=True)["id"].tolist() == ["b", "c"]
    assert unresolved(view)["id"].tolist() == ["a", "f"]
    assert easiest(view, 1).index.tolist() == [0]


def test_confusion_of_the_network_and_of_a_tap() -> None:
    np.testing.assert_array_equal(confusion(toy()), [[2, 1, 0], [0, 0, 0], [0, 1, 2]])
    np.testing.assert_array_equal(confusion(toy(), "layer1"), [[2, 1, 0], [0, 0, 0], [1, 1, 1]])


def test_confusion_at_an_unknown_tap_lists_near_names() -> None:
    with pytest.raises(UnknownNameError) as caught:
        confusion(toy(), "layer2")
    assert str(caught.value) == (
        'no tap named "layer2" in toy (3 taps). Did you mean "layer1"?\n    Choose one of: input, layer1, softmax.'
    )


def test_most_confused_pairs_leave_right_answers_and_empty_pairs_out() -> None:
    table = most_confused(toy())
    assert table[["label_name", "prediction_name", "count"]].to_numpy().tolist() == [
        ["cat", "dog", 1],
        ["emu", "dog", 1],
    ]
    np.testing.assert_allclose(table["share"], 1 / 3)


def test_gains_less_losses_are_the_change_of_what_is_right() -> None:
    table = gains_and_losses(toy())
    assert table["right"].tolist() == [3, 3, 4]
    assert table["gained"].tolist() == [3, 1, 2]
    assert table["lost"].tolist() == [0, 1, 1]
    np.testing.assert_array_equal(table["right"].diff()[1:], (table["gained"] - table["lost"])[1:])


def test_the_story_of_one_example_tells_votes_support_and_neighbors() -> None:
    one = story(toy(), 3)
    assert (one.id, one.label, one.prediction, one.depth) == ("b", 2, 2, 2)
    assert one.votes.tolist() == [2, 0, 2]
    assert one.support is not None
    assert one.support.tolist() == [0.25, 0.5, 0.25]
    assert one.neighbor_labels is not None
    assert one.neighbor_labels[0].tolist() == [0, 0, 1, 2]


def test_examples_are_found_by_id_and_near_ids_are_offered() -> None:
    view = toy(id=["test-1", "test-2", "test-3", "test-4", "same", "same"])
    assert row_of(view, "test-3") == 2
    with pytest.raises(UnknownNameError, match='no measured example "test-33"'):
        row_of(view, "test-33")
    with pytest.raises(RunError, match='2 examples of toy have the id "same": rows 4, 5'):
        row_of(view, "same")


def test_telling_examples_are_easy_late_and_unresolved() -> None:
    assert telling_examples(toy()) == {"easy": 0, "late": 3, "unresolved": 4}


def test_a_kind_that_no_example_has_is_left_out() -> None:
    view = toy()
    one = RunView(name="one", class_names=view.class_names, examples=view.examples[:1], taps=view.taps, votes=VOTES[:1])
    assert telling_examples(one) == {"easy": 0}


def test_rank_correlation_equals_scipys_and_is_adjusted_for_the_number_of_factors() -> None:
    size, noise = [6.0, 5.0, 4.0, 4.5, 1.0, 2.0], [1.0, 3.0, 2.0, 2.5, 2.0, 1.0]
    view = toy(factor_size=size, factor_noise=noise, factor_kind=list("aabbcc"), factor_fixed=[1] * 6)
    table = factor_effects(view)
    assert table["factor"].tolist() == ["size", "noise"]
    for factor, values in (("size", size), ("noise", noise)):
        oracle = stats.spearmanr(values, [0, 1, 1, 2, 3, 3])
        row = table[table["factor"] == factor].iloc[0]
        assert (row["rho"], row["p"]) == pytest.approx((oracle.statistic, oracle.pvalue))
        assert row["rho_low"] < row["rho"] < row["rho_high"]
    assert table["p_holm"][0] == pytest.approx(2 * table["p"][0])


def test_values_that_are_not_known_are_left_out_of_a_factor() -> None:
    view = toy(factor_size=[6.0, 5.0, np.nan, 3.0, 2.0, np.inf], factor_rare=[np.nan] * 3 + [1.0, 2.0, 3.0])
    assert factor_effects(view)[["factor", "count"]].to_numpy().tolist() == [["size", 4]]
    assert numeric_factors(view) == ("size",)


def test_a_factor_of_few_values_gets_a_bin_for_each() -> None:
    table = factor_bins(toy(factor_occluded=[False, False, False, True, True, True]))
    assert table[["low", "high", "count", "unresolved"]].to_numpy().tolist() == [[0, 0, 3, 0], [1, 1, 3, 2]]
    np.testing.assert_allclose(table["mean"], [2 / 3, 8 / 3])


def test_bins_are_equally_full_and_hold_every_example() -> None:
    view = toy(factor_size=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert factor_bins(view, bins=3)["count"].tolist() == [2, 2, 2]
    assert factor_bins(view, bins=3)["high"].tolist() == [2.0, 4.0, 6.0]


def test_no_factor_gives_empty_tables_with_their_columns() -> None:
    assert factor_effects(toy()).empty
    assert "p_holm" in factor_effects(toy()).columns
    assert factor_bins(toy()).empty
