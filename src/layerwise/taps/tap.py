"""Tap and Taps: the named places at which a network is read, in order of execution, as plain values.

The raw images come first and the softmax of the network's output last, so that a probe's way through the network begins
before the first layer and ends where the network itself decides.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from layerwise.errors import UnknownNameError, did_you_mean
from layerwise.taps.readers import Reader

INPUT = "input"
SOFTMAX = "softmax"


@dataclass(frozen=True)
class Tap:
    """A named place.

    Attributes:
        name: torch's dotted name of a module, or an operation's name; "input" and "softmax" for the first and the last.
        order: 0 for the input, then in order of execution.
        shape: of one example's value there, without N.
    """

    name: str
    order: int
    shape: tuple[int, ...]

    @property
    def features(self) -> int:
        """D, the numbers in one example's value.

        >>> Tap("layer1", 5, (64, 8, 8)).features
        4096
        """
        return math.prod(self.shape)


@dataclass(frozen=True)
class Taps:
    """The places to read of one network, and how.

    Iteration gives each Tap in order of execution; `taps["layer1"]` and `taps[5]` give one.

    Attributes:
        taps: the places, input first and softmax last.
        reader: the plan that reads those between.
        network: the network's class, for messages.
        skipped: places that the placement would have, and why they cannot be taps.
    """

    taps: tuple[Tap, ...]
    reader: Reader
    network: str
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order of execution."""
        return tuple(tap.name for tap in self.taps)

    def __len__(self) -> int:
        return len(self.taps)

    def __iter__(self) -> Iterator[Tap]:
        return iter(self.taps)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, place: str | int) -> Tap:
        if isinstance(place, int):
            return self.taps[place]
        if place not in self.names:
            raise UnknownNameError(unknown_taps([place], self.names, self.network))
        return self.taps[self.names.index(place)]


def unknown_taps(unknown: Collection[str], known: Collection[str], network: str, *, near: Collection[str] = ()) -> str:
    """The message about names that a network does not have, one line each; `near` are more names that may be meant."""
    lines = [
        f'no tap named "{name}" in {network} ({len(known)} taps).{did_you_mean(name, [*known, *near])}'
        for name in unknown
    ]
    return "\n".join([*lines, "    List them with: layerwise taps MODEL"])
