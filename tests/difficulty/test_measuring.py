"""measure_difficulty from end to end, against brute force in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from layerwise.arrays.depth import Reference, prediction_depth, reference_classes
from layerwise.arrays.soft_depth import soft_depth, sure_agreement
from layerwise.arrays.votes import nearest_rows, vote
from layerwise.data.catalog import load_data
from layerwise.data.images import ImageData
from layerwise.difficulty import probing, recorder
from layerwise.difficulty.measuring import measure_difficulty
from layerwise.difficulty.settings import ProbeSettings
from layerwise.errors import (
    DataError,
    ModelError,
    NonFiniteError,
    NotEnoughExamplesError,
    UnknownNameError,
)
from layerwise.models.catalog import load_model
from layerwise.recording import record
from layerwise.taps import find_taps


def small_net(classes: int, inputs: int, *, shift: float = 0.0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Flatten(), nn.Linear(inputs, 40), nn.ReLU(inplace=True), nn.Linear(40, 20), nn.Linear(20, classes)
        )
    nn.init.constant_(net[3].bias, shift)
    return net.eval()


def oracle_depths(model: nn.Module, train: ImageData, examples: ImageData, k: int, agree_with: Reference) -> np.ndarray:
    taps = find_taps(model, train, "children")
    base, queries = record(model, train, taps), record(model, examples, taps)
    same = examples.ids.tolist() == train.ids.tolist()
    votes = [
        vote(train.labels[nearest_rows(queries.flat(tap), base.flat(tap), k, leave_one_out=same)], train.num_classes)
        for tap in taps.names
    ]
    by_tap = np.stack(votes, axis=1)  # (N, L)
    predictions = queries.logits.argmax(axis=1)
    reference = reference_classes(agree_with, votes=by_tap, predictions=predictions, labels=examples.labels)
    return prediction_depth(reference == by_tap.T)


def toy_with_ties(shift: float) -> ImageData:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 3, size=(60, 1, 2, 2)).astype(np.float32) + np.float32(shift)
    images[20:40] = images[:20]  # duplicates, some with another label
    splits = np.where(np.arange(60) < 45, "train", "test")
    return ImageData.create(images, rng.integers(0, 3, size=60), splits=splits, class_names=["a", "b", "c"])


@pytest.mark.parametrize("agree_with", ["prediction", "last-probe", "label"])
@pytest.mark.parametrize("shift", [0.0, 5000.0])
def test_depths_of_a_toy_with_duplicates_ties_and_a_large_common_mean_are_the_oracles(
    agree_with: Reference, shift: float
) -> None:
    data, model = toy_with_ties(shift), small_net(3, 4, shift=shift)
    for examples in (data.test, data.train):
        measured = measure_difficulty(model, data.train, examples, k=5, agree_with=agree_with)
        expected = oracle_depths(model, data.train, examples, 5, agree_with)
        assert measured.depth.tolist() == expected.tolist()
    assert len(set(measured.depth.tolist())) > 1


@pytest.mark.parametrize("agree_with", ["prediction", "last-probe", "label"])
@pytest.mark.parametrize("split", ["test", "train"])
def test_depths_of_digits_are_the_oracles(agree_with: Reference, split: str) -> None:
    data, model = load_data("digits"), small_net(10, 64)
    train, examples = data.train.select(slice(0, 400)), data.split(split).select(slice(0, 400))
    measured = measure_difficulty(model, train, examples, agree_with=agree_with)
    assert measured.depth.tolist() == oracle_depths(model, train, examples, 30, agree_with).tolist()


def test_all_splits_at_once_equal_each_alone() -> None:
    data, model = toy_with_ties(0), small_net(3, 4)
    together = measure_difficulty(model, data.train, data, k=5)
    apart = [measure_difficulty(model, data.train, data.split(split), k=5) for split in ("train", "test")]
    assert together.neighbors.tolist() == np.concatenate([one.neighbors for one in apart]).tolist()
    assert together.depth.tolist() == np.concatenate([one.depth for one in apart]).tolist()


def test_no_training_example_counts_as_its_own_neighbour() -> None:
    data, model = toy_with_ties(0), small_net(3, 4)
    measured = measure_difficulty(model, data.train, k=5)
    assert not (measured.neighbors == np.arange(len(measured))[:, None, None]).any()


def test_the_support_set_is_all_of_the_training_set_not_its_first_batch() -> None:
    data, model = load_data("digits"), small_net(10, 64)
    measured = measure_difficulty(model, data.train, data.test, settings=ProbeSettings(batch_size=100))
    assert measured.neighbors.max() > 1300


def test_the_last_layer_is_among_the_taps() -> None:
    data, model = toy_with_ties(0), small_net(3, 4)
    names = [tap.name for tap in measure_difficulty(model, data.train, data.test, k=5).taps]
    assert names == ["input", "0", "1", "2", "3", "softmax"]


def test_a_memory_limit_changes_the_groups_and_not_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    data, model = toy_with_ties(0), small_net(3, 4)
    largest_held = []

    def watched(*args: object, **options: object) -> object:
        activations = record(*args, **options)  # type: ignore[arg-type]
        largest_held.append(activations.size_bytes)
        return activations

    whole = measure_difficulty(model, data.train, data.test, k=5)
    monkeypatch.setattr(recorder, "record", watched)
    limited = measure_difficulty(model, data.train, data.test, settings=ProbeSettings(k=5, limit_bytes=60 * 45 * 4))
    assert limited.neighbors.tolist() == whole.neighbors.tolist()
    assert len(largest_held) == 2 * 4
    assert max(base + new for base, new in zip(largest_held[::2], largest_held[1::2], strict=True)) <= 60 * 45 * 4


def test_kept_activations_are_enough_to_compute_the_depths_again(tmp_path: Path) -> None:
    data, model = toy_with_ties(0), small_net(3, 4)
    measured = measure_difficulty(model, data.train, data.test, settings=ProbeSettings(k=5, keep=tmp_path))
    labels = np.load(tmp_path / "base" / "labels.npy")
    votes = []
    for base_file in sorted((tmp_path / "base").glob("[0-9]*-*.npy")):
        base, queries = np.load(base_file), np.load(tmp_path / "held-out" / base_file.name)
        rows = nearest_rows(queries.reshape(len(queries), -1), base.reshape(len(base), -1), 5)
        votes.append(vote(labels[rows], 3))
    predictions = np.load(tmp_path / "held-out" / "logits.npy").argmax(axis=1)
    assert prediction_depth(np.stack(votes) == predictions).tolist() == measured.depth.tolist()


class Killed(BaseException):
    """Stands for a signal between two taps."""


def test_an_interrupted_measurement_goes_on_from_the_last_finished_tap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, model, searched = toy_with_ties(0), small_net(3, 4), []
    find = probing.find_neighbors

    def killed_at_the_fourth(*args: object, **options: object) -> object:
        searched.append(args)
        if len(searched) == 4:
            raise Killed
        return find(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(probing, "find_neighbors", killed_at_the_fourth)
    with pytest.raises(Killed):
        measure_difficulty(model, data.train, data.test, k=5, partial=tmp_path / "partial")
    assert len(list((tmp_path / "partial").glob("[0-9]*.npy"))) == 3
    resumed = measure_difficulty(model, data.train, data.test, k=5, partial=tmp_path / "partial")
    assert len(searched) == 4 + 3
    monkeypatch.undo()
    assert resumed.neighbors.tolist() == measure_difficulty(model, data.train, data.test, k=5).neighbors.tolist()
    # Left for the caller, who may not be able to save the result yet.
    assert len(list((tmp_path / "partial").glob("[0-9]*.npy"))) == len(resumed.taps)


def test_finished_taps_of_another_measurement_are_not_used(tmp_path: Path) -> None:
    data, model = toy_with_ties(0), small_net(3, 4)
    partial = tmp_path / "partial"
    measure_difficulty(model, data.train, data.test, k=5, partial=partial)
    other = measure_difficulty(model, data.train, data.test, k=7, partial=partial)
    assert other.neighbors.shape[2] == 7


def test_one_class_only_is_refused() -> None:
    data = toy_with_ties(0)
    one = data.select(data.labels == data.labels[0])
    with pytest.raises(DataError) as caught:
        measure_difficulty(small_net(3, 4), one, k=2)
    assert str(caught.value) == (
        f'all {len(one)} training examples are of one class, "{data.class_names[data.labels[0]]}": '
        "every probe would vote for it.\n    Give examples of at least two classes."
    )


def test_k_of_at_least_the_number_of_training_examples_is_refused() -> None:
    data = toy_with_ties(0)
    with pytest.raises(NotEnoughExamplesError) as caught:
        measure_difficulty(small_net(3, 4), data.train, data.test, k=45)
    assert str(caught.value) == "k = 45 needs more than 45 training examples; got 45. Lower k, or give more examples."


def test_ids_that_name_two_images_are_refused() -> None:
    data = toy_with_ties(0)
    clashing = ImageData.create(
        data.test.images, data.test.labels, ids=data.train.ids[:15], class_names=["a", "b", "c"]
    )
    with pytest.raises(
        DataError, match="name one image among the training examples and another among those to measure"
    ):
        measure_difficulty(small_net(3, 4), data.train, clashing, k=5)


def test_a_network_with_fewer_outputs_than_classes_is_refused() -> None:
    data = toy_with_ties(0)
    with pytest.raises(ModelError, match="Sequential gives 2 classes, but the labels have 3"):
        measure_difficulty(small_net(2, 4), data.train, data.test, k=5)


def test_unknown_taps_are_refused_with_near_names() -> None:
    data = toy_with_ties(0)
    net = nn.Sequential()
    net.add_module("flatten", nn.Flatten())
    net.add_module("linear", nn.Linear(4, 3))
    with pytest.raises(UnknownNameError, match=r'no tap named "flaten" in Sequential .* Did you mean "flatten"\?'):
        measure_difficulty(net, data.train, data.test, k=5, place=["flaten"])


def test_activations_that_become_infinite_are_refused_with_the_tap() -> None:
    data, model = toy_with_ties(1.0), small_net(3, 4)
    nn.init.constant_(model[1].weight, 3e38)
    with pytest.raises(NonFiniteError, match='tap "1" holds NaN or infinity'):
        measure_difficulty(model, data.train, data.test, k=5)


def test_the_callers_model_is_left_as_it_was() -> None:
    data, model = toy_with_ties(0), small_net(3, 4).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measure_difficulty(model, data.train, data.test, k=5)
    assert model.training
    assert all(not module._forward_hooks for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_soft_depth_is_the_certainty_of_the_votes_and_the_depth_where_all_are_sure() -> None:
    data = load_data("digits?limit=200")
    model = load_model("resnet8", num_classes=10, in_channels=1)
    measured = measure_difficulty(model, data.train, data.test, place=["layer1"], k=10)
    labels = measured.base_labels[measured.neighbors]
    for row in range(5):
        agreement = []
        for tap in range(len(measured.taps)):
            counts = np.bincount(labels[row, tap], minlength=10)[None]
            agreement.append(sure_agreement(counts, measured.reference[row : row + 1]))
        assert measured.soft_depth[row] == pytest.approx(soft_depth(np.stack(agreement))[0])
    unanimous = (labels == measured.reference[:, None, None]).all(axis=(1, 2))
    assert (measured.soft_depth[unanimous] == 0).all()
    assert measured.table()["soft_depth"].between(0, len(measured.taps)).all()
