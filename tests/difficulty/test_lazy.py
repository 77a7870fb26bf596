"""Depths alone: those of the whole measurement, with fewer and fewer examples asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.arrays.depth import Reference
from layerwise.data.catalog import load_data
from layerwise.data.images import ImageData
from layerwise.difficulty import lazy, recorded, recorder
from layerwise.difficulty.measuring import measure_depths, measure_difficulty
from layerwise.difficulty.result import Difficulty
from layerwise.difficulty.settings import ProbeSettings
from layerwise.errors import ActivationsTooLargeError, InputError, NonFiniteError
from layerwise.recording import record

REFERENCES = ["prediction", "last-probe", "label"]


def small_net(classes: int, inputs: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 40), nn.ReLU(inplace=True), nn.Linear(40, classes)).eval()


def toy_with_ties() -> ImageData:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 3, size=(90, 1, 2, 2)).astype(np.float32)
    images[20:40] = images[:20]  # duplicates, some with another label
    splits = np.where(np.arange(90) < 60, "train", "test")
    return ImageData.create(images, rng.integers(0, 3, size=90), splits=splits, class_names=["a", "b", "c"])


def asked_by_hand(whole: Difficulty) -> list[int]:
    """How many agree at every later tap."""
    agrees = whole.agrees
    return [int(agrees[tap + 1 :].all(axis=0).sum()) for tap in range(len(agrees))]


@pytest.mark.parametrize("agree_with", REFERENCES)
@pytest.mark.parametrize("split", ["test", "train", "all"])
def test_depths_of_a_toy_with_duplicates_and_ties_are_those_of_the_whole_measurement(
    agree_with: Reference, split: str
) -> None:
    data, model = toy_with_ties(), small_net(3, 4)
    examples = data if split == "all" else data.split(split)
    whole = measure_difficulty(model, data.train, examples, k=5, agree_with=agree_with)
    depths = measure_depths(model, data.train, examples, k=5, agree_with=agree_with)
    assert depths.depth.tolist() == whole.depth.tolist()
    pd.testing.assert_frame_equal(depths.table(), whole.table().drop(columns="soft_depth"))
    assert depths.asked.tolist() == asked_by_hand(whole)
    assert len(set(depths.depth.tolist())) > 2


@pytest.mark.parametrize("agree_with", REFERENCES)
@pytest.mark.parametrize("split", ["test", "train"])
def test_depths_of_digits_are_those_of_the_whole_measurement(agree_with: Reference, split: str) -> None:
    data, model = load_data("digits"), small_net(10, 64)
    train, examples = data.train.select(slice(0, 400)), data.split(split).select(slice(0, 400))
    whole = measure_difficulty(model, train, examples, agree_with=agree_with)
    depths = measure_depths(model, train, examples, agree_with=agree_with)
    assert depths.depth.tolist() == whole.depth.tolist()
    assert depths.asked.tolist() == asked_by_hand(whole)
    assert (np.diff(depths.asked) >= 0).all()
    assert 0 < depths.asked[0] < depths.asked[-1] == len(examples)


def test_the_depths_of_a_whole_measurement_are_these_depths() -> None:
    data, model = toy_with_ties(), small_net(3, 4)
    whole = measure_difficulty(model, data.train, data.test, k=5).depths
    depths = measure_depths(model, data.train, data.test, k=5)
    pd.testing.assert_frame_equal(depths.table(), whole.table())
    assert whole.asked.tolist() == [30] * 5
    pd.testing.assert_frame_equal(depths.tap_table().drop(columns="asked"), whole.tap_table().drop(columns="asked"))


def test_only_those_left_are_asked_and_a_training_example_never_about_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    data, model, asked = toy_with_ties(), small_net(3, 4), []
    find = lazy.find_votes

    def watched(queries: torch.Tensor, *rest: Any, own_rows: NDArray[np.int64] | None = None, **more: Any) -> Any:
        asked.append((len(queries), None if own_rows is None else own_rows.tolist()))
        return find(queries, *rest, own_rows=own_rows, **more)

    monkeypatch.setattr(lazy, "find_votes", watched)
    depths = measure_depths(model, data.train, k=5)
    assert [count for count, _ in asked] == [count for count in depths.asked[::-1].tolist() if count]
    later = [np.flatnonzero(depths.depth <= tap + 1).tolist() for tap in range(len(depths.taps))]
    assert [rows for _, rows in asked] == [rows for rows in later[::-1] if rows]


@pytest.mark.parametrize("agree_with", REFERENCES)
@pytest.mark.parametrize("examples", ["test", "train"])
def test_a_memory_limit_changes_neither_depths_nor_counts(
    agree_with: Reference, examples: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, model, held = toy_with_ties(), small_net(3, 4), []

    def watched(*arguments: Any, **options: Any) -> Any:
        activations = record(*arguments, **options)
        held.append((activations.names, len(activations.labels), activations.size_bytes))
        return activations

    whole = measure_depths(model, data.train, data.split(examples), k=5, agree_with=agree_with)
    monkeypatch.setattr(recorder, "record", watched)
    monkeypatch.setattr(recorded, "COPY_BYTES", 64)  # a few rows at a time
    limit = 40 * 4 * (90 if examples == "test" else 60)  # the widest tap
    settings = ProbeSettings(k=5, limit_bytes=limit, batch_size=4)
    limited = measure_depths(model, data.train, data.split(examples), settings=settings, agree_with=agree_with)
    assert limited.depth.tolist() == whole.depth.tolist()
    assert limited.asked.tolist() == whole.asked.tolist()
    assert max(size for _, _, size in held) <= limit
    assert {names for names, _, _ in held} == {("softmax",), ("2",), ("1",), ("input", "0")}


def test_when_nobody_is_left_no_earlier_tap_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    data, model, recorded = toy_with_ties(), small_net(3, 4), []

    def watched(*arguments: Any, **options: Any) -> Any:
        recorded.append(tuple(options["only"]))
        return record(*arguments, **options)

    def nobody_agrees(queries: torch.Tensor, *_: Any, **__: Any) -> NDArray[np.int64]:
        return np.full(len(queries), 99)

    monkeypatch.setattr(recorder, "record", watched)
    monkeypatch.setattr(lazy, "find_votes", nobody_agrees)
    depths = measure_depths(model, data.train, data.test, settings=ProbeSettings(k=5, limit_bytes=40 * 90 * 4))
    assert recorded == [("softmax",)] * 2
    assert depths.depth.tolist() == [5] * 30
    assert depths.asked.tolist() == [0, 0, 0, 0, 30]


def test_a_later_group_records_only_batches_in_which_somebody_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    data, model, recorded = toy_with_ties(), small_net(3, 4), []

    def watched(network: nn.Module, images: ImageData, *arguments: Any, **options: Any) -> Any:
        recorded.append(images.ids.tolist())
        return record(network, images, *arguments, **options)

    def only_the_sixth_agrees(queries: torch.Tensor, *_: Any, **__: Any) -> NDArray[np.int64]:
        return np.where(np.arange(len(queries)) == 5, data.test.labels[: len(queries)], 99)

    monkeypatch.setattr(recorder, "record", watched)
    monkeypatch.setattr(lazy, "find_votes", only_the_sixth_agrees)
    settings = ProbeSettings(k=5, limit_bytes=40 * 90 * 4, batch_size=4)
    measure_depths(model, data.train, data.test, settings=settings, agree_with="label")
    assert recorded[1] == data.test.ids.tolist()
    assert recorded[3] == data.test.ids[4:8].tolist()


@pytest.mark.parametrize("measure", [measure_depths, measure_difficulty])
def test_only_the_first_of_several_passes_runs_to_the_output(measure: Any) -> None:
    data, model, ran = toy_with_ties(), small_net(3, 4), {"whole": 0, "begun": 0}
    model[1].register_forward_hook(lambda *_: ran.update(begun=ran["begun"] + 1))
    model[3].register_forward_hook(lambda *_: ran.update(whole=ran["whole"] + 1))
    measured = measure(model, data.train, data.test, place=["0", "1", "2"], k=5)
    together = dict(ran)
    ran.update(whole=0, begun=0)
    settings = ProbeSettings(k=5, limit_bytes=90 * 40 * 4)
    apart = measure(model, data.train, data.test, place=["0", "1", "2"], settings=settings)
    assert apart.depth.tolist() == measured.depth.tolist()
    assert ran["begun"] > together["begun"]
    assert ran["whole"] < ran["begun"]


class Killed(BaseException):
    """Stands for a signal between two taps."""


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Kills the search at its n-th call, and counts the queries of each."""
    find = lazy.find_votes

    def arm(call: int) -> list[int]:
        queries_of_calls: list[int] = []

        def watched(queries: torch.Tensor, *rest: Any, **options: Any) -> Any:
            queries_of_calls.append(len(queries))
            if len(queries_of_calls) == call:
                raise Killed
            return find(queries, *rest, **options)

        monkeypatch.setattr(lazy, "find_votes", watched)
        return queries_of_calls

    return arm


@pytest.mark.parametrize("agree_with", REFERENCES)
def test_an_interrupted_measurement_goes_on_from_the_last_finished_tap(
    tmp_path: Path, killed_at: Callable[[int], list[int]], agree_with: Reference
) -> None:
    data, model, partial = toy_with_ties(), small_net(3, 4), tmp_path / "partial"
    searched = killed_at(3)
    with pytest.raises(Killed):
        measure_depths(model, data.train, data.test, k=5, agree_with=agree_with, partial=partial)
    assert sorted(path.name for path in partial.glob("[0-9]*.npy")) == ["03-2.npy", "04-softmax.npy"]
    resumed = measure_depths(model, data.train, data.test, k=5, agree_with=agree_with, partial=partial)
    asked = [count for count in resumed.asked[::-1].tolist() if count]
    assert searched == [*asked[:3], *asked[2:]]
    whole = measure_difficulty(model, data.train, data.test, k=5, agree_with=agree_with)
    assert resumed.depth.tolist() == whole.depth.tolist()
    assert resumed.asked.tolist() == asked_by_hand(whole)


@pytest.mark.parametrize("damaged", ["04-softmax.npy", "02-2.npy", "logits.npy"])
def test_a_damaged_finished_tap_is_asked_again(tmp_path: Path, damaged: str) -> None:
    data, model = toy_with_ties(), small_net(3, 4)
    first = measure_depths(model, data.train, data.test, k=5, partial=tmp_path)
    (tmp_path / damaged).write_bytes(b"half")
    again = measure_depths(model, data.train, data.test, k=5, partial=tmp_path)
    assert again.depth.tolist() == first.depth.tolist()
    assert again.asked.tolist() == first.asked.tolist()


def test_finished_taps_of_another_reference_or_of_a_whole_measurement_are_not_used(tmp_path: Path) -> None:
    data, model = toy_with_ties(), small_net(3, 4)
    measure_difficulty(model, data.train, data.test, k=5, partial=tmp_path)
    for agree_with in ("prediction", "label"):
        depths = measure_depths(model, data.train, data.test, k=5, agree_with=agree_with, partial=tmp_path)
        whole = measure_difficulty(model, data.train, data.test, k=5, agree_with=agree_with)
        assert depths.depth.tolist() == whole.depth.tolist()
        assert depths.asked.tolist() == asked_by_hand(whole)


def test_kept_activations_are_those_of_a_whole_measurement(tmp_path: Path) -> None:
    data, model = toy_with_ties(), small_net(3, 4)
    for name, measure in (("whole", measure_difficulty), ("lazy", measure_depths)):
        measure(model, data.train, data.test, settings=ProbeSettings(k=5, keep=tmp_path / name))
    files = sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*.npy"))
    assert len(files) == 2 * (5 + 3)
    for file in files:
        assert (tmp_path / "lazy" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_what_is_noted_of_the_measurement_says_that_it_is_depths_only_and_who_was_asked() -> None:
    data, model = toy_with_ties(), small_net(3, 4)
    depths = measure_depths(model, data.train, data.test, k=5)
    assert depths.provenance["depths_only"] is True
    assert list(depths.provenance["asked"].values()) == depths.asked.tolist()
    searched = [tap.name for tap, asked in zip(depths.taps, depths.asked, strict=True) if asked]
    assert sorted(depths.provenance["seconds"]["search"]) == sorted(searched)


def test_bad_requests_are_refused_as_by_the_whole_measurement() -> None:
    data, model = toy_with_ties(), small_net(3, 4)
    with pytest.raises(InputError, match='Did you mean "label"'):
        measure_depths(model, data.train, data.test, k=5, agree_with="labels")  # type: ignore[arg-type]
    with pytest.raises(ActivationsTooLargeError, match='tap "softmax" needs'):
        measure_depths(model, data.train, data.test, settings=ProbeSettings(k=5, limit_bytes=10))
    nn.init.constant_(model[1].weight, 3e38)
    with pytest.raises(NonFiniteError, match="holds NaN or infinity"):
        measure_depths(model, data.train, data.test, k=5)
