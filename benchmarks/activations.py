"""Real activations for the benchmarks of votes: the reference job's network on shapes or CIFAR-10, trained briefly.

torchvision's ResNet-18 with its ImageNet stem, fed 32×32 images. Its eleven places hold 66,000 floats an image, so they
are recorded to a folder, and one tap at a time is read into memory.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.oracle import Values
from layerwise import seeds
from layerwise.data.images import ImageData
from layerwise.data.parquet import load_parquet
from layerwise.data.shapes import load_shapes
from layerwise.errors import FileError
from layerwise.models.catalog import load_model
from layerwise.recording import Activations, record
from layerwise.runs import read_json, write_json
from layerwise.taps import find_taps

BATCH = 128
FACTS = "recording.json"


@dataclass(frozen=True)
class Job:
    """What is measured: how many images of what, after how much training, at which taps (all, if none is named)."""

    base: int
    queries: int
    steps: int
    taps: tuple[str, ...] = ()
    cifar10: str | None = None

    def facts(self) -> dict[str, object]:
        """All that the activations depend on."""
        return {**vars(self), "taps": list(self.taps)}

    def load(self) -> tuple[ImageData, ImageData]:
        """The images whose activations are the base, and those that ask."""
        if self.cifar10 is None:
            data = load_shapes(train=self.base, test=self.queries)
            return data.train, data.test
        data = load_parquet(self.cifar10)
        return data.train.select(slice(self.base)), data.test.select(slice(self.queries))


@dataclass(frozen=True)
class Recorded:
    """Activations of the base and of the queries, mapped from files, and the seconds that recording took."""

    base: Activations
    queries: Activations
    seconds: float

    @property
    def num_classes(self) -> int:
        """K, the number of classes."""
        return int(self.queries.logits.shape[1])

    @property
    def predictions(self) -> NDArray[np.int64]:
        """What the network says of each query, shape (Q,)."""
        predictions: NDArray[np.int64] = self.queries.logits.argmax(axis=1)
        return predictions

    def read(self, tap: str) -> tuple[Values, Values]:
        """Base (B, D) and queries (Q, D) of one tap, in memory."""
        return np.array(self.base.flat(tap)), np.array(self.queries.flat(tap))


def record_job(job: Job, folder: Path) -> Recorded:
    """Train and record, unless the folder holds what an earlier call has recorded."""
    if not _is_recorded(job, folder):
        train_data, test_data = job.load()
        model = load_model("resnet18", num_classes=train_data.num_classes, in_channels=train_data.image_shape[0])
        train_briefly(model, train_data, job.steps)
        taps = find_taps(model, train_data, "children")
        started = time.perf_counter()
        for part, data in (("base", train_data), ("queries", test_data)):
            record(model, data, taps, only=job.taps or None, keep=folder / part)
        write_json(folder / FACTS, {"job": job.facts(), "seconds": time.perf_counter() - started})
    seconds = read_json(folder / FACTS)["seconds"]
    return Recorded(Activations.load(folder / "base"), Activations.load(folder / "queries"), seconds)


def train_briefly(model: nn.Module, data: ImageData, steps: int) -> None:
    """A few steps of Adam: enough for activations that know the classes."""
    order = seeds.stream(0, "benchmark").permutation(len(data))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    for step in range(steps):
        rows = order.take(np.arange(step * BATCH, (step + 1) * BATCH), mode="wrap")
        logits = model(torch.from_numpy(data.batch(rows)))
        optimizer.zero_grad()
        nn.functional.cross_entropy(logits, torch.from_numpy(data.labels[rows])).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    model.eval()


def _is_recorded(job: Job, folder: Path) -> bool:
    try:
        return bool(read_json(folder / FACTS)["job"] == job.facts())
    except FileError:
        return False
