"""Networks with exits whose answers are known, and networks that cannot be left."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from layerwise.data.images import ImageData
from layerwise.exits.network import ExitNetwork
from layerwise.models.catalog import load_model
from layerwise.seeds import stream


class Plus(nn.Module):
    """Adds 1 to all numbers: two of them, one after the other, show where an example left."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 1


class Around(nn.Module):
    """A residual block: `inside` cannot be an exit, since the sum needs all examples."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.inside = nn.Conv2d(4, 4, 3, padding=1)
        self.after = nn.ReLU()
        self.head = nn.Linear(4 * 6 * 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.after(x + self.inside(x))
        return self.head(x.flatten(1))


class Pooling(nn.Module):
    """The path around is one number per batch: it fits any number of survivors, and silently mixes examples."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.after = nn.ReLU()
        self.head = nn.Linear(4 * 6 * 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.after(self.stem(x))
        return self.head((x - x.mean(dim=0, keepdim=True)).flatten(1))


class SizeReadBefore(nn.Module):
    """Reads the batch size before the exit and reshapes to it afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.head = nn.Linear(4 * 6 * 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        count = x.shape[0]
        return self.head(self.stem(x).reshape(count, -1))


class Squeezing(nn.Module):
    """Loses the axis of examples when a single one is left, and works with two or more."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 6)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stem(x).squeeze())


class Broadcasting(nn.Module):
    """A path of one row, kept from before the exit: one example that is left fits it, and fits all five."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(36, 3)
        self.head = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        before = x.flatten(1)[:, :3]
        return self.head(self.stem(x.flatten(1))) + before


class Twice(nn.Module):
    """One ReLU is called twice: its second call is a tap of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(1, 4, 3, padding=1)
        self.two = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4 * 6 * 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.two(self.relu(self.one(x))))
        return self.head(x.flatten(1))


def some_images(count: int = 12, *, channels: int = 1, size: int = 6, seed: int = 0) -> ImageData:
    pixels = stream(seed, "exits").random((count, channels, size, size), dtype=np.float32)
    return ImageData.create(pixels, np.arange(count) % 3, class_names=["a", "b", "c"])


def toy_exits() -> ExitNetwork:
    """Two plus-ones between the pixel (1, 1, 1) and the logits (x, -x): exits say x + 1, x + 2, and the last x + 2."""
    model = nn.Sequential(Plus(), Plus(), nn.Flatten(), nn.Linear(1, 2, bias=False)).eval()
    net = ExitNetwork(model, torch.rand(5, 1, 1, 1), ["0", "1"], heads="linear").eval()
    with torch.no_grad():
        for linear in (model[3], *(head[1] for head in net.heads)):
            linear.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        for head in net.heads:
            head[1].bias.zero_()
    return net


def small_exits(*, seed: int = 0, at: tuple[str, ...] = ("layer1.0", "layer2", "layer3.1.relu2")) -> ExitNetwork:
    """An untrained ResNet-20 on 8 × 8 images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = load_model("resnet20", num_classes=3, in_channels=1).eval()
    return ExitNetwork(model, some_images(size=8), at, seed=seed).eval()


SPLITS = np.where(np.arange(24) < 18, "train", "test")


def split_images(size: int = 8) -> ImageData:
    """24 images of three classes, to train and to test on."""
    data = some_images(24, size=size)
    return ImageData.create(data.batch(slice(0, 24)), data.labels, class_names=["a", "b", "c"], splits=SPLITS)
