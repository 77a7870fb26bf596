"""Networks in lanes compute what torch computes."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from layerwise.errors import NoCompilerError
from layerwise.study.edge_kernels import set_edge_kernels
from layerwise.study.engines.lanes import native
from layerwise.study.engines.lanes.network import LaneNetwork, find_lane_layers
from stack_files import BATCH, COUNT, SHAPE, batch, images, labels_of, networks, orders_of

NETWORKS = [
    "simple-cnn", "simple-cnn?kernel=2", "simple-cnn?kernel=3&pool=average", "simple-cnn?filters=5,2&kernel=4",
    "deeper-cnn?kernel=5", "wider-cnn?kernel=6", "two-layer-mlp?side=12", "three-layer-mlp?side=12&hidden=7,6",
]  # fmt: skip

try:
    native.load_library()
except NoCompilerError as error:  # the engine says so too, and goes on without
    pytest.skip(str(error), allow_module_level=True)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("used", [1, 3, 8])
def test_gradients_and_losses_are_those_of_torch_in_float64(name: str, used: int) -> None:
    models = networks(name, used)
    net = LaneNetwork(models, SHAPE, BATCH)
    labels, orders = labels_of(net.width), orders_of(net.width)
    optimizer = np.zeros((3, net.width), np.float32)
    data = [images(lane) for lane in range(used)]
    losses, right = net.epoch(data, labels, orders, np.array([0, BATCH], np.int32), optimizer, step=False)
    found = dict(net.gradients())
    for lane, model in enumerate(models):
        rows = orders[:BATCH, lane]
        logits = model.double()(batch(lane, rows))
        loss = functional.cross_entropy(logits, torch.from_numpy(labels[rows, lane]).long())
        loss.backward()
        assert losses[lane] == pytest.approx(BATCH * loss.item(), rel=1e-6)
        assert right[lane] == (logits.argmax(dim=1).numpy() == labels[rows, lane]).sum()
        ours, theirs = [], []
        for parameter, gradients in found.items():
            gradient = model.get_parameter(parameter).grad
            assert gradient is not None
            ours.append(gradients[lane].ravel())
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
        nn.Sequential(nn.MaxPool2d(2, dilation=2), nn.Flatten(), nn.Linear(36, 3)),
        nn.Sequential(nn.AvgPool2d(2, divisor_override=1), nn.Flatten(), nn.Linear(36, 3)),
        nn.Sequential(nn.Flatten(), nn.Linear(144, 3), nn.Dropout(0.5), nn.Linear(3, 3)),
        nn.Sequential(nn.Flatten(), nn.Linear(144, 3).requires_grad_(requires_grad=False)),
    ],
)
def test_networks_that_lanes_do_not_know_are_left_to_torch(model: nn.Module) -> None:
    assert find_lane_layers(model, SHAPE) is None


@pytest.fixture
def afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing is compiled yet; what changes is put back."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    native._library_or_reason.cache_clear()
    yield monkeypatch
    native._library_or_reason.cache_clear()


def test_a_compiler_that_fails_is_said_and_not_asked_again(tmp_path: Path, afresh: pytest.MonkeyPatch) -> None:
    afresh.setenv("CXX", "false")
    with pytest.raises(NoCompilerError, match=r"^false cannot compile lanes\.cpp: $"):
        native.load_library()
    afresh.setenv("CXX", "c++")
    assert native.lane_width() == 0
    assert not list(tmp_path.rglob("*.so"))


@pytest.mark.parametrize("compiler", ["no-such-compiler", "'"])
def test_a_compiler_that_is_not_there_leaves_the_work_to_torch(compiler: str, afresh: pytest.MonkeyPatch) -> None:
    afresh.setenv("CXX", compiler)
    assert native.lane_width() == 0
    with pytest.raises(NoCompilerError, match=r"^lanes\.cpp cannot be compiled, kept or loaded: "):
        native.load_library()


def test_so_does_a_cache_that_cannot_be_written_or_whose_files_cannot_be_loaded(
    tmp_path: Path, afresh: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    assert native.lane_width() == 0
    (tmp_path / "cache").unlink()
    native._library_or_reason.cache_clear()
    path = tmp_path / "cache" / "layerwise" / f"lanes-{native._key(native._compiler())}.so"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no library")
    assert native.lane_width() == 0


@pytest.mark.slow
def test_a_compiler_may_have_arguments(tmp_path: Path, afresh: pytest.MonkeyPatch) -> None:
    afresh.setenv("CXX", f"env {shlex.quote(native._compiler()[0])}")
    assert native.lane_width() > 0
    assert len(list(tmp_path.rglob("lanes-*.so"))) == 1


def test_another_processor_or_compiler_gets_another_library(afresh: pytest.MonkeyPatch) -> None:
    keys = {native._key([*native._compiler(), *more]) for more in ((), ("-DOTHER",))}
    told = iter(["#define __AVX2__ 1", "#define __AVX2__ 1\n#define __AVX512F__ 1", "#define __AVX2__ 1"])
    afresh.setattr(native, "_run", lambda command: subprocess.CompletedProcess(command, 0, next(told), ""))
    narrow, wide, again = (native._key(["c++"]) for _ in range(3))
    assert narrow == again
    assert len({*keys, narrow, wide}) == 4
