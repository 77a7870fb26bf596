"""ResNets for small images: CifarResNet (ResNet-8 to -110) and resnet18_cifar.

They differ from torchvision's networks where 32 × 32 pixels ask for it: the first convolution keeps the resolution and
no max-pool follows. Every residual sum is a plain `+`, so that tracing names it (`layer1.0.add`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise import _torchvision

__all__ = ["BasicBlock", "CifarResNet", "PaddedShortcut", "resnet18_cifar"]


class PaddedShortcut(nn.Module):
    """Option A of He et al. (2016): every second pixel, and zeros for the channels that are new; no parameters."""

    def __init__(self, *, new_channels: int) -> None:
        super().__init__()
        self.before = new_channels // 2
        self.after = new_channels - self.before

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C + new_channels, H / 2, W / 2)."""
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.before, self.after))


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions and a shortcut around them."""

    def __init__(self, in_channels: int, channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Identity() if stride == 1 else PaddedShortcut(new_channels=channels - in_channels)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, channels, H / stride, W / stride)."""
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out = out + self.shortcut(x)
        return self.relu2(out)  # type: ignore[no-any-return]


class CifarResNet(nn.Module):
    """The ResNet of He et al. (2016) for CIFAR, in three stages of 16, 32 and 64 channels.

    Args:
        depth: layers with weights: 6 n + 2 (8, 14, 20, 56, 110).
        num_classes: K.
        in_channels: C.
        width: of the first stage, in channels; the others have twice and four times as many.

    Raises:
        ValueError: `depth` is not 6 n + 2.

    Source: He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition, section 4.2.

    >>> sum(p.numel() for p in CifarResNet(20, num_classes=10).parameters())
    269722
    """

    def __init__(self, depth: int, *, num_classes: int, in_channels: int = 3, width: int = 16) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 2, 6)
        if rest or blocks < 1:
            raise ValueError(f"the depth of a CIFAR ResNet is 6 n + 2 (8, 14, 20, …); got {depth}.")
        self.depth = depth
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.layer1 = _stage(width, width, blocks=blocks, stride=1)
        self.layer2 = _stage(width, 2 * width, blocks=blocks, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, blocks=blocks, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(4 * width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, C, H, W) to logits (N, K)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.layer3(self.layer2(self.layer1(out)))
        return self.linear(torch.flatten(self.avgpool(out), 1))  # type: ignore[no-any-return]

    def narrower(self, share: float) -> CifarResNet:
        """A new network with this share of the channels, freshly drawn; see `layerwise.models.narrower`."""
        width = max(1, round(share * self.conv1.out_channels))
        classes, channels = self.linear.out_features, self.conv1.in_channels
        return CifarResNet(self.depth, num_classes=classes, in_channels=channels, width=width)


def _stage(in_channels: int, channels: int, *, blocks: int, stride: int) -> nn.Sequential:
    first = BasicBlock(in_channels, channels, stride=stride)
    return nn.Sequential(first, *(BasicBlock(channels, channels) for _ in range(blocks - 1)))


def resnet18_cifar(*, num_classes: int, in_channels: int = 3) -> nn.Module:
    """torchvision's ResNet-18 with a 3 × 3 first convolution of stride 1, and an identity in place of the max-pool."""
    model: nn.Module = _torchvision.torchvision.models.resnet18(weights=None, num_classes=num_classes)
    model.conv1 = nn.Conv2d(in_channels, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()
    return model
