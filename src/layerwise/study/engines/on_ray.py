"""run_on_ray: stacks of trials, some seconds at a time, on all processors of a Ray cluster.

State lives in the store: what was not handed back when the cluster or this process ended is run by the next call. Ray
is imported when the engine is used.
"""

from __future__ import annotations

import importlib
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from layerwise.errors import MissingExtraError, StudyError
from layerwise.study.engines.processes import usable_cores
from layerwise.study.engines.stacked import cut_into_stacks, run_stack
from layerwise.study.trials import Record, Trial, failed, run_trial

CHUNK_S = 15.0
"""Long against the milliseconds that handing over costs, short against what is lost with a node."""
CHUNKS_PER_CPU = 2
"""One is worked on, one waits beside it."""
RETRIES = 3
"""How often Ray runs a chunk again, on another node if there is one, after its worker or node died."""
OBJECT_STORE_BYTES = 100_000_000
"""Of a cluster that is started here: records are small, and Ray would take a third of the memory."""

Chunk = list[list[Trial]]


def run_on_ray(trials: Sequence[Trial], *, stacked: bool = True) -> Iterator[Record]:
    """Yield the records as their chunks finish.

    The cluster is the one that is joined already, else that of RAY_ADDRESS, else the one that `ray start` began on this
    machine. Where there is none, one of this machine's processors is started, which only this machine can reach, and
    ended at the end.

    Args:
        trials: what to run.
        stacked: train trials of one kind in lanes, as the engine `stacked` does. Without, each is run alone, and the
            numbers are the loop's to the bit.

    Raises:
        MissingExtraError: Ray is not installed.
        StudyError: the cluster cannot be joined, or layerwise cannot be imported on a node.
    """
    try:
        ray = importlib.import_module("ray")
    except ImportError:
        raise MissingExtraError("ray", "ray", "running a study on a cluster") from None
    return _run(ray, list(cut_into_stacks(trials)) if stacked else [[trial] for trial in trials])


def run_chunk(chunk: Chunk, seconds: float) -> list[list[Record]]:
    """On a node: the records of the first stacks, of as many as can be begun in so many seconds."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    finished: list[list[Record]] = []
    while len(finished) < len(chunk) and (not finished or time.perf_counter() - started < seconds):
        finished.append(_run_here(chunk[len(finished)]))
    return finished


def _run_here(stack: list[Trial]) -> list[Record]:
    """The stack was cut where the study was started; this node may have fewer lanes, or no compiler."""
    if len(stack) == 1:
        return [run_trial(stack[0])]
    return [record for part in cut_into_stacks(stack) for record in run_stack(part)]


def _run(ray: Any, stacks: Chunk) -> Iterator[Record]:
    if not stacks:
        return
    with _cluster(ray):
        yield from _records(ray, stacks)


def _records(ray: Any, stacks: Chunk) -> Iterator[Record]:
    submit = ray.remote(num_cpus=1, max_retries=RETRIES)(run_chunk).remote
    waiting, suspects = deque(stacks), deque[Chunk]()
    running: dict[Any, Chunk] = {}
    pace_s = CHUNK_S  # of a stack
    try:
        while waiting or suspects or running:
            most = CHUNKS_PER_CPU * max(1, int(ray.cluster_resources().get("CPU", 1)))
            while (waiting or suspects) and len(running) < most:
                chunk = suspects.popleft() if suspects else _next_chunk(waiting, pace_s, most)
                running[submit(chunk, CHUNK_S)] = chunk
            (done,), _ = ray.wait(list(running), num_returns=1)
            chunk = running.pop(done)
            try:
                finished = ray.get(done)
            except ray.exceptions.RayError as error:
                if len(chunk) == len(chunk[0]) == 1:
                    yield _given_up(chunk[0][0], error, in_python=isinstance(error, ray.exceptions.RayTaskError))
                else:
                    suspects.extend(_taken_apart(chunk))
                continue
            waiting.extendleft(reversed(chunk[len(finished) :]))
            records = [record for stack in finished for record in stack]
            pace_s = sum(record.seconds for record in records) / len(finished)
            yield from records
    finally:
        for unfinished in running:
            ray.cancel(unfinished, force=True)


def _next_chunk(waiting: deque[list[Trial]], pace_s: float, most: int) -> Chunk:
    """About CHUNK_S of work; less near the end, so that all processors end together."""
    size = min(int(CHUNK_S / max(pace_s, 1e-3)), math.ceil(len(waiting) / most))
    return [waiting.popleft() for _ in range(max(1, size))]


def _taken_apart(chunk: Chunk) -> Iterator[Chunk]:
    """Stack by stack, then trial by trial: only what kills its worker is lost."""
    if len(chunk) > 1:
        return ([stack] for stack in chunk)
    return ([[trial]] for trial in chunk[0])


def _given_up(trial: Trial, error: Exception, *, in_python: bool) -> Record:
    words = str(error).strip()
    if in_python:  # a trial keeps its own faults in its record, so it is the node's
        raise StudyError(
            f"a node of the cluster cannot run trials: {words.splitlines()[-1]}\n"
            "    Install the same layerwise and the same Python on every node."
        ) from error
    died = StudyError(f"its worker died {RETRIES + 1} times ({type(error).__name__}: {words.splitlines()[0]})")
    return failed(trial, "failed", died, 0.0)


@contextmanager
def _cluster(ray: Any) -> Iterator[None]:
    """Join a cluster or start one, unless this process has; leave, or end, only that."""
    if ray.is_initialized():
        yield
        return
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        _start(ray, quiet)
    except ValueError:  # there is a cluster: Ray would join it, and refuses the options of a new one
        try:
            ray.init(**quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise StudyError(
                f"the Ray cluster cannot be joined: {error}\n"
                "    Check RAY_ADDRESS. If there is no cluster any more, unset it, and run: ray stop"
            ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _start(ray: Any, quiet: dict[str, Any]) -> None:
    """A cluster of this machine alone.

    Raises:
        ValueError: there is a cluster to join.
    """
    constants: Any = importlib.import_module("ray._private.ray_constants")
    reachable = constants.ENABLE_RAY_CLUSTER
    # Else Ray replaces the loopback address by the network's, and listens there.
    constants.ENABLE_RAY_CLUSTER = False
    try:
        ray.init(
            num_cpus=usable_cores(),
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            _node_ip_address="127.0.0.1",
            # Without a limit a trial that needs too much memory would be run for ever.
            _system_config={"task_oom_retries": RETRIES},
            **quiet,
        )
    finally:
        constants.ENABLE_RAY_CLUSTER = reachable
