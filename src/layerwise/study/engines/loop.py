"""run_in_loop: one trial after the other, on one thread. The reference: other engines must give its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from layerwise.study.trials import Record, Trial, run_trial


def run_in_loop(trials: Sequence[Trial]) -> Iterator[Record]:
    """Yield the records in the order of the trials; torch's number of threads is put back."""
    threads = torch.get_num_threads()
    for trial in trials:
        torch.set_num_threads(1)
        try:
            record = run_trial(trial)
        finally:
            torch.set_num_threads(threads)
        yield record
