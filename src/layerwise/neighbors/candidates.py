"""Candidates: rows with bounds of their squared distance, and what is certain from these bounds alone.

A first pass leaves, for each query, rows that may be among its k nearest, each with a lower and an upper bound of its
squared distance. With U the k-th smallest upper bound, a row with a lower bound above U is not a neighbour. A row is
one for certain if fewer than k others can be as near. If no choice among the rest changes the class with most votes, or
that of the nearest voter where two classes have as many, the vote is known, though the neighbours are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Candidates:
    """Rows that may be near, for each of Q queries.

    Attributes:
        rows: shape (Q, c); -1 where there is none.
        lower: shape (Q, c), at most the squared distance in the search's frame, up to a constant of the query;
            infinite where there is no row.
        upper: shape (Q, c), at least it, up to the same constant; infinite where there is no row.
        complete: shape (Q,), whether every row that is not here is surely farther than k of those that are.
    """

    rows: Tensor
    lower: Tensor
    upper: Tensor
    complete: Tensor

    def __getitem__(self, queries: Tensor) -> Candidates:
        return Candidates(self.rows[queries], self.lower[queries], self.upper[queries], self.complete[queries])

    def possible(self, k: int) -> Tensor:
        """Whether each row may be among the k nearest: shape (Q, c)."""
        return (self.lower <= farthest_possible(self.upper, k)) & (self.rows >= 0)

    def sure(self, k: int) -> Tensor:
        """Whether each row is among the k nearest, whatever the distances are between their bounds: shape (Q, c)."""
        next_lower = self.lower.kthvalue(k + 1, dim=1, keepdim=True).values
        return self.upper < next_lower


def farthest_possible(upper: Tensor, k: int) -> Tensor:
    """The k-th smallest upper bound: no neighbour is farther; shape (Q, 1)."""
    return upper.kthvalue(k, dim=1, keepdim=True).values


def certain_votes(candidates: Candidates, labels: Tensor, num_classes: int, k: int) -> tuple[Tensor, Tensor]:
    """The class with most sure votes (Q,), and whether no choice of the other neighbours could change it (Q,).

    Args:
        candidates: of Q queries.
        labels: shape (B,), a class for each row of the base.
        num_classes: K.
        k: voters.
    """
    classes = labels[candidates.rows.clamp(min=0)]  # (Q, c)
    sure, possible = candidates.sure(k), candidates.possible(k)
    surely = _counts(classes, sure, num_classes)  # (Q, K)
    perhaps = _counts(classes, possible & ~sure, num_classes)
    at_most = _nearest(classes, candidates.upper, sure, num_classes)  # (Q, K), the distance of a class's nearest voter
    at_least = _nearest(classes, candidates.lower, possible, num_classes)
    most = surely.amax(dim=1, keepdim=True)
    winners = at_most.masked_fill(surely < most, torch.inf).argmin(dim=1)
    open_seats = k - sure.sum(dim=1, keepdim=True)
    rivals = surely + torch.minimum(perhaps, open_seats)
    beaten = (most > rivals) | ((most == rivals) & (at_most.gather(1, winners[:, None]) < at_least))
    beaten.scatter_(1, winners[:, None], True)
    return winners, candidates.complete & beaten.all(dim=1)


def _counts(classes: Tensor, counted: Tensor, num_classes: int) -> Tensor:
    counts = torch.zeros(len(classes), num_classes, dtype=torch.int64, device=classes.device)
    return counts.scatter_add_(1, classes, counted.long())


def _nearest(classes: Tensor, bounds: Tensor, counted: Tensor, num_classes: int) -> Tensor:
    nearest = bounds.new_full((len(classes), num_classes), torch.inf)
    return nearest.scatter_reduce_(1, classes, bounds.masked_fill(~counted, torch.inf), "amin")
