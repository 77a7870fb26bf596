"""A training in a process of its own, to be killed: `python train_digits.py RUN`; prints a line at each batch."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import Interrupted
from layerwise.training import loop
from layerwise.training.fit import train


def tell(items: Iterable[Any], *, total: int, what: str) -> Iterator[Any]:
    for item in items:
        print(what, flush=True)
        time.sleep(0.005)
        yield item


def main(run: Path) -> int:
    torch.set_num_threads(1)
    loop.SAVE_EVERY_S = 0.03
    source = load_digits()
    images = np.asarray(source.images[:283, None] * 15, dtype=np.uint8)
    data = ImageData.create(images, source.target[:283], splits=np.repeat(["train", "validation"], [203, 80]))
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(4 * 36, 10)
    )
    try:
        train(model, data, epochs=5, batch_size=8, schedule="onecycle", augment="flip-crop", run=run, progress=tell)
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return 130
    weights = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
    (run / "weights.bytes").write_bytes(weights)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
