"""Scores: products of queries and rows whose rounding errors are known whatever the library's own order of summing.

full_precision        products in the precision of their factors, for as long as a search lasts
minus_twice_product   start − 2 queries · rows, summed in blocks of features
product_error         how far such a sum can be off, as a share of |query|² + |row|²
feature_blocks        the blocks
rule_out_self         no query is its own neighbour
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

PRODUCT_WIDTH = 2048


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Products in the precision of their factors: the bounds hold for no TF32, autocast or narrow partial sums."""
    cuda = torch.backends.cuda.matmul
    precision, narrow_sums = torch.get_float32_matmul_precision(), cuda.allow_bf16_reduced_precision_reduction
    torch.set_float32_matmul_precision("highest")
    cuda.allow_bf16_reduced_precision_reduction = False
    try:
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
        cuda.allow_bf16_reduced_precision_reduction = narrow_sums


def minus_twice_product(start: Tensor, queries: Tensor, rows: Tensor) -> Tensor:
    """start (B,) − 2 queries (Q, D) · rows (B, D), summed in blocks of features; shape (Q, B)."""
    first, *others = feature_blocks(queries.shape[1])
    product = torch.mm(queries[:, first], rows[:, first].T)
    scores = torch.sub(start, product, alpha=2)
    for block in others:
        # Not addmm: a library may begin with the running sum and add a block's products onto it one by one.
        scores.sub_(torch.mm(queries[:, block], rows[:, block].T, out=product), alpha=2)
    return scores


def product_error(width: int, dtype: torch.dtype) -> float:
    """How far start − 2 x · y can be off, as a share of |x|² + |y|²; derived in docs/methods/votes.md.

    Factors narrower than float32 are multiplied and summed in float32, and each block's sum is rounded to their type.
    """
    roundings = min(width, PRODUCT_WIDTH) + 4 * -(-width // PRODUCT_WIDTH) + 16
    if dtype == torch.float64:
        return float((roundings + width) * torch.finfo(dtype).eps / 2)  # its norms are summed in its own precision
    of_sums = roundings * torch.finfo(torch.float32).eps / 2
    return float(of_sums if dtype == torch.float32 else of_sums + torch.finfo(dtype).eps)


def feature_blocks(width: int) -> list[slice]:
    """Consecutive slices of at most PRODUCT_WIDTH features."""
    return [slice(start, min(start + PRODUCT_WIDTH, width)) for start in range(0, width, PRODUCT_WIDTH)]


def rule_out_self(scores: Tensor, own_columns: Tensor) -> None:
    """Infinity where a query (Q,) meets itself among the columns of scores (Q, B); -1 for queries that do not."""
    (here,) = ((own_columns >= 0) & (own_columns < scores.shape[1])).nonzero(as_tuple=True)
    scores[here, own_columns[here]] = torch.inf
