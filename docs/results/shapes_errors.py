"""Where a network is mistaken on drawn shapes: `python docs/results/shapes_errors.py RUN`.

Prints Markdown: accuracy on the test images, by aspect and with or without a card, of the network as it was saved and
with the running averages of its batch norms taken anew over some training images.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tables import print_rows
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from layerwise.arrays.intervals import wilson_interval
from layerwise.cli.sources import source_of_run
from layerwise.data.images import ImageData

BATCH, AVERAGED = 128, 6_000
LONG = ("rectangle", "ellipse")
ALIKE = ({"rectangle", "square"}, {"ellipse", "circle"})


def main() -> None:
    """Print the table."""
    source = source_of_run(Path(sys.argv[1]), None, seed=0, model=None, trust_code=False, may_ask=False)
    model, data, prepare = source.model.eval(), source.data, source.description.preprocessing
    names = np.array(data.class_names)

    def batches(images: ImageData) -> list[Tensor]:
        rows = range(0, len(images), BATCH)
        return [prepare(torch.tensor(images.batch(slice(row, min(row + BATCH, len(images)))))) for row in rows]

    test = batches(data.test)
    some = batches(data.train.select(np.arange(0, len(data.train), len(data.train) // AVERAGED)))
    labels = data.test.labels
    found = {"as saved": predictions(model, test)}
    update_bn(some, model)
    found["averages anew"] = predictions(model, test)

    long, card, aspect = np.isin(names[labels], LONG), data.test.factors["occlusion"] > 0, data.test.factors["aspect"]
    edges = np.linspace(aspect[long].min(), aspect[long].max() + 1e-9, 5)
    groups = {"all": np.ones(len(labels), bool), "without a card": ~card, "under a card": card}
    for low, high in pairwise(edges):
        groups[f"rectangles and ellipses, aspect {low:.2f} to {high:.2f}"] = long & (aspect >= low) & (aspect < high)
    print_rows(
        ["test images", "how many", *found],
        [
            [name, f"{rows.sum():,}", *(share((p == labels)[rows]) for p in found.values())]
            for name, rows in groups.items()
        ],
    )
    for name, predicted in found.items():
        wrong = np.flatnonzero(predicted != labels)
        alike = sum({names[labels[row]], names[predicted[row]]} in ALIKE for row in wrong)
        print(f"{name}: {len(wrong):,} mistaken, {alike:,} of them between a shape and its long kind\n")


def predictions(model: nn.Module, batches: list[Tensor]) -> NDArray[np.int64]:
    """The predicted classes, (N,)."""
    with torch.no_grad():
        return torch.cat([model(images).argmax(dim=1) for images in batches]).numpy()


def share(right: NDArray[np.bool_]) -> str:
    """An accuracy with Wilson's 95 % interval."""
    low, high = wilson_interval(right.sum(), len(right))
    return f"{right.mean():.3f} ({low:.3f} – {high:.3f})"


if __name__ == "__main__":
    main()
