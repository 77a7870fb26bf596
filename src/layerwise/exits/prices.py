"""Price: what images cost that leave at given exits: MACs (InMacs), or seconds as predicted (InSeconds)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layerwise.arrays.policies import ExitPolicy
from layerwise.exits.costs import ExitCosts
from layerwise.exits.latency import SegmentTimes

__all__ = ["InMacs", "InSeconds", "Price"]


class Price(ABC):
    """What an image costs. A head costs nothing where the policy does not ask it."""

    @abstractmethod
    def by_exit(self, policy: ExitPolicy) -> NDArray[np.float64]:
        """Of an image that leaves at each exit, if all others leave there, too: (E + 1,)."""

    @abstractmethod
    def mean(self, policy: ExitPolicy, exits: NDArray[np.integer]) -> float:
        """Of images that leave at these exits (N,)."""


@dataclass(frozen=True)
class InMacs(Price):
    """Multiply-accumulates, which add up image by image."""

    costs: ExitCosts

    def by_exit(self, policy: ExitPolicy) -> NDArray[np.float64]:
        """See Price."""
        return self.costs.of_exits(policy).astype(np.float64)

    def mean(self, policy: ExitPolicy, exits: NDArray[np.integer]) -> float:
        """See Price."""
        return float(self.costs.of_exits(policy)[exits].mean())


@dataclass(frozen=True)
class InSeconds(Price):
    """Seconds in batches of one size. An image that stays behind alone takes longer than one of many."""

    times: SegmentTimes
    batch_size: int

    def by_exit(self, policy: ExitPolicy) -> NDArray[np.float64]:
        """See Price."""
        exits = range(len(self.times.names))
        return np.array([self.mean(policy, np.array([index])) for index in exits])

    def mean(self, policy: ExitPolicy, exits: NDArray[np.integer]) -> float:
        """See Price."""
        return self.times.per_image(exits, policy, batch_size=self.batch_size)
