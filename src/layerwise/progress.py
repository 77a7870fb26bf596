"""How long work tells that it goes on: functions take a `Progress`; the command line passes one that draws bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item")

What = str | Callable[[], str]
"""Names the work; a function is asked again after each item, and may tell how it stands."""


class Progress(Protocol):
    """Passes items on, one by one, and may show how many have gone by."""

    def __call__(self, items: Iterable[Item], *, total: int, what: What) -> Iterator[Item]:
        """Yield `items` unchanged; `total` of them are expected; `what` names the work."""


def silent(items: Iterable[Item], *, total: int, what: What) -> Iterator[Item]:  # noqa: ARG001
    """Show nothing: the default of every function, so that a library call prints nothing."""
    yield from items


def in_words(what: What) -> str:
    """The name of the work as it stands."""
    return what if isinstance(what, str) else what()
