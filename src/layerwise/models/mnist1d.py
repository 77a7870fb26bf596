"""The CNN and the MLP of the MNIST-1D repository, for signals of 40 numbers as images one pixel high.

Their weights are drawn as PyTorch draws them. Where theirs are 1-D convolutions, these are 2-D ones of height 1, which
compute the same.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

__all__ = ["AddedReLU", "Mnist1dCNN", "Mnist1dMLP"]

FEATURES = 40


class Mnist1dCNN(nn.Sequential):
    """Three convolutions of stride 2 with ReLU, then a linear layer on all that is left: 5 places of each channel.

    Images (N, C, 1, 40) to logits (N, K).

    Source: `ConvBase` of the repository of Greydanus and Kobak (2024), "Scaling down deep learning with MNIST-1D".

    >>> sum(p.numel() for p in Mnist1dCNN(num_classes=10).parameters())
    5210
    """

    def __init__(self, *, num_classes: int, in_channels: int = 1, channels: int = 25) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, kernel in enumerate((5, 3, 3), 1):
            before = in_channels if number == 1 else channels
            layers[f"conv{number}"] = nn.Conv2d(before, channels, (1, kernel), stride=(1, 2), padding=(0, 1))
            layers[f"relu{number}"] = nn.ReLU()
        layers["flatten"] = nn.Flatten()
        layers["linear"] = nn.Linear(channels * 5, num_classes)
        super().__init__(layers)


class Mnist1dMLP(nn.Sequential):
    """Two hidden layers, of which the second is added to the first, and a linear layer.

    Images (N, C, 1, 40) to logits (N, K).

    Source: `MLPBase` of the repository of Greydanus and Kobak (2024), "Scaling down deep learning with MNIST-1D".

    >>> sum(p.numel() for p in Mnist1dMLP(num_classes=10).parameters())
    15210
    """

    def __init__(self, *, num_classes: int, in_channels: int = 1, hidden: int = 100) -> None:
        super().__init__(
            OrderedDict(
                flatten=nn.Flatten(),
                linear1=nn.Linear(in_channels * FEATURES, hidden),
                relu1=nn.ReLU(),
                added=AddedReLU(hidden),
                linear3=nn.Linear(hidden, num_classes),
            )
        )


class AddedReLU(nn.Module):
    """What comes in plus ReLU of a linear layer on it, both (N, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear2 = nn.Linear(width, width)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Add."""
        added: Tensor = x + self.relu2(self.linear2(x))
        return added
