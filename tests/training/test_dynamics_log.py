"""DynamicsLog: the scores of the definitions from batches alone; epochs, restarts, and loops that go wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import softmax

from layerwise.arrays.dynamics import DYNAMICS
from layerwise.errors import FileError, InputError, NonFiniteError, NotEnoughExamplesError, RunError, ShapeError
from layerwise.runs import read_table, write_table
from layerwise.seeds import stream
from layerwise.training.dynamics import NOTE_AGAIN, load_dynamics
from layerwise.training.dynamics_log import DynamicsLog

Trace = NDArray[np.float64]


def made_up(epochs: int, examples: int, classes: int, seed: int = 0) -> tuple[Trace, NDArray[np.int64]]:
    """Logits of every epoch (E, N, K), some of them far apart, and labels (N,)."""
    generator = stream(seed, "trace")
    scale = generator.choice([0.1, 1.0, 30.0, 900.0], size=(epochs, examples, 1))
    return scale * generator.normal(size=(epochs, examples, classes)), generator.integers(0, classes, examples)


def feed(log: DynamicsLog, trace: Trace, labels: NDArray[np.int64], *, batch: int = 4, first: int = 0) -> DynamicsLog:
    """Every epoch in an order of its own, in batches."""
    for epoch, logits in enumerate(trace, start=first):
        order = stream(epoch, "order").permutation(len(labels))
        for rows in np.split(order, range(batch, len(labels), batch)):
            log.update(rows, torch.as_tensor(logits[rows]), labels[rows])
    return log


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 14), st.integers(1, 9), st.integers(2, 5), st.integers(1, 5), st.integers(0, 99))
def test_batch_by_batch_gives_what_the_definitions_give(
    epochs: int, examples: int, classes: int, batch: int, seed: int
) -> None:
    trace, labels = made_up(epochs, examples, classes, seed)
    found = feed(DynamicsLog(examples, classes), trace, labels, batch=batch).result()
    assert found.epochs == epochs
    assert set(found.scores) == set(DYNAMICS)
    for name, formula in DYNAMICS.items():
        np.testing.assert_allclose(found.scores[name], formula(trace, labels), rtol=1e-9, atol=2e-8, err_msg=name)


def test_memory_is_170_bytes_an_example_after_any_number_of_epochs() -> None:
    trace, labels = made_up(6, 5, 3)
    for epochs in (1, 6):
        values = feed(DynamicsLog(5, 3), trace[:epochs], labels).state_dict().values()
        assert sum(value.nbytes for value in values if isinstance(value, torch.Tensor)) == 5 * 170


def test_a_log_goes_on_from_its_state_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    trace, labels = made_up(3, 6, 4)
    whole = feed(DynamicsLog(6, 4, curves=True), trace, labels)
    first = feed(DynamicsLog(6, 4, curves=True), trace[:1], labels)
    first.update([4, 1], trace[1][[4, 1]], labels[[4, 1]])
    torch.save(first.state_dict(), tmp_path / "log.pt")
    second = DynamicsLog(6, 4, curves=True)
    second.load_state_dict(torch.load(tmp_path / "log.pt", weights_only=True))
    second.update([0, 2, 3, 5], trace[1][[0, 2, 3, 5]], labels[[0, 2, 3, 5]])
    feed(second, trace[2:], labels, first=2)
    assert second.epochs == 3
    for name, values in whole.result().scores.items():
        np.testing.assert_array_equal(second.result().scores[name], values)
    np.testing.assert_array_equal(second.result().curves, whole.result().curves)


def test_a_state_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="the state is of 2 examples and 3 classes; this log is of 4 and 3"):
        DynamicsLog(4, 3).load_state_dict(DynamicsLog(2, 3).state_dict())
    with pytest.raises(InputError, match="no state of a DynamicsLog"):
        DynamicsLog(4, 3).load_state_dict({"epochs": 1})


def test_logits_are_read_whatever_they_are() -> None:
    for logits in (
        torch.tensor([[1.0, 0.0]], requires_grad=True),
        torch.tensor([[1.0, 0.0]], dtype=torch.bfloat16),
        np.array([[1.0, 0.0]], np.float32),
        [[1.0, 0.0]],
    ):
        log = DynamicsLog(1, 2)
        log.update(torch.tensor([0]), logits, [0])
        assert log.result().scores["aum"].tolist() == [1.0]


def test_the_curve_is_the_labels_probability_in_each_epoch() -> None:
    trace, labels = made_up(3, 4, 3)
    curves = feed(DynamicsLog(4, 3, curves=True), trace, labels).result().curves
    np.testing.assert_allclose(curves, softmax(trace, axis=2)[:, np.arange(4), labels], atol=1e-3)


def test_the_rival_is_the_class_that_most_probability_spoke_for() -> None:
    log = DynamicsLog(1, 3)
    for logits in ([0.0, 5.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 5.0]):
        log.update([0], [logits], [0])
    assert log.result().rivals.tolist() == [1]


def test_an_example_twice_in_an_epoch_is_refused_and_says_what_to_do() -> None:
    log = DynamicsLog(3, 2)
    log.update([0], [[1.0, 0.0]], [0])
    with pytest.raises(InputError) as told:
        log.update([0, 1], [[1.0, 0.0]] * 2, [0, 0])
    assert str(told.value) == (
        "example 0 came twice in epoch 1, when 2 of 3 had not come yet.\n"
        "    Where a loader leaves some out (drop_last=True), say log.end_epoch() after each epoch;\n"
        '    where it draws with replacement, give repeats="keep".\n'
        "    Otherwise see that ids are the rows of the training set."
    )
    with pytest.raises(InputError, match="example 1 came twice in epoch 1, when 2 of 3"):
        log.update([1, 1], [[1.0, 0.0]] * 2, [0, 0])


def test_examples_may_be_missing_in_an_epoch_that_is_said_to_be_over() -> None:
    log = DynamicsLog(2, 2, curves=True)
    log.update([0], [[1.0, 0.0]], [0])
    log.end_epoch()
    log.update([1, 0], [[1.0, 0.0], [3.0, 0.0]], [0, 0])
    found = log.result()
    assert (log.epochs, found.scores["aum"].tolist()) == (2, [2.0, 1.0])
    assert found.curves is not None
    assert np.isnan(found.curves[0, 1])


def test_an_epoch_that_was_begun_counts_as_it_is_and_goes_on() -> None:
    trace, labels = made_up(3, 4, 3)
    log = feed(DynamicsLog(4, 3, curves=True), trace[:2], labels)
    log.update([2, 0], trace[2][[2, 0]], labels[[2, 0]])
    begun = log.result()
    said_to_be_over = copy.deepcopy(log)
    said_to_be_over.end_epoch()
    assert begun.table().equals(said_to_be_over.result().table())
    assert begun.curves is not None
    assert begun.epochs == 3
    assert np.isnan(begun.curves).tolist() == [[False] * 4, [False] * 4, [False, True, False, True]]
    log.update([1, 3], trace[2][[1, 3]], labels[[1, 3]])
    assert log.result().table().equals(feed(DynamicsLog(4, 3), trace, labels).result().table())


def test_an_example_that_never_came_is_told() -> None:
    log = DynamicsLog(5, 2)
    log.update([0], [[1.0, 0.0]], [0])
    with pytest.raises(NotEnoughExamplesError, match="4 of 5 examples never came, such as 1, 2, 3 and 1 more"):
        log.result()


def test_sampling_with_replacement_counts_each_time_on_request() -> None:
    log = DynamicsLog(2, 2, repeats="keep")
    log.update([0, 0, 1], [[1.0, 0.0], [0.0, 3.0], [1.0, 0.0]], [0, 0, 0])
    found = log.result()
    assert found.scores["aum"].tolist() == [-1.0, 1.0]
    assert found.scores["forgetting"].tolist() == [1.0, 0.0]


def test_logits_that_are_not_finite_say_epoch_and_example() -> None:
    log = DynamicsLog(2, 2)
    log.update([0, 1], [[1.0, 0.0]] * 2, [0, 0])
    with pytest.raises(NonFiniteError, match="logits are NaN or infinite in epoch 2, of example 1"):
        log.update([0, 1], [[1.0, 0.0], [float("nan"), 0.0]], [0, 0])
    assert log.result().scores["aum"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("ids", "logits", "labels", "message"),
    [
        ([0], [[1.0, 0.0, 0.0]], [0], r"logits need shape \(B, 2\), one for each class; got \(1, 3\) in epoch 1"),
        ([0, 1], [[1.0, 0.0]], [0], "one row each for every example of the batch; got 2, 1 and 1"),
        ([3], [[1.0, 0.0]], [0], "an id is a whole number from 0 to 2; got 3"),
        ([0], [[1.0, 0.0]], [-1], "a label is a whole number from 0 to 1; got -1"),
        ([0.5], [[1.0, 0.0]], [0], "ids are whole numbers"),
        ([[0]], [[1.0, 0.0]], [0], "ids are whole numbers"),
    ],
)
def test_batches_that_cannot_be_are_refused(ids: list, logits: list, labels: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DynamicsLog(3, 2).update(ids, logits, labels)


def test_a_label_that_changes_is_refused() -> None:
    log = DynamicsLog(1, 2)
    log.update([0], [[1.0, 0.0]], [0])
    with pytest.raises(InputError, match="example 0 has another label in epoch 2 than before"):
        log.update([0], [[1.0, 0.0]], [1])


def test_logs_that_cannot_be_made_are_refused() -> None:
    with pytest.raises(InputError, match="at least one example and two classes; got 0 and 2"):
        DynamicsLog(0, 2)
    with pytest.raises(InputError, match=r"at least one example and two classes; got '3' and 2\.5"):
        DynamicsLog("3", 2.5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match='repeats is "refuse" or "keep"'):
        DynamicsLog(1, 2, repeats="twice")  # type: ignore[arg-type]


def test_dynamics_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    trace, labels = made_up(3, 4, 3)
    found = feed(DynamicsLog(4, 3, curves=True), trace, labels).result()
    found.save(tmp_path, ["a", "b", "c", "d"])
    ids, read = load_dynamics(tmp_path)
    assert ids.tolist() == ["a", "b", "c", "d"]
    assert read.epochs == 3
    assert read.table().equals(found.table())
    np.testing.assert_array_equal(read.curves, found.curves)
    with pytest.raises(ShapeError, match=r"ids need shape \(4,\)"):
        found.save(tmp_path, ["a"])


def test_a_folder_without_dynamics_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds no training dynamics\.\n    Note them while training: layerwise train"):
        load_dynamics(tmp_path)
    (tmp_path / "dynamics.parquet").write_bytes(b"PAR1")
    with pytest.raises(FileError, match="is not a Parquet table, or is truncated"):
        load_dynamics(tmp_path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda table: table.assign(aum="high"), "aum holds no numbers"),
        (lambda table: table.assign(label=-1, aum=np.inf),
         "label lies outside 0 and above; aum holds NaN or infinity"),
        (lambda table: table.assign(rival=0.5), "rival holds fractions; whole numbers are expected"),
        (lambda table: table.assign(id="a"), "3 ids come twice, such as a"),
        (lambda table: table.drop(columns="label"), "there is no column label"),
        (lambda table: table.head(0), "there is no row"),
        (lambda table: table.head(3), "dynamics.npy is (3, 4); (E, 3) is expected"),
    ],
)  # fmt: skip
def test_dynamics_that_were_edited_are_refused(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], fault: str
) -> None:
    trace, labels = made_up(3, 4, 3)
    feed(DynamicsLog(4, 3, curves=True), trace, labels).result().save(tmp_path, ["a", "b", "c", "d"])
    path = tmp_path / "dynamics.parquet"
    write_table(path, change(read_table(path)))
    with pytest.raises(FileError) as edited:
        load_dynamics(tmp_path)
    assert str(edited.value) == f"{path} is damaged: {fault}.\n    {NOTE_AGAIN}"


@pytest.mark.parametrize("epochs", ["three", -1, 2.5, None])
def test_epochs_that_were_edited_are_refused(tmp_path: Path, epochs: object) -> None:
    trace, labels = made_up(3, 4, 3)
    feed(DynamicsLog(4, 3), trace, labels).result().save(tmp_path, ["a", "b", "c", "d"])
    table = read_table(tmp_path / "dynamics.parquet")
    table.attrs["epochs"] = epochs
    write_table(tmp_path / "dynamics.parquet", table)
    with pytest.raises(FileError, match=r"its epochs are .*; a whole number is expected"):
        load_dynamics(tmp_path)


def test_curves_of_an_earlier_log_do_not_stay(tmp_path: Path) -> None:
    trace, labels = made_up(3, 4, 3)
    feed(DynamicsLog(4, 3, curves=True), trace, labels).result().save(tmp_path, ["a", "b", "c", "d"])
    feed(DynamicsLog(4, 3), trace, labels).result().save(tmp_path, ["a", "b", "c", "d"])
    assert load_dynamics(tmp_path)[1].curves is None


@pytest.mark.parametrize(
    ("ids", "logits", "message"),
    [
        (["a", "b"], [[1.0, 2], [1, 2]], "ids are numbers; got <U1 of shape (2,).\n"
                                         "    Give the rows of the training set, 0 to N - 1, not names."),
        ([0, 1], [["x", "y"], ["x", "y"]], "logits are numbers; got <U1 of shape (2, 2)."),
        ([0, 1], [[1.0, 2], [1]], "logits need rows of one length; these have several."),
        ([0, 1], [[1j, 2], [1, 2]], "logits are numbers; got complex128 of shape (2, 2)."),
    ],
)  # fmt: skip
def test_batches_of_words_are_refused(ids: list, logits: list, message: str) -> None:
    with pytest.raises(ShapeError) as words:
        DynamicsLog(2, 2).update(ids, logits, [0, 1])
    assert str(words.value) == message


def test_turned_and_read_only_arrays_are_read() -> None:
    log, logits = DynamicsLog(2, 2), np.array([[0.0, 1.0], [2.0, 0.0]])
    logits.flags.writeable = False
    log.update(np.arange(2)[::-1], logits[::-1], [1, 0])
    assert log.result().scores["aum"].tolist() == [-1.0, -2.0]
