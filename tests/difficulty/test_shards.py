"""A tap over the memory limit is searched in shards, with the same result."""

from __future__ import annotations

import tracemalloc
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from layerwise.arrays.depth import Reference
from layerwise.data.images import ImageData
from layerwise.difficulty import recorder, shards
from layerwise.difficulty.measuring import measure_depths, measure_difficulty
from layerwise.difficulty.probing import probe
from layerwise.difficulty.recorder import ProbeRecorder
from layerwise.difficulty.settings import ProbeSettings
from layerwise.difficulty.shards import Room
from layerwise.errors import ActivationsTooLargeError, NonFiniteError
from layerwise.neighbors.found import Neighbors
from layerwise.recording import record
from layerwise.taps import find_taps

pytestmark = pytest.mark.slow

WIDTH = 40
BYTES = 4 * WIDTH  # of one example at the taps that are over the limit
SETTINGS = ProbeSettings(k=5, batch_size=4)
IN_SHARDS = ProbeSettings(k=5, batch_size=4, limit_bytes=24 * BYTES)


class DependsOnTheBatch(nn.Module):
    """What a network may do in its last bits, so that all can see it: an example's value depends on its batch."""

    def forward(self, images: Tensor) -> Tensor:
        places = torch.arange(len(images))[:, None]
        return images + places * 0.5 + len(images) * 0.25


def small_net(width: int = WIDTH) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Flatten(), DependsOnTheBatch(), nn.Linear(4, width), nn.ReLU(inplace=True), nn.Linear(width, 3)
        ).eval()


@pytest.fixture
def data() -> ImageData:
    """Duplicates, ties, last batches that are not full, and test examples between those of training."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 3, size=(89, 1, 2, 2)).astype(np.float32)
    images[20:40] = images[:20]
    splits = np.where(np.arange(89) % 3 > 0, "train", "test")
    return ImageData.create(images, rng.integers(0, 3, size=89), splits=splits, class_names=["a", "b", "c"])


class Watch:
    """What is held of recordings, and what is searched."""

    def __init__(self) -> None:
        self.held_bytes = self.most_bytes = 0
        self.searches: list[tuple[int, int, int]] = []

    def record(self, *arguments: Any, **options: Any) -> Any:
        activations = record(*arguments, **options)
        for array in activations.arrays.values():
            self._hold(array.nbytes)
            weakref.finalize(array, self._hold, -array.nbytes)
        return activations

    def find_neighbors(self, queries: Tensor, base: Tensor, *rest: Any, first_row: int, **options: Any) -> Any:
        self.searches.append((len(queries), len(base), first_row))
        self._hold(queries.nbytes)
        self._hold(-queries.nbytes)
        return find_neighbors(queries, base, *rest, first_row=first_row, **options)

    def _hold(self, size_bytes: int) -> None:
        self.held_bytes += size_bytes
        self.most_bytes = max(self.most_bytes, self.held_bytes)


find_neighbors = shards.find_neighbors


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(recorder, "record", watch.record)
    monkeypatch.setattr(shards, "find_neighbors", watch.find_neighbors)
    return watch


def examples_of(data: ImageData, split: str) -> ImageData:
    """Training examples backwards, so that their rows are not in their order."""
    parts = {"test": data.test, "train": data.train.select(np.arange(len(data.train))[::-1]), "all": data}
    return parts[split]


@pytest.mark.parametrize("split", ["test", "train", "all"])
def test_neighbours_and_logits_are_those_of_one_recording(data: ImageData, split: str, watch: Watch) -> None:
    model, examples = small_net(), examples_of(data, split)
    whole = measure_difficulty(model, data.train, examples, settings=SETTINGS)
    assert not watch.searches
    watch.most_bytes = 0
    sharded = measure_difficulty(model, data.train, examples, settings=IN_SHARDS)
    assert sharded.neighbors.tolist() == whole.neighbors.tolist()
    assert sharded.logits.tobytes() == whole.logits.tobytes()
    assert 0.8 * IN_SHARDS.limit_bytes < watch.most_bytes <= IN_SHARDS.limit_bytes
    assert watch.held_bytes == 0
    starts = [first_row for _, _, first_row in watch.searches]
    taps, parts, number = 2, starts.count(0) // 2, len(set(starts))
    assert (parts >= 2, number >= 3, len(starts)) == (True, True, taps * parts * number)


@pytest.mark.parametrize("agree_with", ["prediction", "last-probe", "label"])
@pytest.mark.parametrize("split", ["test", "train", "all"])
def test_depths_are_those_of_one_recording(data: ImageData, split: str, agree_with: Reference, watch: Watch) -> None:
    model, examples = small_net(), examples_of(data, split)
    whole = measure_depths(model, data.train, examples, settings=SETTINGS, agree_with=agree_with)
    watch.most_bytes = 0
    settings = replace(IN_SHARDS, limit_bytes=16 * BYTES)
    sharded = measure_depths(model, data.train, examples, settings=settings, agree_with=agree_with)
    assert sharded.depth.tolist() == whole.depth.tolist()
    assert sharded.asked.tolist() == whole.asked.tolist()
    assert len(set(sharded.depth.tolist())) > 2
    assert watch.most_bytes <= settings.limit_bytes
    assert len({first_row for _, _, first_row in watch.searches}) >= 3
    of_a_tap = sum(queries for queries, _, first_row in watch.searches if first_row == 0)
    assert of_a_tap == sharded.asked[3] + sharded.asked[4]
    assert max(queries for queries, _, _ in watch.searches) <= 3 < sharded.asked[4]


def test_the_last_tap_itself_may_be_over_the_limit(data: ImageData) -> None:
    settings = ProbeSettings(k=5, batch_size=1, limit_bytes=4 * 4 * 30)
    for measure in (measure_difficulty, measure_depths):
        whole = measure(small_net(3), data.train, data, settings=ProbeSettings(k=5, batch_size=1))
        sharded = measure(small_net(3), data.train, data, settings=settings)
        assert sharded.depth.tolist() == whole.depth.tolist()
        assert sharded.logits.tobytes() == whole.logits.tobytes()


def test_with_copies_of_queries_and_all_else_the_limit_holds(data: ImageData, monkeypatch: pytest.MonkeyPatch) -> None:
    width = 20_000
    model, limit_bytes = small_net(width), 24 * 4 * width

    def found_at_once(queries: Tensor, base: Tensor, k: int, *, first_row: int, **_: Any) -> Neighbors:
        return Neighbors(np.full((len(queries), k), first_row), np.zeros((len(queries), k)))

    monkeypatch.setattr(shards, "find_neighbors", found_at_once)
    settings = ProbeSettings(k=5, batch_size=4, limit_bytes=limit_bytes)
    tracemalloc.start()
    try:
        measure_difficulty(model, data.train, data, settings=settings)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.8 * limit_bytes < most < 1.2 * limit_bytes


@pytest.mark.parametrize("measure", [measure_difficulty, measure_depths])
def test_the_least_room_is_enough_and_one_example_less_is_refused(data: ImageData, measure: Any) -> None:
    model, settings = small_net(), ProbeSettings(k=5, batch_size=16)
    least = 1 + 16 + 5
    whole = measure(model, data.train, data, settings=settings)
    enough = ProbeSettings(k=5, batch_size=16, limit_bytes=least * BYTES)
    assert measure(model, data.train, data, settings=enough).depth.tolist() == whole.depth.tolist()
    too_small = ProbeSettings(k=5, batch_size=16, limit_bytes=least * BYTES - 1)
    with pytest.raises(ActivationsTooLargeError) as caught:
        measure(model, data.train, data, settings=too_small)
    refused = "2" if measure is measure_difficulty else "3"
    assert str(caught.value) == (
        f'tap "{refused}" needs at least 3.5 kB (22 × 40 float32), over the limit of 3.5 kB.\n'
        "    Leave it out with a list of taps, use smaller batches (--batch-size), keep activations in files "
        "(--keep-activations), or raise the limit (--limit-gb)."
    )


def test_shards_are_whole_batches_of_more_than_k_that_fit() -> None:
    for train, unseen, batch_size, k in product((6, 7, 40, 59, 64), (0, 1, 30), (1, 4, 16, 100), (1, 5)):
        room = Room(train, unseen, batch_size, k)
        for rows in range(room.least, train + unseen):
            queries = room.queries(rows)
            assert 1 <= queries <= rows / 2
            assert rows - queries >= min(unseen, batch_size)
            parts = room.shards(rows - queries)
            assert (parts[0].start, parts[-1].stop) == (0, train)
            assert all(one.stop == two.start for one, two in pairwise(parts))
            assert all(part.start % batch_size == 0 for part in parts)
            assert all(k < part.stop - part.start <= rows - queries for part in parts)


def test_a_killed_measurement_goes_on_from_the_last_finished_tap(
    data: ImageData, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed_within_the_second(*arguments: Any, **options: Any) -> Any:
        if len(watch.searches) == of_a_tap + 2:
            raise Killed
        return watch.find_neighbors(*arguments, **options)

    model = small_net()
    whole = measure_difficulty(model, data.train, data, settings=IN_SHARDS)
    of_a_tap = len(watch.searches) // 2
    watch.searches.clear()
    with monkeypatch.context() as patched:
        patched.setattr(shards, "find_neighbors", killed_within_the_second)
        with pytest.raises(Killed):
            measure_difficulty(model, data.train, data, settings=IN_SHARDS, partial=tmp_path)
    assert sorted(path.name for path in tmp_path.glob("[0-9]*.npy")) == ["04-3.npy", "05-softmax.npy"]
    watch.searches.clear()
    resumed = measure_difficulty(model, data.train, data, settings=IN_SHARDS, partial=tmp_path)
    assert len(watch.searches) == of_a_tap
    assert resumed.neighbors.tolist() == whole.neighbors.tolist()


def test_projected_taps_go_by_in_shards_too(data: ImageData, watch: Watch) -> None:
    model = small_net()
    taps = find_taps(model, data, "children")
    whole, sharded = (
        probe(ProbeRecorder.create(model, taps, data.train, data, ProbeSettings(5, 4, limit_bytes, fast=10)))
        for limit_bytes in (4e9, 24 * 40)
    )
    assert sharded.neighbors.tolist() == whole.neighbors.tolist()
    assert watch.searches


def test_no_bar_is_drawn_inside_another_and_all_are_filled(data: ImageData) -> None:
    running, drawn = [], []

    def progress(items: Iterable[Any], *, total: int, what: str) -> Iterator[Any]:
        assert not running
        running.append(what)
        count = 0
        for item in items:
            count += 1
            yield item
        running.clear()
        drawn.append((what, count, total))

    for measure in (measure_difficulty, measure_depths):
        measure(small_net(), data.train, data, settings=IN_SHARDS, progress=progress)
    assert all(count == total for _, count, total in drawn)
    assert [what for what, _, _ in drawn if "shards" in what] == [
        f"Searching {tap} in shards" for tap in ("3", "2", "3", "2")
    ]


def test_infinity_is_refused(data: ImageData) -> None:
    model = small_net()
    nn.init.constant_(model[2].weight, 3e38)
    with pytest.raises(NonFiniteError, match="holds NaN or infinity"):
        measure_difficulty(model, data.train, data.test, settings=IN_SHARDS)
