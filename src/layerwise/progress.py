"""How long work tells that it goes on: functions take a `Progress`; the command line passes one that draws bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Passes items on, one by one, and may show how many have gone by."""

    def __call__(self, items: Iterable[Item], *, total: int, what: str) -> Iterator[Item]:
        """Yield `items` unchanged; `total` of them are expected; `what` names the work."""


def silent(items: Iterable[Item], *, total: int, what: str) -> Iterator[Item]:  # noqa: ARG001
    """Show nothing: the default of every function, so that a library call prints nothing."""
    yield from items
