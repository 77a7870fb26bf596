"""What is kept at taps: exact values on toys with known weights, limits, files, and what is refused."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from layerwise.cost import count_macs
from layerwise.data.images import ImageData
from layerwise.errors import (
    ActivationsTooLargeError,
    FileError,
    InputError,
    ModelError,
    NonFiniteError,
    NotEnoughExamplesError,
    ShapeError,
    UnknownNameError,
)
from layerwise.models.catalog import load_model
from layerwise.recording import Activations, describe_taps, record
from layerwise.recording.sizes import Stored, check_memory, in_units
from layerwise.seeds import stream
from layerwise.taps import Tap, find_taps


def images(count: int, *, channels: int = 1, size: int = 2) -> ImageData:
    """Floats between -1 and 1: in-place activations then change values."""
    pixels = stream(0, "images").uniform(-1, 1, (count, channels, size, size)).astype(np.float32)
    return ImageData.create(pixels, np.arange(count) % 2, class_names=["even", "odd"])


class Scale(nn.Module):
    """Multiplies by a number: a layer whose activations are known exactly."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Toy(nn.Module):
    """twice, then an in-place ReLU, then halved and summed into the two logits (s, -s)."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = Scale(2)
        self.relu = nn.ReLU(inplace=True)
        self.halved = Scale(0.5)

    def forward(self, x: Tensor) -> Tensor:
        total = self.halved(self.relu(self.twice(x))).flatten(1).sum(1)
        return torch.stack([total, -total], 1)


class Rewriting(Toy):
    """The sum of a residual block is rewritten by an in-place ReLU, which is called twice."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.twice(x))
        y = self.relu(y - x)
        y = functional.relu(self.halved(y) + x, inplace=True)
        total = y.flatten(1).sum(1)
        return torch.stack([total, -total], 1)


# Exact values


def test_values_are_exactly_what_each_layer_gives() -> None:
    data = images(5)
    x = data.images
    recorded = record(Toy(), data, find_taps(Toy(), data), batch_size=2)
    total = np.maximum(x, 0).reshape(5, -1).sum(1)
    assert recorded.names == ("input", "twice", "relu", "halved", "softmax")
    assert np.array_equal(recorded["input"], x)
    assert np.array_equal(recorded["twice"], 2 * x)
    assert np.array_equal(recorded["relu"], np.maximum(2 * x, 0))
    assert np.array_equal(recorded["halved"], np.maximum(x, 0))
    assert np.allclose(recorded.logits, np.stack([total, -total], 1), rtol=1e-6)
    assert np.allclose(recorded["softmax"][:, 0], 1 / (1 + np.exp(-2 * total.astype(np.float64))), rtol=1e-6)
    assert np.array_equal(recorded.labels, data.labels)
    assert np.array_equal(recorded.ids, data.ids)
    assert recorded.flat("twice").shape == (5, 4)
    assert np.shares_memory(recorded.flat("twice"), recorded["twice"])


def test_an_inplace_relu_after_a_layer_does_not_rewrite_what_was_read() -> None:
    data = images(4)
    recorded = record(Toy(), data, find_taps(Toy(), data))
    assert (recorded["twice"] < 0).any()
    assert np.array_equal(recorded["twice"], 2 * data.images)


def test_an_inplace_relu_after_a_sum_does_not_rewrite_what_was_read_and_repeated_modules_are_told_apart() -> None:
    data = images(4)
    x = data.images
    taps = find_taps(Rewriting(), data, ["relu", "sub", "relu_1", "add", "relu_2"])
    recorded = record(Rewriting(), data, taps)
    once = np.maximum(2 * x, 0)
    twice = np.maximum(once - x, 0)
    summed = twice / 2 + x
    assert recorded.names == ("input", "relu", "sub", "relu_1", "add", "relu_2", "softmax")
    assert (summed < 0).any()
    for tap, expected in {"relu": once, "sub": once - x, "relu_1": twice, "add": summed}.items():
        assert np.array_equal(recorded[tap], expected), tap
    assert np.array_equal(recorded["relu_2"], np.maximum(summed, 0))


def test_a_network_that_begins_in_place_rewrites_neither_the_images_nor_the_input_tap() -> None:
    net = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4, 2))
    data = images(3)
    before = data.images.copy()
    recorded = record(net, data, find_taps(net, data))
    assert np.array_equal(data.images, before)
    assert np.array_equal(recorded["input"], before)


def test_attention_layers_that_have_a_fused_path_are_read_inside() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer
            self.fc = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.layer(x.flatten(2)).mean(1))

    net, data = Tokens().eval(), images(3, channels=5)
    recorded = record(net, data, find_taps(net, data, "leaves"))
    with torch.no_grad():
        expected = layer.self_attn(*[torch.tensor(data.images).flatten(2)] * 3, need_weights=False)[0]
    assert np.allclose(recorded["layer.self_attn"], expected.numpy(), atol=1e-6)


def test_the_last_batch_of_one_image_is_recorded_like_any_other() -> None:
    data = images(5)
    taps = find_taps(Toy(), data)
    whole, single = record(Toy(), data, taps, batch_size=5), record(Toy(), data, taps, batch_size=4)
    for tap in taps.names:
        assert np.array_equal(whole[tap], single[tap])
    alone = record(Toy(), data.select(slice(0, 1)), taps)
    assert alone["twice"].shape == (1, 1, 2, 2)


def test_the_input_is_read_before_preprocessing() -> None:
    data = images(3)
    taps = find_taps(Toy(), data, preprocessing=lambda x: x + 10)
    recorded = record(Toy(), data, taps, preprocessing=lambda x: x + 10)
    assert np.array_equal(recorded["input"], data.images)
    assert np.array_equal(recorded["twice"], 2 * (data.images + 10))


def test_softmax_of_large_logits_is_stable() -> None:
    data = images(2)
    net = nn.Sequential(Scale(1e4), Toy())
    softmax = record(net, data, find_taps(net, data))["softmax"]
    assert softmax.dtype == np.float32
    assert np.allclose(softmax.sum(1), 1)


@pytest.mark.parametrize(
    ("dtype", "kept"), [(torch.float64, np.float64), (torch.float16, np.float16), (torch.bfloat16, np.float32)]
)
def test_values_keep_the_networks_number_type_as_far_as_numpy_has_it(dtype: torch.dtype, kept: type) -> None:
    data = images(3)
    net = Toy().to(dtype)
    recorded = record(net, data, find_taps(net, data))
    assert recorded["twice"].dtype == kept
    assert recorded["input"].dtype == np.float32
    assert recorded.logits.dtype == np.float32


# Reductions


def test_mean_pooling_keeps_the_mean_of_each_channel_and_leaves_vectors() -> None:
    data = images(3, channels=2)
    net = nn.Sequential(Scale(2), nn.Flatten(), nn.Linear(8, 2))
    recorded = record(net, data, find_taps(net, data), reduce="mean_pool", batch_size=2)
    assert np.allclose(recorded["0"], 2 * data.images.astype(np.float64).mean((2, 3)), rtol=1e-5, atol=1e-7)
    assert np.array_equal(recorded["1"], data.images.reshape(3, -1) * 2)
    assert recorded.taps[1] == Tap("0", 1, (2, 2, 2))


@pytest.mark.parametrize(
    ("shape", "axes"), [((6, 2), (1,)), ((6, 8, 8), (2, 3)), ((8, 8, 6), (1, 2)), ((4, 2, 2, 6), (1, 2, 3))]
)
def test_mean_pooling_averages_tokens_maps_maps_with_channels_last_and_windows(
    shape: tuple[int, ...], axes: tuple[int, ...]
) -> None:
    class Reshaped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.LazyLinear(int(np.prod(shape)))
            self.shape = Shape(shape)
            self.fc = nn.LazyLinear(2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.shape(self.body(x.flatten(1))).flatten(1))

    net, data = Reshaped(), images(3, size=8)
    net(torch.zeros(1, 1, 8, 8))
    taps = find_taps(net, data)
    whole, pooled = record(net, data, taps)["shape"], record(net, data, taps, reduce="mean_pool")["shape"]
    assert np.allclose(pooled, whole.astype(np.float64).mean(axes), atol=1e-6)


class Shape(nn.Module):
    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, self.shape)


def test_a_function_reduces_every_tap() -> None:
    data = images(3)
    recorded = record(Toy(), data, find_taps(Toy(), data), reduce=lambda value: value.flatten(1).amax(1))
    assert np.array_equal(recorded["twice"], 2 * data.images.max((1, 2, 3)))


@pytest.mark.parametrize(
    ("reduce", "error", "message"),
    [
        ("mean", InputError, "no reduction is called 'mean'."),
        (lambda value: value.sum(), ShapeError, "the reduction gives a tensor of shape scalar for 2 examples of tap"),
        (lambda value: value.tolist(), ShapeError, "the reduction gives a list for 2 examples of tap"),
    ],
)
def test_a_reduction_that_cannot_be_used_is_refused(reduce: Any, error: type[Exception], message: str) -> None:
    data = images(3)
    with pytest.raises(error, match=message):
        record(Toy(), data, find_taps(Toy(), data), reduce=reduce)


# Limits


def test_a_tap_over_the_limit_is_refused_with_its_size_and_the_ways_out() -> None:
    ends = [Stored(Tap("input", 0, (3, 32, 32)), (3, 32, 32), np.dtype(np.float32))]
    conv1 = Stored(Tap("conv1", 1, (64, 32, 32)), (64, 32, 32), np.dtype(np.float32))
    with pytest.raises(ActivationsTooLargeError) as error:
        check_memory([*ends, conv1], image_shape=(3, 32, 32), examples=50_000, limit_bytes=4e9, pooled=False)
    assert str(error.value) == (
        'tap "conv1" needs 13.1 GB (50000 × 64 × 32 × 32 float32), over the limit of 4.0 GB.\n'
        '    Use reduce="mean_pool" (12.8 MB), keep=DIR (on disk), fewer examples, or limit_bytes=...'
    )


def test_taps_that_together_are_over_the_limit_are_refused_before_a_batch_is_run() -> None:
    data = images(1000)
    runs: list[int] = []
    net = Toy()
    taps = find_taps(net, data)
    net.register_forward_hook(lambda module, inputs, output: runs.append(len(output)))
    with pytest.raises(ActivationsTooLargeError) as error:
        record(net, data, taps, limit_bytes=20_000)
    assert str(error.value) == (
        '5 taps need 72.0 kB, over the limit of 20.0 kB; tap "input" needs 16.0 kB (1000 × 1 × 2 × 2 float32) alone.\n'
        '    Use reduce="mean_pool" (24.0 kB), keep=DIR (on disk), fewer examples, or limit_bytes=...'
    )
    assert runs == [2]
    with pytest.raises(ActivationsTooLargeError, match="\n    Use keep=DIR"):
        record(net, data, taps, limit_bytes=20_000, reduce="mean_pool")


def test_arrays_hold_exactly_what_was_announced_so_never_more_than_the_limit() -> None:
    data = images(1000)
    taps = find_taps(Toy(), data)
    recorded = record(Toy(), data, taps, limit_bytes=72_000)
    assert recorded.size_bytes == 72_000
    with pytest.raises(ActivationsTooLargeError):
        record(Toy(), data, taps, limit_bytes=71_999)


def test_with_files_the_limit_is_on_one_batch(tmp_path: Path) -> None:
    data = images(1000)
    taps = find_taps(Toy(), data)
    recorded = record(Toy(), data, taps, limit_bytes=20_000, keep=tmp_path, batch_size=100)
    assert np.array_equal(recorded["twice"], 2 * data.images)
    with pytest.raises(ActivationsTooLargeError):
        record(Toy(), data, taps, limit_bytes=20_000, keep=tmp_path, batch_size=500)


def test_a_disk_without_room_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerwise.recording.sizes.shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    data = images(100)
    with pytest.raises(ActivationsTooLargeError) as error:
        record(Toy(), data, find_taps(Toy(), data), keep=tmp_path / "kept")
    assert str(error.value) == (
        f"5 taps need 7.2 kB on disk, but {tmp_path / 'kept'} has 1.0 kB free.\n"
        "    Free some space, choose another folder, or use a reduction, fewer taps or fewer examples."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (1000, "1.0 kB"), (999_999, "1000.0 kB"), (4e9, "4.0 GB")])
def test_sizes_are_said_in_powers_of_a_thousand(size: float, text: str) -> None:
    assert in_units(size) == text


# Files


def test_kept_values_are_files_of_the_taps_in_order_and_can_be_loaded(tmp_path: Path) -> None:
    data = images(5)
    taps = find_taps(Toy(), data)
    kept = record(Toy(), data, taps, keep=tmp_path / "kept", batch_size=2)
    memory = record(Toy(), data, taps)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "00-input.npy", "01-twice.npy", "02-relu.npy", "03-halved.npy", "04-softmax.npy",
        "activations.json", "ids.npy", "labels.npy", "logits.npy",
    ]  # fmt: skip
    loaded = Activations.load(tmp_path / "kept")
    for recorded in (kept, loaded):
        assert recorded.taps == memory.taps
        for tap in recorded:
            assert isinstance(recorded[tap], np.memmap)
            assert np.array_equal(recorded[tap], memory[tap])
            assert np.array_equal(recorded[tap], np.load(tmp_path / "kept" / f"{taps[tap].order:02d}-{tap}.npy"))
        assert np.array_equal(recorded.labels, memory.labels)
        assert np.array_equal(recorded.ids, memory.ids)
        assert np.array_equal(recorded.logits, memory.logits)


def test_saved_activations_come_back(tmp_path: Path) -> None:
    data = images(5)
    recorded = record(Toy(), data, find_taps(Toy(), data))
    recorded.save(tmp_path)
    loaded = Activations.load(tmp_path)
    assert loaded.taps == recorded.taps
    assert all(np.array_equal(loaded[tap], recorded[tap]) for tap in recorded)


class Failing(Toy):
    """Fails at its third pass: the second batch, after the pass that measures sizes."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
        self.passes = 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        if self.passes == 3:
            raise self.error
        return super().forward(x)


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_a_recording_that_fails_leaves_no_file_and_an_earlier_one_whole(tmp_path: Path, error: BaseException) -> None:
    data = images(6)
    taps = find_taps(Toy(), data)
    with pytest.raises(type(error)):
        record(Failing(error), data, taps, keep=tmp_path, batch_size=2)
    assert list(tmp_path.iterdir()) == []
    record(Toy(), data, taps, keep=tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(type(error)):
        record(Failing(error), data.select(slice(0, 4)), taps, keep=tmp_path, batch_size=2)
    assert sorted(tmp_path.iterdir()) == before
    assert len(Activations.load(tmp_path)["twice"]) == 6


def test_a_new_recording_replaces_an_earlier_one_and_what_a_killed_one_left(tmp_path: Path) -> None:
    data = images(6)
    record(Toy(), data, find_taps(Toy(), data, ["twice", "relu"]), keep=tmp_path)
    (tmp_path / ".01-halved.npy.1234.tmp").write_bytes(b"left by a killed recording")
    (tmp_path / "notes.txt").write_text("the user's own")
    record(Toy(), data, find_taps(Toy(), data, ["halved"]), keep=tmp_path)
    arrays = [path.name for path in sorted(tmp_path.glob("*-*.npy"))]
    assert arrays == ["00-input.npy", "01-halved.npy", "02-softmax.npy"]
    assert not list(tmp_path.glob(".*"))
    assert (tmp_path / "notes.txt").exists()


def test_only_some_taps_may_be_kept_and_keep_their_order_and_file_names(tmp_path: Path) -> None:
    data = images(5)
    taps = find_taps(Toy(), data)
    kept = record(Toy(), data, taps, only=["halved", "twice"], keep=tmp_path)
    assert [(tap.name, tap.order) for tap in kept.taps] == [("twice", 1), ("halved", 3)]
    assert sorted(path.name for path in tmp_path.glob("*-*")) == ["01-twice.npy", "03-halved.npy"]
    loaded = Activations.load(tmp_path)
    assert loaded.taps == kept.taps
    assert np.array_equal(loaded["twice"], 2 * data.images)
    with pytest.raises(UnknownNameError, match='no tap named "layer1" in Toy'):
        record(Toy(), data, taps, only=["layer1"])


def test_names_of_files_have_no_separators() -> None:
    from layerwise.recording.activations import file_name

    assert file_name(Tap("../a b\\c", 7, (1,))) == "07-..-a-b-c.npy"
    assert len(file_name(Tap("x" * 500, 123, (1,)))) < 120


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda folder: (folder / "01-twice.npy").unlink(),
            r"no file .*01-twice.npy\.\n    Record the activations again\.",
        ),
        (lambda folder: (folder / "labels.npy").write_bytes(b"\x93NUMPY"), "labels.npy is not a NumPy array"),
        (lambda folder: (folder / "activations.json").write_text("{}"), "does not list taps"),
        (lambda folder: (folder / "activations.json").unlink(), "no file .*activations.json"),
        (lambda folder: np.save(folder / "labels.npy", np.zeros(3)), "are of different numbers of examples"),
        (lambda folder: np.save(folder / "labels.npy", np.array([{}])), "labels.npy is not a NumPy array"),
        (lambda folder: np.save(folder / "labels.npy", np.array(3)), "labels.npy holds a single number; an array is"),
    ],
)
def test_a_damaged_folder_is_refused(tmp_path: Path, damage: Callable[[Path], object], message: str) -> None:
    data = images(4)
    record(Toy(), data, find_taps(Toy(), data), keep=tmp_path)
    damage(tmp_path)
    with pytest.raises(FileError, match=message):
        Activations.load(tmp_path)


def test_a_truncated_array_is_refused(tmp_path: Path) -> None:
    data = images(400)
    record(Toy(), data, find_taps(Toy(), data), keep=tmp_path)
    file = tmp_path / "01-twice.npy"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(FileError, match="is truncated"):
        Activations.load(tmp_path)


def test_the_list_of_taps_is_plain_json(tmp_path: Path) -> None:
    data = images(4)
    record(Toy(), data, find_taps(Toy(), data, ["halved"]), keep=tmp_path)
    assert json.loads((tmp_path / "activations.json").read_text()) == {
        "network": "Toy",
        "taps": [
            {"order": 0, "name": "input", "shape": [1, 2, 2]},
            {"order": 1, "name": "halved", "shape": [1, 2, 2]},
            {"order": 2, "name": "softmax", "shape": [2]},
        ],
    }


# What is refused


def test_nan_at_a_tap_is_refused_with_the_taps_name_and_the_number_of_examples() -> None:
    data = images(6)
    data.images[3:5] *= 1e30
    net = nn.Sequential(Scale(1), Scale(1e30), Toy())
    taps = find_taps(net, data.select(slice(0, 2)))
    with pytest.raises(NonFiniteError) as error:
        record(net, data, taps, batch_size=6)
    assert str(error.value) == (
        'tap "1" holds NaN or infinity for 2 of the first 6 examples (the first is "train-00003").\n'
        "    Look for them in the weights, the preprocessing and the images."
    )
    for reduce in ("mean_pool", lambda value: value.flatten(1).sum(1)):
        with pytest.raises(NonFiniteError, match='tap "1" holds NaN or infinity for 1 of the first 4 examples'):
            record(net, data, taps, batch_size=4, reduce=reduce)


def test_large_numbers_whose_sum_overflows_are_not_taken_for_infinity() -> None:
    data = images(4)
    net = nn.Sequential(Scale(1e38), Scale(1e-38), Toy())
    data.images[:] = 1
    assert np.isfinite(record(net, data, find_taps(net, data))["0"]).all()


def test_logits_that_are_not_finite_are_refused() -> None:
    data = images(4)
    net = Toy()
    taps = find_taps(net, data, [])
    with torch.no_grad():
        net.halved.factor.fill_(torch.nan)
    with pytest.raises(NonFiniteError, match='tap "softmax" holds NaN or infinity for 4 of the first 4 examples'):
        record(net, data, taps)


def test_a_network_without_the_taps_modules_is_refused() -> None:
    data = images(3)
    with pytest.raises(ModelError) as error:
        record(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), data, find_taps(Toy(), data))
    assert str(error.value) == (
        'Sequential has no module "halved", "relu", "twice": these taps were found on another network.\n'
        "    Call find_taps on the network that is to be read."
    )


def test_a_tap_that_is_not_reached_by_every_image_is_refused() -> None:
    class Skipping(Toy):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) if len(x) == 5 else torch.stack([x.flatten(1).sum(1)] * 2, 1)

    data = images(4)
    with pytest.raises(ModelError, match="did not reach twice, relu, halved in the first 2 examples"):
        record(Skipping(), data, find_taps(Skipping(), data))


def test_images_of_another_shape_than_the_taps_are_refused() -> None:
    with pytest.raises(ShapeError) as error:
        record(Toy(), images(3, size=4), find_taps(Toy(), images(3)))
    assert str(error.value) == (
        "the images have the shape 1×4×4; the taps were found with 1×2×2.\n"
        "    Call find_taps with images of this data set."
    )


def test_options_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    data = images(3)
    taps = find_taps(Toy(), data)
    with pytest.raises(InputError, match="must be at least 1; got 0 and 4000000000"):
        record(Toy(), data, taps, batch_size=0)
    with pytest.raises(NotEnoughExamplesError, match="at least one image; got none"):
        record(Toy(), data.select(slice(0, 0)), taps)
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="is a file; activations are kept in a folder"):
        record(Toy(), data, taps, keep=tmp_path / "file")


def test_an_unknown_tap_is_refused_with_near_names() -> None:
    data = images(3)
    recorded = record(Toy(), data, find_taps(Toy(), data))
    assert "halved" in recorded
    assert "layer1" not in recorded
    with pytest.raises(UnknownNameError) as error:
        recorded["halve"]
    assert str(error.value) == (
        'no tap named "halve" in Toy (5 taps). Did you mean "halved"?\n    List them with: layerwise taps MODEL'
    )


# The network is left as it was


@pytest.mark.parametrize("place", ["children", ["add"]])
@pytest.mark.parametrize("fails", [False, True])
def test_mode_hooks_gradients_and_random_state_are_left_as_they_were(place: Any, fails: bool) -> None:
    class Random(Rewriting):
        def forward(self, x: Tensor) -> Tensor:
            torch.rand(1)
            return super().forward(x)

    net, data = Random(), images(4)
    taps = find_taps(net, data, place)
    net.train()
    net.halved.training = False
    net.halved.factor.grad = torch.ones(())
    state = torch.get_rng_state()
    if fails:
        data.images[:] = np.inf
        with pytest.raises(NonFiniteError, match='tap "input" holds NaN or infinity for 2 of the first 2'):
            record(net, data, taps, batch_size=2)
    else:
        record(net, data, taps, batch_size=2)
    assert (net.training, net.twice.training, net.halved.training) == (True, True, False)
    assert all(not module._forward_hooks for module in net.modules())
    assert net.halved.factor.grad == 1
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()


def test_what_was_recorded_is_freed_as_soon_as_nobody_holds_it() -> None:
    """A cycle of references would keep gigabytes until the garbage collector comes."""
    model, data = Toy().eval(), images(4)
    taps = find_taps(model, data)
    gc.disable()
    try:
        activations = record(model, data, taps)
        array = weakref.ref(activations["twice"])
        del activations
        assert array() is None
    finally:
        gc.enable()


def test_it_is_read_in_evaluation_mode() -> None:
    net = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm2d(1, eps=0), nn.Flatten(), nn.Linear(4, 2))
    data = images(4)
    recorded = record(net, data, find_taps(net, data))
    assert np.array_equal(recorded["0"], data.images)
    assert np.array_equal(recorded["1"], data.images)
    assert int(net[1].num_batches_tracked) == 0


def test_progress_is_shown_the_batches() -> None:
    seen: list[tuple[int, str]] = []

    def watch(items: Any, *, total: int, what: str) -> Iterator[Any]:
        seen.append((total, what))
        yield from items

    data = images(5)
    record(Toy(), data, find_taps(Toy(), data), batch_size=2, progress=watch)
    assert seen == [(3, "Recording 5 taps")]


# The table of taps


def test_the_table_counts_each_parameter_once_and_macs_up_to_each_tap() -> None:
    shared = nn.Linear(4, 4)
    net = nn.Sequential(nn.Flatten(), shared, nn.ReLU(), shared, nn.Linear(4, 2, bias=False))
    table = describe_taps(net, images(2))
    assert table.to_dict("list") == {
        "order": [0, 1, 2, 3, 4, 5],
        "name": ["input", "0", "1", "2", "1_1", "softmax"],
        "shape": ["1×2×2", "4", "4", "4", "4", "2"],
        "features": [4, 4, 4, 4, 4, 2],
        "parameters": [0, 0, 20, 0, 0, 8],
        "macs": [0, 0, 16, 16, 32, 40],
    }


@pytest.mark.parametrize("place", ["children", "blocks", "leaves"])
def test_the_table_ends_with_the_whole_networks_cost(place: str) -> None:
    net = load_model("resnet20", num_classes=10)
    table = describe_taps(net, images(2, channels=3, size=32), place)
    cost = count_macs(net, (3, 32, 32))
    assert table["parameters"].sum() == cost.parameters
    assert table["macs"].iloc[-1] == cost.total
    assert table["macs"].is_monotonic_increasing


# Passes that end at the last tap whose values are kept


class Guarded(Toy):
    """A network that catches what goes wrong in it, and says how often its last layer ran."""

    def __init__(self) -> None:
        super().__init__()
        self.finished = 0

    def forward(self, x: Tensor) -> Tensor:
        try:
            x = self.relu(self.twice(x))
        except Exception as error:
            raise AssertionError("the network must not see the end of a pass") from error
        x = self.halved(x)
        self.finished += 1
        total = x.flatten(1).sum(1)
        return torch.stack([total, -total], 1)


@pytest.mark.parametrize("only", [["twice"], ["relu", "twice"], ["input"], []])
def test_without_logits_a_pass_ends_at_the_last_tap_that_is_kept(only: list[str]) -> None:
    model, data = Guarded(), images(6)
    taps = find_taps(model, data.select(slice(0, 1)))
    whole = record(model, data, taps, only=only, batch_size=2)
    model.finished = 0
    ended = record(model, data, taps, only=only, batch_size=2, logits=False)
    assert model.finished == 0
    assert np.isnan(ended.logits).all()
    for name in only:
        assert np.array_equal(ended[name], whole[name])
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("only", [["softmax"], ["twice", "softmax"]])
def test_the_softmax_needs_the_whole_pass(only: list[str]) -> None:
    model, data = Guarded(), images(6)
    recorded = record(model, data, find_taps(model, data.select(slice(0, 1))), only=only, logits=False)
    assert np.isfinite(recorded.logits).all()


def test_a_graph_is_replayed_no_farther_than_to_the_last_tap_that_is_kept() -> None:
    model, data = Rewriting(), images(6)
    taps = find_taps(model, data.select(slice(0, 1)), "leaves")
    name = taps.names[2]
    whole = record(model, data, taps, only=[name])
    assert np.array_equal(record(model, data, taps, only=[name], logits=False)[name], whole[name])
