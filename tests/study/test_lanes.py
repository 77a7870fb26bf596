"""Networks in lanes compute what torch computes, and a stack ends with the numbers of the loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from layerwise.errors import NoCompilerError
from layerwise.models.catalog import load_model
from layerwise.seeds import stream
from layerwise.study.edge_kernels import set_edge_kernels
from layerwise.study.engines.lanes import engine, native
from layerwise.study.engines.lanes.engine import cut_into_stacks, run_stack, run_stacked
from layerwise.study.engines.lanes.network import LaneNetwork, describe
from layerwise.study.running import planned_trials, run_study
from layerwise.study.trials import run_trial
from study_files import small

SHAPE = (1, 12, 12)
COUNT, BATCH, CLASSES = 13, 5, 3
NETWORKS = [
    "simple-cnn", "simple-cnn?kernel=2", "simple-cnn?kernel=3&pool=average", "simple-cnn?filters=5,2&kernel=4",
    "deeper-cnn?kernel=5", "wider-cnn?kernel=6", "two-layer-mlp?side=12", "three-layer-mlp?side=12&hidden=7,6",
]  # fmt: skip

try:
    native.load_library()
except NoCompilerError as error:  # the engine says so too, and goes on without
    pytest.skip(str(error), allow_module_level=True)


def networks(name: str, count: int) -> list[nn.Module]:
    return [load_model(name, num_classes=CLASSES, in_channels=1, seed=seed) for seed in range(count)]


def images(lane: int) -> np.ndarray:
    return stream(lane, "images").random((COUNT, int(np.prod(SHAPE))), dtype=np.float32)


def labels_of(width: int) -> np.ndarray:
    return stream(0, "labels").integers(0, CLASSES, (COUNT, width)).astype(np.int32)


def orders_of(width: int) -> np.ndarray:
    return np.stack([stream(lane, "order").permutation(COUNT) for lane in range(width)], axis=1).astype(np.int32)


def batch(lane: int, rows: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images(lane)[rows].reshape(len(rows), *SHAPE)).double()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("used", [1, 3, 8])
def test_gradients_and_losses_are_those_of_torch_in_float64(name: str, used: int) -> None:
    models = networks(name, used)
    net = LaneNetwork(models, SHAPE, BATCH)
    labels, orders = labels_of(net.width), orders_of(net.width)
    optimizer = np.zeros((3, net.width), np.float32)
    data = [images(lane) for lane in range(used)]
    losses, right = net.epoch(data, labels, orders, np.array([0, BATCH], np.int32), optimizer, step=False)
    found = {module: (weight, bias) for module, weight, bias in net.gradients()}
    for lane, model in enumerate(models):
        rows = orders[:BATCH, lane]
        logits = model.double()(batch(lane, rows))
        loss = functional.cross_entropy(logits, torch.from_numpy(labels[rows, lane]).long())
        loss.backward()
        assert losses[lane] == pytest.approx(BATCH * loss.item(), rel=1e-6)
        assert right[lane] == (logits.argmax(dim=1).numpy() == labels[rows, lane]).sum()
        ours, theirs = [], []
        for module, parts in found.items():
            for part, name_of in zip(parts, ("weight", "bias"), strict=True):
                gradient = model.get_submodule(module).get_parameter(name_of).grad
                assert gradient is not None
                ours.append(part[lane].ravel())
                theirs.append(gradient.numpy().ravel())
        apart = np.linalg.norm(np.concatenate(ours) - np.concatenate(theirs))
        assert apart <= 3e-6 * np.linalg.norm(np.concatenate(theirs))


@pytest.mark.parametrize("name", ["simple-cnn?kernel=3", "three-layer-mlp?side=12"])
def test_steps_are_those_of_torchs_sgd_with_numbers_of_each_lane_s_own(name: str) -> None:
    models, twins = networks(name, 3), networks(name, 3)
    net = LaneNetwork(models, SHAPE, BATCH)
    rates, momenta, decays = [0.1, 0.01, 0.05], [0.9, 0.0, 0.5], [0.0, 0.1, 0.01]
    optimizer = np.stack([np.resize(one, net.width) for one in (rates, momenta, decays)]).astype(np.float32)
    labels, starts = labels_of(net.width), np.array([0, 5, 10, 13], np.int32)
    data = [images(lane) for lane in range(3)]
    orders = orders_of(net.width)
    for _ in range(4):
        net.epoch(data, labels, orders, starts, optimizer)
    net.write_back()
    for lane, (model, twin) in enumerate(zip(models, twins, strict=True)):
        sgd = torch.optim.SGD(
            twin.parameters(), lr=rates[lane], momentum=momenta[lane], weight_decay=decays[lane], foreach=False
        )
        for _ in range(4):
            for first, last in ((0, 5), (5, 10), (10, 13)):
                rows = orders[first:last, lane]
                sgd.zero_grad()
                given = torch.from_numpy(labels[rows, lane]).long()
                functional.cross_entropy(twin(batch(lane, rows).float()), given).backward()
                sgd.step()
        for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
        logits = net.logits(data)[lane]
        with torch.no_grad():
            torch.testing.assert_close(torch.from_numpy(logits), twin(batch(lane, np.arange(COUNT)).float()))


def test_kernels_that_are_kept_stay() -> None:
    models = networks("simple-cnn?kernel=3", 2)
    for model in models:
        set_edge_kernels(model)
    before = [parameter.detach().clone() for parameter in models[0].parameters()]
    net = LaneNetwork(models, SHAPE, BATCH)
    optimizer = np.full((3, net.width), 0.1, np.float32)
    orders, labels = orders_of(net.width), labels_of(net.width)
    net.epoch([images(0), images(1)], labels, orders, np.array([0, 5, 10], np.int32), optimizer)
    net.write_back()
    changed = [not torch.equal(*pair) for pair in zip(before, models[0].parameters(), strict=True)]
    assert changed == [False, False, False, False, True, True]


@pytest.mark.parametrize(
    "model",
    [
        nn.Linear(144, 3),
        nn.Sequential(nn.Flatten(), nn.Linear(100, 3)),
        nn.Sequential(nn.Flatten(), nn.Linear(144, 3, bias=False)),
        nn.Sequential(nn.Flatten(), nn.Linear(144, 3), nn.ReLU()),
        nn.Sequential(nn.Conv2d(1, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3)),
        nn.Sequential(nn.Conv2d(1, 3, 3, padding="same"), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3)),
        nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(144, 3)),
        nn.Sequential(nn.MaxPool2d(3), nn.Flatten(), nn.Linear(16, 3)),
    ],
)
def test_networks_that_lanes_do_not_know_are_left_to_torch(model: nn.Module) -> None:
    assert describe(model, SHAPE) is None


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


def test_a_stack_ends_with_the_numbers_of_the_loop() -> None:
    for stack in cut_into_stacks(planned_trials(small(*STUDY))):
        assert len(stack) == 3
        for trial, ours in zip(stack, run_stack(stack), strict=True):
            theirs = run_trial(trial)
            assert (ours.cell, ours.block, ours.status) == (theirs.cell, theirs.block, "done")
            assert set(ours.measures) == set(theirs.measures)
            assert set(ours.series) == set(theirs.series)
            for name, number in theirs.measures.items():
                assert ours.measures[name] == pytest.approx(number, abs=1e-4), name
            for name, values in theirs.series.items():
                np.testing.assert_allclose(ours.series[name], values, atol=1e-4, err_msg=name)


def test_trials_that_differ_in_the_optimiser_s_numbers_share_a_stack_and_others_do_not() -> None:
    both = small(*TWO_RATES)
    stacks = list(cut_into_stacks(planned_trials(both)))
    width = native.load_library().lanes_width()
    assert max(map(len, stacks)) == min(6, width)
    assert sum(map(len, stacks)) == 18
    for stack in stacks:
        assert len({(trial.cell.model_spec, trial.cell.data_spec) for trial in stack}) == 1


def test_a_lane_that_diverges_hurts_no_other() -> None:
    study = small(*((before, after.replace("0.1", "1e30")) for before, after in TWO_RATES), *STUDY)
    stack = next(one for one in cut_into_stacks(planned_trials(study)) if one[0].cell.model_spec.startswith("simple"))
    records = run_stack(stack)
    by_rate: dict[object, set[str]] = {}
    for trial, record in zip(stack, records, strict=True):
        by_rate.setdefault(trial.cell.settings["training.learning_rate"], set()).add(record.status)
        if record.status == "done":
            assert record.measures["test_loss"] == pytest.approx(run_trial(trial).measures["test_loss"], rel=1e-4)
    assert by_rate[0.05] == {"done"}


def test_other_optimisers_are_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    alone: list[object] = []
    monkeypatch.setattr(engine, "run_trial", lambda trial: alone.append(trial) or run_trial(trial))
    study = small(('training.optimizer = "sgd"', 'training.optimizer = "adam"'))
    stack = next(cut_into_stacks(planned_trials(study)))
    assert [record.status for record in run_stack(stack)] == ["done"] * len(stack)
    assert alone == stack


def test_without_a_compiler_each_trial_is_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise NoCompilerError("there is no C++ compiler here")

    monkeypatch.setattr(engine, "load_library", none)
    assert [len(stack) for stack in cut_into_stacks(planned_trials(small()))] == [1] * 12


def test_a_compiler_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CXX", "false")
    native.load_library.cache_clear()
    with pytest.raises(NoCompilerError, match=r"false cannot compile lanes\.cpp"):
        native.load_library()
    native.load_library.cache_clear()
    assert not list(tmp_path.rglob("*.so"))


@pytest.mark.slow
def test_the_engine_runs_stacks_in_processes(tmp_path: Path) -> None:
    store = run_study(small(*STUDY), tmp_path / "run", run_stacked)
    assert set(store.table()["status"]) == {"done"}
    assert len(store.table()) == 12


def test_a_stack_that_cannot_be_made_is_run_alone_and_keeps_its_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no such disk")

    monkeypatch.setattr(engine, "trial_data", broken)
    monkeypatch.setattr("layerwise.study.trials.trial_data", broken)
    stack = next(cut_into_stacks(planned_trials(small())))
    assert [(one.status, one.error) for one in run_stack(stack)] == [("failed", "OSError: no such disk")] * 3
