"""LeNet for digits of 8 × 8 pixels; layerwise reads it as `examples/lenet.py:lenet`."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def lenet(num_classes: int, in_channels: int = 1) -> nn.Module:
    """Two convolutions and three linear layers after LeCun et al. (1998), padded so that small digits keep their size.

    Images (N, C, 8, 8) to logits (N, K).
    """
    layers = OrderedDict(
        conv1=nn.Conv2d(in_channels, 6, 5, padding=2),
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(6, 16, 5, padding=2),
        relu2=nn.ReLU(),
        pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        fc1=nn.Linear(16 * 2 * 2, 120),
        relu3=nn.ReLU(),
        fc2=nn.Linear(120, 84),
        relu4=nn.ReLU(),
        fc3=nn.Linear(84, num_classes),
    )
    return nn.Sequential(layers)
