"""Small networks of our own: ReportCNN."""

from __future__ import annotations

from torch import nn

__all__ = ["ReportCNN"]


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
