"""run_in_processes: the loop in a process for each core, one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence

import torch

from layerwise.study.trials import Record, Trial, run_trial


def run_in_processes(trials: Sequence[Trial], *, processes: int | None = None) -> Iterator[Record]:
    """Yield the records as they finish.

    Args:
        trials: what to run.
        processes: how many; by default one for each core that this process may use.
    """
    count = min(processes or usable_cores(), len(trials))
    if not count:
        return
    # Forked processes would inherit the locks of torch's threads.
    context = multiprocessing.get_context("spawn")
    with context.Pool(count, initializer=begin_process) as pool:
        yield from pool.imap_unordered(run_trial, trials)


def usable_cores() -> int:
    """The cores that this process may use, which in a container are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def begin_process() -> None:
    """One thread for torch; Ctrl-C is the parent's to answer."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
