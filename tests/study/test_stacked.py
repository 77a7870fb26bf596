"""A stack ends with the numbers of the loop, in lanes and in torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from layerwise.errors import NoCompilerError
from layerwise.study.engines import stacked
from layerwise.study.engines.lanes import native
from layerwise.study.engines.lanes.network import LaneNetwork
from layerwise.study.engines.sequences import layers_of
from layerwise.study.engines.stacked import cut_into_stacks, run_stack, run_stacked
from layerwise.study.engines.tensors.network import WIDTH, TensorNetwork
from layerwise.study.running import planned_trials, run_study
from layerwise.study.trials import Record, run_trial
from study_files import small

STUDY = (
    ("data.resolution = 8", "data.resolution = 12"),
    ("model.side = 8", "model.side = 12"),
    ("training.epochs = 2", "training.epochs = 8"),
)
TWO_RATES = (
    ("training.learning_rate = 0.05\n", ""),
    ("model.kernel = 3", "model.kernel = 3\ntraining.learning_rate = [0.05, 0.1]"),
    ("higher.model", "higher.training.learning_rate = 0.1\nhigher.model"),
    ("fewer.model", "fewer.training.learning_rate = 0.1\nfewer.model"),
    ("cell.model", "cell.training.learning_rate = 0.1\ncell.model"),
)
NORM_AND_DROPOUT = (
    ("model.kernel = 3", "model.kernel = 3\nmodel.batch_norm = true\nmodel.dropout = 0.2"),
    ("model.side = 12", "model.side = 12\nmodel.batch_norm = true\nmodel.dropout = 0.2"),
)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of networks that stacks were made of."""
    kinds: list[str] = []
    make = stacked._make_network

    def noting(*given: object) -> object:
        network = make(*given)  # type: ignore[arg-type]
        kinds.append(type(network).__name__)
        return network

    monkeypatch.setattr(stacked, "_make_network", noting)
    return kinds


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise NoCompilerError("there is no C++ compiler here")

    monkeypatch.setattr(native, "load_library", none)


def same(ours: Record, theirs: Record) -> None:
    assert (ours.cell, ours.block, ours.status) == (theirs.cell, theirs.block, "done")
    assert set(ours.measures) == set(theirs.measures)
    assert set(ours.series) == set(theirs.series)
    for name, number in theirs.measures.items():
        assert ours.measures[name] == pytest.approx(number, abs=1e-4), name
    for name, values in theirs.series.items():
        np.testing.assert_allclose(ours.series[name], values, atol=1e-4, err_msg=name)


def expect_the_loop_s_numbers(*changes: tuple[str, str]) -> None:
    for stack in cut_into_stacks(planned_trials(small(*changes))):
        assert len(stack) == 3
        for trial, ours in zip(stack, run_stack(stack), strict=True):
            same(ours, run_trial(trial))


def test_a_stack_ends_with_the_numbers_of_the_loop(made: list[str]) -> None:
    expect_the_loop_s_numbers(*STUDY)
    kind = LaneNetwork if native.lane_width() else TensorNetwork
    assert made == [kind.__name__] * 4


def test_so_it_does_without_a_compiler(no_compiler: None, made: list[str]) -> None:
    expect_the_loop_s_numbers(*STUDY)
    assert made == ["TensorNetwork"] * 4


def test_so_do_batch_norm_and_dropout_which_lanes_do_not_know(made: list[str]) -> None:
    expect_the_loop_s_numbers(*STUDY, *NORM_AND_DROPOUT)
    assert made == ["TensorNetwork"] * 4


def test_trials_that_differ_in_the_optimiser_s_numbers_share_a_stack_and_others_do_not() -> None:
    stacks = list(cut_into_stacks(planned_trials(small(*TWO_RATES))))
    assert max(map(len, stacks)) == min(6, native.lane_width() or WIDTH)
    assert sum(map(len, stacks)) == 18
    for stack in stacks:
        assert len({(trial.cell.model_spec, trial.cell.data_spec) for trial in stack}) == 1


def expect_a_diverging_network_to_hurt_no_other() -> None:
    study = small(*((before, after.replace("0.1", "1e30")) for before, after in TWO_RATES), *STUDY)
    stack = next(one for one in cut_into_stacks(planned_trials(study)) if one[0].cell.model_spec.startswith("simple"))
    records = run_stack(stack)
    by_rate: dict[object, set[str]] = {}
    for trial, record in zip(stack, records, strict=True):
        by_rate.setdefault(trial.cell.settings["training.learning_rate"], set()).add(record.status)
        if record.status == "done":
            assert record.measures["test_loss"] == pytest.approx(run_trial(trial).measures["test_loss"], rel=1e-4)
    assert by_rate[0.05] == {"done"}
    assert "diverged" in by_rate[1e30]


def test_a_network_that_diverges_hurts_no_other() -> None:
    expect_a_diverging_network_to_hurt_no_other()


def test_nor_does_it_without_a_compiler(no_compiler: None) -> None:
    expect_a_diverging_network_to_hurt_no_other()


@pytest.mark.parametrize(
    "change",
    [
        ('training.optimizer = "sgd"', 'training.optimizer = "adam"'),
        ('training.optimizer = "sgd"', 'training.optimizer = "sgd"\ntraining.schedule = "cosine"'),
        ("model.kernel = 3", "model.kernel = 3\nmodel.filters = [[40, 2]]"),
    ],
)
def test_what_cannot_be_stacked_waits_for_no_other(change: tuple[str, str], no_compiler: None) -> None:
    trials = [trial for trial in planned_trials(small(change)) if trial.cell.model_spec.startswith("simple")]
    assert [len(stack) for stack in cut_into_stacks(trials)] == [1] * 6


def test_a_network_that_does_not_fit_the_images_is_run_alone_and_says_so() -> None:
    stack = next(
        one
        for one in cut_into_stacks(planned_trials(small(("model.side = 8", "model.side = 9"))))
        if one[0].cell.model_spec.startswith("two")
    )
    assert len(stack) == 3
    records = run_stack(stack)
    assert [record.status for record in records] == ["failed"] * 3
    assert "SmallMLP cannot take images of shape (1, 8, 8)" in records[0].error


def test_batch_norm_on_one_image_is_left_to_the_loop_which_refuses_it() -> None:
    study = small(
        ("model.side = 8", "model.side = 8\nmodel.batch_norm = true"),
        ("training.batch_size = 6", "training.batch_size = 1"),
    )
    stack = list(cut_into_stacks(planned_trials(study)))[-1]
    assert stack[0].cell.model_spec.startswith("two-layer-mlp?batch_norm=1")
    for record in run_stack(stack):
        assert record.status == "failed"
        assert "Expected more than 1 value per channel" in record.error


def test_a_stack_that_cannot_be_made_is_run_alone_and_keeps_its_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no such disk")

    monkeypatch.setattr(stacked, "trial_data", broken)
    monkeypatch.setattr("layerwise.study.trials.trial_data", broken)
    stack = next(cut_into_stacks(planned_trials(small())))
    assert [(one.status, one.error) for one in run_stack(stack)] == [("failed", "OSError: no such disk")] * 3


def test_a_stack_that_fails_while_it_trains_is_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError("no room for so many")

    monkeypatch.setattr(stacked._Stack, "train", broken)
    stack = next(cut_into_stacks(planned_trials(small())))
    for trial, ours in zip(stack, run_stack(stack), strict=True):
        same(ours, run_trial(trial))


class Doubled(nn.Sequential):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(super().forward(images))


SHARED = nn.Linear(4, 4)
TWICE = nn.ReLU()


@pytest.mark.parametrize(
    "model", [nn.Linear(4, 4), Doubled(nn.Linear(4, 4)), nn.Sequential(SHARED, SHARED), nn.Sequential(nn.GELU())]
)
def test_what_is_more_than_a_sequence_has_no_layers_to_stack(model: nn.Module) -> None:
    assert layers_of(model) is None


def test_a_layer_without_parameters_that_stands_twice_is_found_twice() -> None:
    layers = layers_of(nn.Sequential(nn.Linear(4, 4), TWICE, nn.Linear(4, 4), TWICE, nn.Linear(4, 2)))
    assert layers is not None
    assert [name for name, _ in layers] == ["0", "1", "2", "3", "4"]


@pytest.mark.slow
def test_the_engine_runs_stacks_in_processes(tmp_path: Path) -> None:
    store = run_study(small(*STUDY), tmp_path / "run", run_stacked)
    assert set(store.table()["status"]) == {"done"}
    assert len(store.table()) == 12
