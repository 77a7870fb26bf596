"""Prediction depth of a network and a data set of your own: a plain nn.Module, and a torch Dataset.

    python examples/sound_your_own_network.py

The images are stripes on noise, some bright and some faint: which of them are decided late?
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

import layerwise as lw


class Stripes(Dataset[tuple[Tensor, int]]):
    """Horizontal (0) and vertical (1) stripes of 12×12 pixels on noise."""

    classes = ("horizontal", "vertical")

    def __init__(self, count: int, *, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(0, 2, (count,), generator=draw)
        self.images = 0.3 * torch.rand(count, 1, 12, 12, generator=draw)
        places = torch.randint(0, 12, (count,), generator=draw)
        strengths = 0.1 + 0.6 * torch.rand(count, generator=draw)
        for image, label, place, strength in zip(self.images, self.labels, places, strengths, strict=True):
            stripe = image[0, place] if label == 0 else image[0, :, place]
            stripe += strength

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        return self.images[row], int(self.labels[row])


def make_network() -> nn.Sequential:
    """A network of your own; any module from images (N, C, H, W) to logits (N, K) will do."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 2),
    )


def train(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Your own training loop; layerwise only needs its result."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()


def main() -> None:
    """Train, measure, print."""
    train_set, test_set = Stripes(300, seed=1), Stripes(100, seed=2)
    model = make_network()
    train(model, train_set.images, train_set.labels)

    data = lw.load_data({"train": train_set, "test": test_set})
    difficulty = lw.measure_difficulty(model, data.train, data.test, k=10)

    table = difficulty.table()
    print(difficulty.tap_table()[["name", "shape", "probe_accuracy_test"]].to_string(index=False))
    print(f"network accuracy {table['correct'].mean():.2f}, unresolved {(~table['resolved']).sum()} of {len(table)}")
    print(table.sort_values("depth", ascending=False)[["id", "label_name", "prediction_name", "depth"]].head(5))


if __name__ == "__main__":
    main()
