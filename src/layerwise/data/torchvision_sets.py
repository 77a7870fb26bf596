"""MNIST, Fashion-MNIST, CIFAR-10 and -100 and SVHN, from the folder in which torchvision keeps them.

torchvision is asked only to download, and only when told to. The files are read here: torchvision unpickles CIFAR's
batches (after comparing MD5, which is no protection), while `safe_npy` reads them without executing anything; and a
truncated file is told by its name.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.data.idx import load_idx
from layerwise.data.images import ImageData
from layerwise.data.safe_npy import read_pickled_dict
from layerwise.errors import FileError

BROKEN_MAT = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    NotImplementedError,
    EOFError,
    AttributeError,
    zlib.error,
)
"""What scipy raises on files that are not MATLAB's, besides its own error."""

FASHION_CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


@dataclass(frozen=True)
class _Cifar:
    """How one of the two CIFAR sets lies on the disk."""

    torchvision_name: str
    folder: str
    split_to_files: dict[str, tuple[str, ...]]
    names_file: str
    names_key: str
    label_key: str


CIFAR10 = _Cifar(
    "CIFAR10",
    "cifar-10-batches-py",
    {"train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",)},
    "batches.meta",
    "label_names",
    "labels",
)
CIFAR100 = _Cifar(
    "CIFAR100", "cifar-100-python", {"train": ("train",), "test": ("test",)}, "meta", "fine_label_names", "fine_labels"
)


def load_mnist(path: str | Path, *, download: bool = False) -> ImageData:
    """Handwritten digits, 28×28 grey: 60,000 to train, 10,000 to test. See `load_idx` for what is raised."""
    folder = _idx_folder(Path(path), "MNIST", download=download)
    return load_idx(folder, class_names=[str(digit) for digit in range(10)], name="mnist")


def load_fashion_mnist(path: str | Path, *, download: bool = False) -> ImageData:
    """Pictures of clothes, 28×28 grey: 60,000 to train, 10,000 to test. See `load_idx` for what is raised."""
    folder = _idx_folder(Path(path), "FashionMNIST", download=download)
    return load_idx(folder, class_names=FASHION_CLASSES, name="fashion-mnist")


def load_cifar10(path: str | Path, *, download: bool = False) -> ImageData:
    """Photographs of ten things, 32×32 in colour: 50,000 to train, 10,000 to test, in the original order.

    Raises:
        FileError: a batch is missing, truncated or of another kind.
    """
    return _load_cifar(CIFAR10, Path(path), "cifar10", download=download)


def load_cifar100(path: str | Path, *, download: bool = False) -> ImageData:
    """Photographs of a hundred things, 32×32 in colour: 50,000 to train, 10,000 to test, in the original order.

    Raises:
        FileError: a batch is missing, truncated or of another kind.
    """
    return _load_cifar(CIFAR100, Path(path), "cifar100", download=download)


def load_svhn(path: str | Path, *, download: bool = False) -> ImageData:
    """House numbers, 32×32 in colour: 73,257 to train, 26,032 to test.

    Args:
        path: the folder of train_32x32.mat and test_32x32.mat.
        download: fetch them when they are missing.

    Raises:
        FileError: a file is missing, truncated or of another kind.
    """
    root = Path(path)
    if download:
        for split in ("train", "test"):
            _download("SVHN", root, split=split)
    parts = [_read_svhn(root / f"{split}_32x32.mat") for split in ("train", "test")]
    return ImageData.create(
        np.concatenate([images for images, _ in parts]),
        np.concatenate([labels for _, labels in parts]),
        splits=np.repeat(["train", "test"], [len(labels) for _, labels in parts]),
        class_names=[str(digit) for digit in range(10)],
        name="svhn",
    )


def _idx_folder(root: Path, torchvision_name: str, *, download: bool) -> Path:
    if download:
        _download(torchvision_name, root, train=True)
    inside = root / torchvision_name / "raw"
    return inside if inside.is_dir() else root


def _load_cifar(kind: _Cifar, root: Path, name: str, *, download: bool) -> ImageData:
    if download:
        _download(kind.torchvision_name, root, train=True)
    folder = root / kind.folder if (root / kind.folder).is_dir() else root
    class_names = _entry(folder / kind.names_file, kind.names_key)
    split_to_parts = {
        split: [_read_cifar(folder / file, kind.label_key) for file in files]
        for split, files in kind.split_to_files.items()
    }
    parts = [part for parts in split_to_parts.values() for part in parts]
    return ImageData.create(
        np.concatenate([images for images, _ in parts]),
        np.concatenate([labels for _, labels in parts]),
        splits=np.repeat([*split_to_parts], [sum(len(x) for x, _ in parts) for parts in split_to_parts.values()]),
        class_names=[word.decode() if isinstance(word, bytes) else str(word) for word in class_names],
        name=name,
    )


def _read_cifar(file: Path, label_key: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images, labels = np.asarray(_entry(file, "data")), np.asarray(_entry(file, label_key))
    if images.dtype != np.uint8 or images.shape != (len(labels), 3072):
        raise FileError(f"{file} holds {images.dtype} of shape {images.shape}; expected uint8 ({len(labels)}, 3072).")
    return images.reshape(-1, 3, 32, 32), labels.astype(np.int64)


def _entry(file: Path, key: str) -> Sequence[Any]:
    entries = read_pickled_dict(file)
    if key not in entries or not isinstance(entries[key], list | np.ndarray):
        raise FileError(f'{file} has no list "{key}"; it has {", ".join(entries)}.')
    found: Sequence[Any] = entries[key]
    return found


def _read_svhn(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from scipy.io import loadmat, matlab  # slow to import, and no other source needs it

    if not file.is_file():
        raise FileError(f'no file {file}; put it there, or add "?download=1" to the spec.')
    try:
        content = loadmat(str(file), variable_names=["X", "y"])
        images = np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1))  # (H, W, C, N) in the file
        labels = content["y"].reshape(-1).astype(np.int64) % 10  # the file calls the digit 0 class 10
    except (*BROKEN_MAT, matlab.MatReadError) as error:
        raise FileError(f"{file} is truncated, or is not SVHN's MATLAB file ({error}).") from None
    return images, labels


def _download(torchvision_name: str, root: Path, **split: Any) -> None:
    from layerwise._torchvision import torchvision

    try:
        getattr(torchvision.datasets, torchvision_name)(str(root), download=True, **split)
    except (OSError, RuntimeError) as error:
        raise FileError(
            f"{torchvision_name} could not be downloaded to {root} ({error}).\n"
            "    Try again, or put its files there by hand."
        ) from error
