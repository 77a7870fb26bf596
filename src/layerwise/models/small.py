"""Small networks of our own: ReportCNN, and those of the study of inductive bias.

All are plain sequences of layers, so that the engines of a study can stack many of one kind.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from torch import nn

__all__ = ["ReportCNN", "SmallCNN", "SmallMLP"]

POOLS: Mapping[str, type[nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class ReportCNN(nn.Sequential):
    """Two convolutions with batch norm and max-pooling, then three linear layers with dropout; for images of 32 × 32.

    Images (N, C, 32, 32) to logits (N, K). The first linear layer takes 32 × 5 × 5 features, so no other size fits.

    >>> ReportCNN(num_classes=10).fc1.in_features
    800
    """

    def __init__(self, *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 5)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(64, 32, 5)
        self.bn2 = nn.BatchNorm2d(32)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(800, 64)
        self.relu3 = nn.ReLU()
        self.dropout1 = nn.Dropout(0.2)
        self.fc2 = nn.Linear(64, 32)
        self.relu4 = nn.ReLU()
        self.dropout2 = nn.Dropout(0.2)
        self.fc3 = nn.Linear(32, num_classes)


class SmallCNN(nn.Sequential):
    """Convolutions that keep the size, pooling after the first, and a linear layer on the mean of each feature map.

    Images (N, C, H, W) to logits (N, K), of any size from 2 × kernel. The padding reflects the image, so that a stripe
    goes on beyond the border as it was.

    Args:
        num_classes: K.
        in_channels: C.
        filters: of each convolution.
        kernel: the side of all filters.
        pool: "max" or "average", over squares of 2 × 2.
        batch_norm: whether each convolution is followed by batch norm.
        dropout: share of the means that is dropped before the linear layer, from 0 to below 1.

    >>> sum(p.numel() for p in SmallCNN(num_classes=3).parameters())
    606
    """

    def __init__(
        self,
        *,
        num_classes: int,
        in_channels: int = 1,
        filters: Sequence[int] = (3, 3),
        kernel: int = 7,
        pool: str = "max",
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (before, after) in enumerate(zip((in_channels, *filters), filters, strict=False), 1):
            layers[f"conv{number}"] = nn.Conv2d(before, after, kernel, padding="same", padding_mode="reflect")
            if batch_norm:
                layers[f"norm{number}"] = nn.BatchNorm2d(after)
            layers[f"relu{number}"] = nn.ReLU()
            if number == 1:
                layers["pool"] = POOLS[pool](2)
        layers["mean"] = nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = nn.Flatten()
        if dropout:
            layers["dropout"] = nn.Dropout(dropout)
        layers["linear"] = nn.Linear(filters[-1], num_classes)
        super().__init__(layers)


class SmallMLP(nn.Sequential):
    """Linear layers with ReLU between, on all pixels.

    Images (N, C, side, side) to logits (N, K).

    Args:
        num_classes: K.
        in_channels: C.
        hidden: the widths between pixels and logits.
        side: of an image, in pixels.
        batch_norm: whether each hidden layer has batch norm before its ReLU.
        dropout: share of each hidden layer's outputs that is dropped, from 0 to below 1.

    >>> sum(p.numel() for p in SmallMLP(num_classes=3).parameters())
    39793
    """

    def __init__(
        self,
        *,
        num_classes: int,
        in_channels: int = 1,
        hidden: Sequence[int] = (50, 10),
        side: int = 28,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        widths = (in_channels * side**2, *hidden)
        for number, (before, after) in enumerate(zip(widths, hidden, strict=False), 1):
            layers[f"linear{number}"] = nn.Linear(before, after)
            if batch_norm:
                layers[f"norm{number}"] = nn.BatchNorm1d(after)
            layers[f"relu{number}"] = nn.ReLU()
            if dropout:
                layers[f"dropout{number}"] = nn.Dropout(dropout)
        layers[f"linear{len(widths)}"] = nn.Linear(widths[-1], num_classes)
        super().__init__(layers)
