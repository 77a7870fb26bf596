"""Chunks for a cluster: their sizes, what becomes of those that kill their workers, and which cluster is joined."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from layerwise.errors import MissingExtraError, StudyError
from layerwise.study.engines import on_ray
from layerwise.study.engines.on_ray import CHUNK_S, run_chunk, run_on_ray
from layerwise.study.running import planned_trials
from layerwise.study.trials import Record, Trial
from study_files import small


class RayInHere:
    """What the engine asks of Ray, done at once in this process; trials may kill their workers, or miss an import."""

    class DeadError(Exception):
        pass

    class TaskError(DeadError):
        pass

    exceptions = SimpleNamespace(RayError=DeadError, RayTaskError=TaskError)

    def __init__(self, fatal: Callable[[Trial], bool] = lambda trial: False, *, cpus: int = 2) -> None:
        self.fatal, self.cpus, self.fault = fatal, cpus, type(self).DeadError("the worker died.\nmore")
        self.chunks: list[list[list[Trial]]] = []
        self.canceled = self.waiting = 0

    @property
    def sizes(self) -> list[int]:
        return [len(chunk) for chunk in self.chunks]

    def remote(self, **options: Any) -> Any:
        assert options == {"num_cpus": 1, "max_retries": on_ray.RETRIES}
        return lambda run: SimpleNamespace(remote=lambda chunk, seconds: self.submit(chunk))

    def submit(self, chunk: list[list[Trial]]) -> int:
        self.chunks.append(chunk)
        self.waiting += 1
        assert self.waiting <= on_ray.CHUNKS_PER_CPU * self.cpus
        return len(self.chunks) - 1

    def wait(self, running: list[int], *, num_returns: int) -> tuple[list[int], list[int]]:
        return running[:num_returns], running[num_returns:]

    def get(self, task: int) -> list[list[Record]]:
        self.waiting -= 1
        chunk = self.chunks[task]
        if any(self.fatal(trial) for stack in chunk for trial in stack):
            raise self.fault
        return [[Record(one.cell.address, one.block, "done", "", 1.0) for one in stack] for stack in chunk]

    def cancel(self, task: int, *, force: bool) -> None:
        self.canceled += force

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.cpus}

    def is_initialized(self) -> bool:
        return True


def in_here(monkeypatch: pytest.MonkeyPatch, *given: Any, **more: Any) -> RayInHere:
    ray = RayInHere(*given, **more)
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


def test_only_what_kills_its_worker_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = planned_trials(small(("seeds = 3", "seeds = 20")))
    bad = trials[5].address
    ray = in_here(monkeypatch, lambda trial: trial.address == bad)
    records = list(run_on_ray(trials))
    assert sorted(f"{one.cell}-{one.block}" for one in records) == sorted(trial.address for trial in trials)
    assert ray.waiting == 0
    (lost,) = [one for one in records if one.status != "done"]
    assert (f"{lost.cell}-{lost.block}", lost.status) == (bad, "failed")
    assert lost.error == "its worker died 4 times (DeadError: the worker died.)"


def test_a_node_that_cannot_run_trials_ends_the_study_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = in_here(monkeypatch, lambda trial: True)
    ray.fault = RayInHere.TaskError("Traceback ...\nModuleNotFoundError: No module named 'layerwise'")
    message = (
        "a node of the cluster cannot run trials: ModuleNotFoundError: No module named 'layerwise'\n"
        "    Install the same layerwise and the same Python on every node."
    )
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        list(run_on_ray(planned_trials(small())))


def test_chunks_take_some_seconds_and_are_smaller_near_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = in_here(monkeypatch)
    trials = planned_trials(small(("seeds = 3", "seeds = 100")))
    assert len(list(run_on_ray(trials, stacked=False))) == len(trials) == 400
    first = on_ray.CHUNKS_PER_CPU * ray.cpus
    assert ray.sizes[:first] == [1] * first
    assert max(ray.sizes) == CHUNK_S  # trials of a second each
    assert ray.sizes[-first:] == [1] * first


def test_who_stops_listening_stops_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = in_here(monkeypatch)
    records = run_on_ray(planned_trials(small()), stacked=False)
    next(records)
    records.close()
    assert ray.canceled == len(ray.chunks) - 1


def test_a_worker_hands_back_what_it_has_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "run_trial", lambda trial: trial.address)
    chunk = [[trial] for trial in planned_trials(small())[:3]]
    assert [len(run_chunk(chunk, seconds)) for seconds in (0.0, 60.0)] == [1, 3]


def test_a_node_with_fewer_lanes_cuts_a_stack_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = [trial for trial in planned_trials(small()) if trial.cell.settings["model.name"] == "two-layer-mlp"][::2]
    assert len(trials) == 3
    monkeypatch.setattr(on_ray, "cut_into_stacks", lambda stack: (stack[start : start + 2] for start in (0, 2)))
    monkeypatch.setattr(on_ray, "run_stack", lambda stack: [len(stack)])
    assert run_chunk([trials], 60.0) == [[2, 1]]


def test_without_ray_the_engine_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    message = (
        "running a study on a cluster needs ray, which is not installed.\n    Install it: pip install 'layerwise[ray]'"
    )
    with pytest.raises(MissingExtraError, match=f"^{re.escape(message)}$"):
        run_on_ray(planned_trials(small()))


def test_ray_is_imported_only_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "run_on_ray" in runpy.run_path(on_ray.__file__)


class RayOfItsOwn(RayInHere):
    """Not joined yet; there may be a cluster, which refuses the options of a new one, or is out of reach."""

    def __init__(self, constants: Any, *, there: bool = False, fault: Exception | None = None) -> None:
        super().__init__()
        self.constants, self.there, self.unreachable = constants, there, fault
        self.joined = False
        self.begun: dict[str, Any] = {}

    def is_initialized(self) -> bool:
        return self.joined

    def init(self, **options: Any) -> None:
        if self.there and "num_cpus" in options:
            raise ValueError("When connecting to an existing cluster, num_cpus must not be provided.")
        if self.unreachable is not None:
            raise self.unreachable
        self.joined, self.begun = True, {**options, "network": self.constants.ENABLE_RAY_CLUSTER}

    def shutdown(self) -> None:
        self.joined = False


def of_its_own(monkeypatch: pytest.MonkeyPatch, **options: Any) -> RayOfItsOwn:
    constants = SimpleNamespace(ENABLE_RAY_CLUSTER=True)
    ray = RayOfItsOwn(constants, **options)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray._private.ray_constants", constants)
    return ray


@pytest.mark.parametrize("there", [False, True])
def test_a_cluster_is_joined_or_one_of_this_machine_alone_is_started(
    monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    ray = of_its_own(monkeypatch, there=there)
    records = run_on_ray(planned_trials(small()), stacked=False)
    next(records)
    assert ray.joined
    assert ray.begun["network"] is there
    assert ray.begun.get("_node_ip_address") == (None if there else "127.0.0.1")
    assert ray.begun.get("include_dashboard", True) is there
    assert ray.constants.ENABLE_RAY_CLUSTER
    records.close()
    assert not ray.joined


def test_a_cluster_that_is_out_of_reach_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    of_its_own(monkeypatch, there=True, fault=ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379"))
    message = (
        "the Ray cluster cannot be joined: Failed to connect to Ray cluster at 10.0.0.1:6379\n"
        "    Check RAY_ADDRESS. If there is no cluster any more, unset it, and run: ray stop"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        list(run_on_ray(planned_trials(small())))
