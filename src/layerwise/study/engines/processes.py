"""run_in_processes: the loop in a process for each core, one thread each."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar, cast

import joblib
import torch
from joblib.externals.loky import process_executor

from layerwise.errors import StudyError
from layerwise.study.trials import Record, Trial, run_trial

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_in_processes(trials: Sequence[Trial], *, processes: int | None = None) -> Iterator[Record]:
    """Yield the records as they finish.

    Args:
        trials: what to run.
        processes: how many; by default one for each core that this process may use.

    Raises:
        StudyError: a process was killed.
    """
    yield from spread(run_trial, trials, processes=processes)


def spread(work: Callable[[Item], Result], items: Sequence[Item], *, processes: int | None = None) -> Iterator[Result]:
    """Yield the results of some work as they finish, each from a process with one thread.

    Args:
        work: a function of a module.
        items: what it is given, one at a time, in this order.
        processes: how many; by default one for each core that this process may use.

    Raises:
        StudyError: a process was killed.
    """
    count = min(processes or usable_cores(), len(items))
    if not count:
        return
    run = joblib.Parallel(count, backend="loky", batch_size=1, return_as="generator_unordered")
    results = cast("Generator[Result]", run(joblib.delayed(_alone)(work, item, os.getpid()) for item in items))
    with closing(results):
        try:
            yield from results
        except process_executor.TerminatedWorkerError as error:
            raise StudyError(
                "a process that trained was killed; perhaps there was not enough memory.\n"
                "    Go on: run the same command again. What was finished is kept."
            ) from error


def usable_cores() -> int:
    """The cores that this process may use, which in a container are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _alone(work: Callable[[Any], Result], item: Any, parent: int) -> Result:
    """On one thread; Ctrl-C is the parent's to answer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    if os.getpid() != parent:
        # A process keeps the images of its block, which loky would take for a leak, and start another in its place.
        process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return work(item)
    try:  # one process is this one
        return work(item)
    finally:
        torch.set_num_threads(threads)
