"""Engines run trials and give their records as they finish; which one is used changes no number beyond rounding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from layerwise.errors import UnknownNameError, did_you_mean
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.engines.on_ray import run_on_ray
from layerwise.study.engines.processes import run_in_processes
from layerwise.study.engines.stacked import run_stacked
from layerwise.study.trials import Record, Trial


class Engine(Protocol):
    """Runs trials in any order; state lives in the store, never here."""

    def __call__(self, trials: Sequence[Trial]) -> Iterator[Record]:
        """Yield a record for each trial, when it is finished."""


ENGINES: Mapping[str, Engine] = {
    "loop": run_in_loop,
    "processes": run_in_processes,
    "stacked": run_stacked,
    "ray": run_on_ray,
}


def find_engine(name: str) -> Engine:
    """An engine by its name.

    Raises:
        UnknownNameError: there is no such engine.
    """
    if name not in ENGINES:
        near = did_you_mean(str(name).lower(), ENGINES)
        raise UnknownNameError(f'no engine is called "{name}".{near}\n    Choose among: {", ".join(ENGINES)}.')
    return ENGINES[name]
