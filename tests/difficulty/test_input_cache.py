"""The raw images' neighbours: found once for all networks, and never a reason to fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from layerwise.data.images import ImageData
from layerwise.difficulty import input_cache, lazy, probing
from layerwise.difficulty.input_cache import InputCache, cache_folder
from layerwise.difficulty.measuring import measure_depths, measure_difficulty
from layerwise.difficulty.settings import ProbeSettings


def network(seed: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(9, 8), nn.Linear(8, 3)).eval()


@pytest.fixture
def data() -> ImageData:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(60, 1, 3, 3)).astype(np.uint8)
    splits = np.where(np.arange(60) < 40, "train", "test")
    return ImageData.create(images, rng.integers(0, 3, 60), splits=splits)


@pytest.fixture
def widths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of features at each search, in order."""
    searched: list[int] = []
    for module, name in ((probing, "find_neighbors"), (lazy, "find_votes")):
        find = getattr(module, name)

        def watched(queries: torch.Tensor, *rest: Any, find: Any = find, **options: Any) -> Any:
            searched.append(queries.shape[1])
            return find(queries, *rest, **options)

        monkeypatch.setattr(module, name, watched)
    return searched


def settings(cache: Path | None, k: int = 5) -> ProbeSettings:
    return ProbeSettings(k=k, cache=cache)


def cached(folder: Path) -> Path:
    (path,) = folder.rglob("*.npy")
    return path


@pytest.mark.parametrize("split", ["test", "train"])
def test_a_second_network_on_the_same_images_does_not_search_them_again(
    tmp_path: Path, data: ImageData, widths: list[int], split: str
) -> None:
    examples = data.split(split)
    first = measure_difficulty(network(0), data.train, examples, settings=settings(tmp_path))
    assert widths == [9, 9, 8, 3]
    written = cached(tmp_path).read_bytes()
    second = measure_difficulty(network(1), data.train, examples, settings=settings(tmp_path))
    assert widths == [9, 9, 8, 3, 9, 8, 3]
    assert second.neighbors[:, 0].tobytes() == first.neighbors[:, 0].tobytes()
    alone = measure_difficulty(network(1), data.train, examples, settings=settings(None))
    assert second.neighbors.tobytes() == alone.neighbors.tobytes()
    assert cached(tmp_path).read_bytes() == written


def test_depths_use_what_is_known_and_keep_nothing_of_their_own(
    tmp_path: Path, data: ImageData, widths: list[int]
) -> None:
    before = measure_depths(network(0), data.train, data.test, settings=settings(tmp_path), agree_with="last-probe")
    assert not list(tmp_path.iterdir())
    measure_difficulty(network(1), data.train, data.test, settings=settings(tmp_path))
    widths.clear()
    after = measure_depths(network(0), data.train, data.test, settings=settings(tmp_path), agree_with="last-probe")
    assert before.asked[0] > 0
    assert after.depth.tolist() == before.depth.tolist()
    assert after.asked.tolist() == before.asked.tolist()
    assert len(widths) == len(after.taps) - 1


def test_other_examples_another_k_and_another_search_are_searched(
    tmp_path: Path, data: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = InputCache(tmp_path, data.train, data.test, 5)
    kept.write(np.zeros((20, 5), np.int32))
    assert kept.read() is not None
    other_labels = ImageData.create(data.test.images, (data.test.labels + 1) % 3, ids=data.test.ids)
    assert InputCache(tmp_path, data.train, other_labels, 5).read() is None
    assert InputCache(tmp_path, data.train.select(slice(0, 39)), data.test, 5).read() is None
    assert InputCache(tmp_path, data.train, data.test, 4).read() is None
    monkeypatch.setattr(input_cache, "SEARCH_VERSION", input_cache.SEARCH_VERSION + 1)
    assert kept.read() is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"half"),
        lambda path: path.write_bytes(path.read_bytes()[:-4]),
        lambda path: np.save(path, np.zeros((20, 4), np.int32)),
        lambda path: np.save(path, np.zeros((20, 5), np.int64)),
        lambda path: np.save(path, np.full((20, 5), 40, np.int32)),
        lambda path: np.save(path, np.full((20, 5), -1, np.int32)),
        lambda path: np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True),
    ],
)
def test_a_damaged_cache_is_searched_again_and_mended(tmp_path: Path, data: ImageData, damage: Any) -> None:
    first = measure_difficulty(network(0), data.train, data.test, settings=settings(tmp_path))
    path = cached(tmp_path)
    whole = path.read_bytes()
    damage(path)
    again = measure_difficulty(network(0), data.train, data.test, settings=settings(tmp_path))
    assert again.neighbors.tobytes() == first.neighbors.tobytes()
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, data: ImageData) -> None:
    (tmp_path / "file").write_text("no folder")
    measured = measure_difficulty(network(0), data.train, data.test, settings=settings(tmp_path / "file"))
    assert len(measured) == 20


def test_the_folder_is_the_one_that_is_named_else_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LAYERWISE_CACHE", "/somewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/shared")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.delenv("LAYERWISE_CACHE")
    assert cache_folder() == Path("/shared/layerwise")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / ".cache" / "layerwise"
