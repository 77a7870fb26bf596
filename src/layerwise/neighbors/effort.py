"""Effort: how many queries each stage of a search decided, for benchmarks and logs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Effort:
    """Counts, added to by the searches that it is given to.

    Attributes:
        queries: all that were asked.
        reranked: those whose vote was not certain from the bounds of the first pass, so that more had to be computed.
        sketched: those whose candidates sketches found.
    """

    queries: int = 0
    reranked: int = 0
    sketched: int = 0

    @property
    def reranked_share(self) -> float:
        """0 to 1."""
        return self.reranked / self.queries if self.queries else 0.0
