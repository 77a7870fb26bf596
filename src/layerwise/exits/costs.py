"""ExitCosts: the MACs of one image that leaves at each exit, heads included; count_exit_macs measures them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from layerwise.arrays.policies import ExitPolicy
from layerwise.cost import MacCounter
from layerwise.errors import InputError, ShapeError
from layerwise.taps.borrowing import borrowed, device_of, dtype_of

if TYPE_CHECKING:
    from layerwise.exits.network import ExitNetwork

__all__ = ["ExitCosts", "count_exit_macs"]


@dataclass(frozen=True, eq=False)
class ExitCosts:
    """MACs of one image.

    Attributes:
        network: shape (E + 1,), of the network alone, up to each exit; the last is the whole network without heads.
        heads: shape (E,), of each exit's head.
    """

    network: NDArray[np.int64]
    heads: NDArray[np.int64]

    def __post_init__(self) -> None:
        whole = all(part.ndim == 1 and part.dtype.kind in "iu" for part in (self.network, self.heads))
        if not whole or len(self.network) != len(self.heads) + 1:
            raise ShapeError(
                f"MACs of E + 1 exits and of E heads are needed, whole numbers; got {self.network.dtype} "
                f"{self.network.shape} and {self.heads.dtype} {self.heads.shape}."
            )
        if (np.diff(self.network, prepend=0) < 0).any() or (self.heads < 0).any() or not self.plain:
            raise InputError(f"the MACs up to the exits cannot fall; got {self.network.tolist()}.")

    @property
    def plain(self) -> int:
        """Of the network without exits."""
        return int(self.network[-1])

    def of_exits(self, policy: ExitPolicy) -> NDArray[np.int64]:
        """What runs for an image that leaves at each exit, (E + 1,): a head is run only where the policy asks."""
        asked = np.array([policy.asks(index) for index in range(len(self.heads))], bool)
        return self._with(np.where(asked, self.heads, 0))

    @property
    def with_all_heads(self) -> NDArray[np.int64]:
        """What runs for an image that leaves at each exit, (E + 1,), if every head on its way is run."""
        return self._with(self.heads)

    def _with(self, heads: NDArray[np.int64]) -> NDArray[np.int64]:
        paid = np.cumsum(heads)
        total: NDArray[np.int64] = self.network + np.concatenate([paid, paid[-1:]])
        return total


def count_exit_macs(net: ExitNetwork) -> ExitCosts:
    """Count by running one image through the whole network, as `count_macs` does."""
    image = torch.zeros(1, *net.image_shape, dtype=dtype_of(net.model), device=device_of(net.model))
    network: list[int] = []
    heads: list[int] = []
    by_name = net.heads_by_name
    with borrowed(net), net.taps.reader.open(net.model) as forward, MacCounter(net) as counter:

        def read(tap: str, value: Tensor) -> None:
            before = counter.total
            network.append(before - sum(heads))
            by_name[tap](value)
            heads.append(counter.total - before)

        forward(image, read)
        network.append(counter.total - sum(heads))
    return ExitCosts(np.array(network), np.array(heads))
