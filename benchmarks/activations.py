"""Real activations for the benchmarks of votes: a network's, at all its places, recorded into memory a group at a time.

The network and its images are those of a finished run; without one, torchvision's ResNet-18 with its ImageNet stem is
trained briefly on shapes or CIFAR-10. Its eleven places hold 62,000 floats an image, 9 GB for the reference job.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from layerwise import seeds
from layerwise.cli.sources import source_of_run
from layerwise.data.images import ImageData
from layerwise.data.parquet import load_parquet
from layerwise.data.shapes import load_shapes
from layerwise.models.catalog import load_model
from layerwise.models.preprocessing import Preprocessing
from layerwise.models.saved import ModelDescription, read_model, save_model
from layerwise.recording import Activations, record
from layerwise.recording.groups import groups_of_taps
from layerwise.taps import Taps, find_taps

PLACE = "children"
BATCH = 128
LIMIT_BYTES = 5e9
"""The most that recorded activations take: two groups of taps for the reference job."""

MOST_TELLING = ("relu", "conv1", "layer1")
"""These are measured first: a run that is killed has then said most."""


@dataclass(frozen=True)
class Job:
    """What is measured.

    Attributes:
        base: how many training images.
        queries: how many test images.
        steps: of training, where there is no run.
        taps: which; all, if none is named.
        cifar10: a folder of Parquet files, instead of shapes.
        run: a folder with a trained network, and the name of its images.
        check: how many queries the oracle answers at each tap.
    """

    base: int
    queries: int
    steps: int
    taps: tuple[str, ...] = ()
    cifar10: str | None = None
    run: str | None = None
    check: int = 500

    def load(self) -> ImageData:
        """The images, where there is no run."""
        return load_parquet(self.cifar10) if self.cifar10 else load_shapes(train=self.base, test=self.queries)


@dataclass(frozen=True)
class Subject:
    """A trained network, its places, and images: those of the base, and those that ask."""

    model: nn.Module
    preprocessing: Preprocessing | None
    base: ImageData
    queries: ImageData
    taps: Taps

    @classmethod
    def create(cls, model: nn.Module, preprocessing: Preprocessing | None, data: ImageData, job: Job) -> Subject:
        """As many of the images as the job asks for."""
        base, queries = data.train.select(slice(job.base)), data.test.select(slice(job.queries))
        taps = find_taps(model, base.select(slice(0, 1)), PLACE, preprocessing=preprocessing)
        return cls(model, preprocessing, base, queries, taps)

    def groups(self, wanted: tuple[str, ...] = ()) -> list[list[str]]:
        """Names of taps (all, if none is wanted) that are recorded together, the most telling first."""
        taps = [tap for tap in self.taps if tap.name in wanted or not wanted]
        first = [tap for name in MOST_TELLING for tap in taps if tap.name == name]
        rest = [tap for tap in taps if tap not in first]
        groups = groups_of_taps([*first, *rest], len(self.base) + len(self.queries), LIMIT_BYTES)
        return [[tap.name for tap in group] for group in groups]


@dataclass(frozen=True)
class Recorded:
    """Activations of the base and of the queries, in memory, and the seconds that recording took."""

    base: Activations
    queries: Activations
    seconds: float


def load_subject(job: Job, folder: Path) -> Subject:
    """The run's network and images; without a run, a network that is trained once and then kept in the folder."""
    if job.run is not None:
        source = source_of_run(Path(job.run), None, seed=0, model=None, trust_code=False, may_ask=False)
        return Subject.create(source.model, source.description.preprocessing, source.data, job)
    data, kept = job.load(), folder / "network"
    if not (kept / "model.json").exists():
        model = load_model("resnet18", num_classes=data.num_classes, in_channels=data.image_shape[0])
        train_briefly(model, data.train, job.steps)
        save_model(
            kept, model, ModelDescription("resnet18", data.num_classes, data.image_shape, tuple(data.class_names))
        )
    return Subject.create(read_model(kept).model, None, data, job)


def record_taps(subject: Subject, names: list[str]) -> Recorded:
    """One forward pass of all images that keeps the values at these taps."""
    started = time.perf_counter()
    base, queries = (
        record(
            subject.model,
            data,
            subject.taps,
            only=names,
            preprocessing=subject.preprocessing,
            limit_bytes=LIMIT_BYTES,
        )
        for data in (subject.base, subject.queries)
    )
    return Recorded(base, queries, time.perf_counter() - started)


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
