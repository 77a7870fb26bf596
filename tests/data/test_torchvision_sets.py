"""The sets that torchvision keeps in a folder, read here."""

from __future__ import annotations

import pickle
import struct
import urllib.error

import numpy as np
import pytest
import scipy.io

from layerwise._torchvision import torchvision
from layerwise.data.torchvision_sets import (
    load_cifar10,
    load_cifar100,
    load_fashion_mnist,
    load_mnist,
    load_svhn,
)
from layerwise.errors import FileError, UnsafeFileError

RANDOM = np.random.default_rng(0)


def write_idx(folder, word, count):
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        "images-idx3": RANDOM.integers(0, 256, (count, 28, 28), dtype=np.uint8),
        "labels-idx1": (np.arange(count) % 10).astype(np.uint8),
    }
    for name, array in arrays.items():
        header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (folder / f"{word}-{name}-ubyte").write_bytes(header + array.tobytes())


def write_cifar10(folder, count=4):
    folder.mkdir(parents=True, exist_ok=True)
    pixels = RANDOM.integers(0, 256, (6 * count, 3072), dtype=np.uint8)
    for place, name in enumerate([*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]):
        rows = slice(place * count, (place + 1) * count)
        batch = {b"data": pixels[rows], b"labels": [place % 10] * count, b"batch_label": b"toy"}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    names = [f"class {number}".encode() for number in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": names}, protocol=2))
    return pixels


@pytest.mark.parametrize(
    ("load", "name"), [(load_mnist, "MNIST"), (load_fashion_mnist, "FashionMNIST")], ids=["mnist", "fashion-mnist"]
)
def test_mnist_and_its_relative_are_read_as_torchvision_reads_them(tmp_path, load, name):
    for word in ("train", "t10k"):
        write_idx(tmp_path / name / "raw", word, 20)
    data = load(tmp_path)
    for split, train in ((data.train, True), (data.test, False)):
        expected = getattr(torchvision.datasets, name)(tmp_path, train=train)
        assert (split.images[:, 0] == expected.data.numpy()).all()
        assert (split.labels == expected.targets.numpy()).all()
    assert data.num_classes == 10
    assert load(tmp_path / name / "raw").fingerprint == data.fingerprint


def test_cifar10_is_read_in_its_order_with_its_class_names(tmp_path):
    pixels = write_cifar10(tmp_path / "cifar-10-batches-py")
    data = load_cifar10(tmp_path)
    assert (data.images.reshape(24, 3072) == pixels).all()
    assert data.image_shape == (3, 32, 32)
    assert data.labels.tolist() == np.repeat(range(6), 4).tolist()
    assert data.ids[[0, 19, 20]].tolist() == ["train-00000", "train-00019", "test-00000"]
    assert data.class_names[:2] == ("class 0", "class 1")
    assert load_cifar10(tmp_path / "cifar-10-batches-py").fingerprint == data.fingerprint


def test_cifar100_is_read_with_its_fine_labels(tmp_path):
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    pixels = RANDOM.integers(0, 256, (3, 3072), dtype=np.uint8)
    batch = {b"data": pixels, b"fine_labels": [99, 0, 5], b"coarse_labels": [1, 1, 1]}
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    names = [str(number).encode() for number in range(100)]
    (folder / "meta").write_bytes(pickle.dumps({b"fine_label_names": names}, protocol=2))
    data = load_cifar100(tmp_path)
    assert (data.train.labels.tolist(), data.num_classes, data.name) == ([99, 0, 5], 100, "cifar100")
    assert (data.test.images.reshape(3, 3072) == pixels).all()


def test_a_cifar_batch_with_a_payload_is_refused_and_nothing_runs(tmp_path):
    class Runs:
        def __reduce__(self):
            return exec, (f"open({str(tmp_path / 'executed')!r}, 'w').close()",)

    write_cifar10(tmp_path)
    (tmp_path / "data_batch_3").write_bytes(pickle.dumps({b"data": Runs()}))
    with pytest.raises(UnsafeFileError, match=rf"^{tmp_path}/data_batch_3 would run builtins\.exec"):
        load_cifar10(tmp_path)
    assert not (tmp_path / "executed").exists()


def test_missing_truncated_and_other_cifar_batches_are_named(tmp_path):
    with pytest.raises(FileError, match=rf"^no file {tmp_path}/batches.meta.$"):
        load_cifar10(tmp_path)
    write_cifar10(tmp_path)
    batch = tmp_path / "data_batch_2"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-500])
    with pytest.raises(FileError, match=rf"^{batch} is truncated"):
        load_cifar10(tmp_path)
    batch.write_bytes(pickle.dumps({b"data": np.zeros((4, 3072), np.uint8)}))
    with pytest.raises(FileError, match=rf'^{batch} has no list "labels"; it has data.$'):
        load_cifar10(tmp_path)
    batch.write_bytes(pickle.dumps({b"data": np.zeros((4, 99), np.uint8), b"labels": [0, 1, 2]}))
    with pytest.raises(FileError) as error:
        load_cifar10(tmp_path)
    assert str(error.value) == f"{batch} holds uint8 of shape (4, 99); expected uint8 (3, 3072)."


def test_svhn_is_turned_and_its_class_10_is_the_digit_0(tmp_path):
    images = RANDOM.integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    for split in ("train", "test"):
        scipy.io.savemat(tmp_path / f"{split}_32x32.mat", {"X": images, "y": np.array([[10], [1], [9], [2]], np.uint8)})
    data = load_svhn(tmp_path)
    assert data.train.labels.tolist() == [0, 1, 9, 2]
    assert data.test.images[2].tolist() == images[:, :, :, 2].transpose(2, 0, 1).tolist()
    assert (data.num_classes, data.name) == (10, "svhn")


def test_missing_and_truncated_svhn_files_are_named(tmp_path):
    with pytest.raises(FileError) as error:
        load_svhn(tmp_path)
    file = tmp_path / "train_32x32.mat"
    assert str(error.value) == f'no file {file}; put it there, or add "?download=1" to the spec.'
    scipy.io.savemat(file, {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.ones((4, 1), np.uint8)})
    whole = file.read_bytes()
    for length in (0, 60, 300, len(whole) // 2, len(whole) - 10):
        file.write_bytes(whole[:length])
        with pytest.raises(FileError, match=rf"^{file} is truncated, or is not SVHN's MATLAB file"):
            load_svhn(tmp_path)


def test_nothing_is_downloaded_unless_asked_for_and_failures_are_told(tmp_path, monkeypatch):
    asked = []

    def refuse(*args, **options):
        asked.append((args, options))
        raise urllib.error.URLError("no network")

    for name in ("MNIST", "FashionMNIST", "CIFAR10", "CIFAR100", "SVHN"):
        monkeypatch.setattr(torchvision.datasets, name, refuse)
    loaders = (load_mnist, load_fashion_mnist, load_cifar10, load_cifar100, load_svhn)
    for load in loaders:
        with pytest.raises(FileError):
            load(tmp_path)
    assert asked == []
    for load in loaders:
        with pytest.raises(FileError, match=rf"could not be downloaded to {tmp_path} \(<urlopen error no network>\)"):
            load(tmp_path, download=True)
    assert [options["download"] for _, options in asked] == [True] * 5
