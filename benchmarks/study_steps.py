"""One step of many small networks: stacks against torch's loop on one core, and their first gradients."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from layerwise.data.edges import load_edges
from layerwise.errors import NoCompilerError
from layerwise.models.catalog import load_model
from layerwise.seeds import stream
from layerwise.study.engines.lanes.native import lane_width
from layerwise.study.engines.lanes.network import LaneNetwork
from layerwise.study.engines.stacked import EVALUATED, StackedNetwork
from layerwise.study.engines.tensors.network import WIDTH, TensorNetwork

NETWORKS = {"cnn": "simple-cnn", "mlp": "three-layer-mlp"}
BATCH, STEPS, SHAPE = 10, 30, (1, 28, 28)
RATE, MOMENTUM = 0.01, 0.9

Float = NDArray[np.float32]


def measure_steps(rounds: int) -> dict[str, Any]:
    """Microseconds of a step of one network: the loop, lanes, the torch stack; in turns, medians, on one thread."""
    result: dict[str, Any] = {}
    for short, name in NETWORKS.items():
        ways = {"loop": _loop(name)}
        try:
            ways["lanes"] = _stack(_lanes(name))
        except NoCompilerError as error:
            result["no_compiler"] = str(error)
        ways["torch"] = _stack(_tensors(name))
        took = {way: list[float]() for way in ways}
        for _ in range(rounds):
            for way, step in ways.items():
                took[way].append(1e6 * step())
        medians = {way: statistics.median(times) for way, times in took.items()}
        best = medians.get("lanes", medians["torch"])
        result |= {
            f"{short}_step_us": {way: round(value, 1) for way, value in medians.items()},
            f"{short}_stack_speedup": round(medians["loop"] / best, 2),
            f"{short}_stack_speedup_without_compiler": round(medians["loop"] / medians["torch"], 2),
        }
    return result


def measure_gradients() -> dict[str, Any]:
    """How far first gradients are from the loop's, and how far the loop's own are from those in float64."""
    result: dict[str, Any] = {}
    for short, name in NETWORKS.items():
        models = _models(name, WIDTH)
        images, labels = _data(WIDTH)
        exact = [_gradient(model, images[lane], labels[lane], torch.float64) for lane, model in enumerate(models)]
        loop = [_gradient(model, images[lane], labels[lane], torch.float32) for lane, model in enumerate(models)]
        ways: dict[str, list[Float]] = {
            "torch": _first_gradients(name, TensorNetwork(models, SHAPE, EVALUATED, range(WIDTH)))
        }
        if lanes := lane_width():  # 0 where there is no compiler
            ways["lanes"] = [
                gradient
                for start in range(0, WIDTH, lanes)
                for gradient in _first_gradients(name, LaneNetwork(models[start : start + lanes], SHAPE, BATCH), start)
            ]
        for way, found in ways.items():
            result[f"{short}_{way}_from_loop"] = _apart(found, loop)
            result[f"{short}_{way}_from_float64"] = _apart(found, exact)
        result[f"{short}_loop_from_float64"] = _apart(loop, exact)
    used = "lanes" if "cnn_lanes_from_loop" in result else "torch"
    return {
        "gradient_error": max(result[f"{short}_{used}_from_loop"] for short in NETWORKS),
        "gradient_errors": {key: float(f"{value:.2g}") for key, value in result.items()},
    }


def _models(name: str, count: int) -> list[nn.Module]:
    return [load_model(name, num_classes=3, in_channels=1, seed=seed) for seed in range(count)]


def _data(count: int) -> tuple[list[Float], list[NDArray[np.int64]]]:
    """A batch of drawn edges for each network."""
    found = []
    for seed in range(count):
        data = load_edges(train_per_class=40, validation_per_class=1, test_per_class=1, seed=seed).train
        rows = stream(seed, "benchmark of steps").permutation(len(data))[:BATCH]
        found.append((np.ascontiguousarray(data.batch(rows).reshape(BATCH, -1)), data.labels[rows]))
    return [images for images, _ in found], [labels for _, labels in found]


def _lanes(name: str) -> StackedNetwork:
    width = LaneNetwork(_models(name, 1), SHAPE, BATCH).width
    return LaneNetwork(_models(name, width), SHAPE, BATCH)


def _tensors(name: str) -> StackedNetwork:
    return TensorNetwork(_models(name, WIDTH), SHAPE, EVALUATED, list(range(WIDTH)))


def _stack(network: StackedNetwork) -> Callable[[], float]:
    """Seconds of a step of one of its networks."""
    images, labels = _data(network.width)
    orders = np.tile(np.arange(BATCH, dtype=np.int32)[:, None], (1, network.width))
    given = np.ascontiguousarray(np.stack(labels, axis=1), np.int32)
    starts = np.array([0, BATCH], np.int32)
    optimizer = np.repeat(np.array([[RATE], [MOMENTUM], [0.0]], np.float32), network.width, axis=1)

    def run() -> float:
        started = time.perf_counter()
        for _ in range(STEPS):
            network.epoch(images, given, orders, starts, optimizer)
        return (time.perf_counter() - started) / STEPS / network.width

    run()
    return run


def _loop(name: str) -> Callable[[], float]:
    """Seconds of a step of one network in a plain loop of torch on one thread."""
    (model,) = _models(name, 1)
    images, labels = _data(1)
    given, wanted = torch.from_numpy(images[0]).view(BATCH, *SHAPE), torch.from_numpy(labels[0])
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)

    def run() -> float:
        started = time.perf_counter()
        for _ in range(STEPS):
            optimizer.zero_grad()
            functional.cross_entropy(model(given), wanted).backward()
            optimizer.step()
        return (time.perf_counter() - started) / STEPS

    run()
    return run


def _gradient(model: nn.Module, images: Float, labels: NDArray[np.int64], kind: torch.dtype) -> Float:
    twin = copy.deepcopy(model).to(kind)
    logits = twin(torch.from_numpy(images).view(BATCH, *SHAPE).to(kind))
    functional.cross_entropy(logits, torch.from_numpy(labels)).backward()
    return np.concatenate([parameter.grad.numpy().ravel() for parameter in twin.parameters()])  # type: ignore[union-attr]


def _first_gradients(name: str, network: StackedNetwork, start: int = 0) -> list[Float]:
    images, labels = (one[start : start + network.width] for one in _data(WIDTH))
    orders = np.tile(np.arange(BATCH, dtype=np.int32)[:, None], (1, network.width))
    given = np.ascontiguousarray(np.stack(labels, axis=1), np.int32)
    nothing = np.zeros((3, network.width), np.float32)
    network.epoch(images, given, orders, np.array([0, BATCH], np.int32), nothing, step=False)
    found = {parameter: np.asarray(gradient).reshape(len(images), -1) for parameter, gradient in network.gradients()}
    order = [parameter for parameter, _ in _models(name, 1)[0].named_parameters()]
    return list(np.concatenate([found[parameter] for parameter in order], axis=1))


def _apart(found: Sequence[Float], expected: Sequence[Float]) -> float:
    """The relative distance of all networks' gradients as one vector."""
    one, other = (np.concatenate([np.asarray(row, np.float64) for row in rows]) for rows in (found, expected))
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))
