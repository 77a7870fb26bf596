"""Any torch Dataset, or several by split, or a Lightning data module, to ImageData.

Every item is asked for once, in order, with the data set's own transforms applied: what they draw at random is drawn
once. The loaders of a data module are used only to find its data sets, so that nothing is shuffled or dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from layerwise.data.decoding import check_one_size, count_sizes, pixels_of, stack_images
from layerwise.data.images import ImageData
from layerwise.data.split_files import numbered_ids, train_and_test
from layerwise.data.validation import SPLIT_NAMES, channels_are_last
from layerwise.errors import DataError, NotEnoughExamplesError, ShapeError, UnknownNameError, did_you_mean

LIGHTNING_MODULES = ("lightning.pytorch", "pytorch_lightning")

LOADER_TO_SPLIT = {"train_dataloader": "train", "val_dataloader": "validation", "test_dataloader": "test"}


def load_dataset(dataset: Dataset[Any], *, test: float = 0.2, seed: int = 0) -> ImageData:
    """Load a data set of (image, label) pairs; a seeded, stratified share becomes "test".

    Args:
        dataset: images are PIL images, or tensors or arrays (C, H, W), bytes or floats as the network takes them.
        test: that share.
        seed: decides which.

    Raises:
        DataError: items that are not pairs, images of several sizes, or what `ImageData.create` refuses.
    """
    name = type(dataset).__name__
    images, labels = _read(dataset, name)
    return ImageData.create(
        images,
        labels,
        ids=numbered_ids(name, len(labels)),
        splits=train_and_test(np.asarray(labels), test_share=test, seed=seed),
        class_names=_class_names([dataset]),
        name=name,
    )


def load_datasets(split_to_dataset: Mapping[str, Dataset[Any]], *, name: str | None = None) -> ImageData:
    """Load data sets of (image, label) pairs, one a split.

    Raises:
        UnknownNameError: a key that is not "train", "validation" or "test".
        DataError: as `load_dataset`.
    """
    for split in split_to_dataset:
        if split not in SPLIT_NAMES:
            raise UnknownNameError(f'no split is named "{split}".{did_you_mean(split, SPLIT_NAMES)}')
    if not split_to_dataset:
        raise NotEnoughExamplesError("no data set was given; expected at least one, by split.")
    parts = [_read(dataset, f'the split "{split}"') for split, dataset in split_to_dataset.items()]
    shapes = {images.shape[1:] for images, _ in parts}
    if len(shapes) > 1:
        raise ShapeError(f"images of the splits have shapes {sorted(shapes)}; expected one (C, H, W).")
    return ImageData.create(
        np.concatenate([images for images, _ in parts]),
        [label for _, labels in parts for label in labels],
        splits=np.repeat([*split_to_dataset], [len(labels) for _, labels in parts]),
        class_names=_class_names(split_to_dataset.values()),
        name=name or type(next(iter(split_to_dataset.values()))).__name__,
    )


def is_data_module(value: object) -> bool:
    """Whether this is a Lightning data module, found out without importing Lightning."""
    # Whoever has a data module has imported the module that defines its class.
    modules = [sys.modules[name] for name in LIGHTNING_MODULES if name in sys.modules]
    return any(isinstance(value, module.LightningDataModule) for module in modules)


def load_data_module(module: Any) -> ImageData:
    """Load the data sets behind a Lightning data module's loaders, after preparing and setting it up.

    Raises:
        DataError: a loader that is not a single DataLoader, or as `load_datasets`.
    """
    module.prepare_data()
    module.setup("fit")
    module.setup("test")
    base = next(cls for cls in type(module).__mro__ if cls.__name__ == "LightningDataModule")
    split_to_dataset = {
        split: _dataset_of(getattr(module, loader)(), f"{type(module).__name__}.{loader}()")
        for loader, split in LOADER_TO_SPLIT.items()
        if _is_overridden(module, loader, base)
    }
    return load_datasets(split_to_dataset, name=type(module).__name__)


def _is_overridden(module: Any, method: str, base: type) -> bool:
    return getattr(type(module), method) is not getattr(base, method) or method in vars(module)


def _dataset_of(loader: Any, what: str) -> Dataset[Any]:
    if isinstance(loader, DataLoader):
        return loader.dataset
    raise DataError(f"{what} gives a {type(loader).__name__}; expected one DataLoader.")


def _read(dataset: Dataset[Any], where: str) -> tuple[NDArray[Any], list[Any]]:
    items = [_item(item, row, where) for row, item in enumerate(_iterate(dataset))]
    if not items:
        raise NotEnoughExamplesError(f"{where} is empty; expected at least one (image, label) pair.")
    pixels = [image for image, _ in items]
    check_one_size(count_sizes(pixels), where, advice="Resize them to {side}×{side} in its transform.")
    return stack_images(pixels), [label for _, label in items]


def _iterate(dataset: Any) -> Iterable[Any]:
    # Indexing alone does not stop at the end of a map-style data set that never raises IndexError.
    return (dataset[row] for row in range(len(dataset))) if hasattr(dataset, "__len__") else dataset


def _item(item: Any, row: int, where: str) -> tuple[NDArray[Any], Any]:
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise DataError(f"item {row} of {where} is a {type(item).__name__}; expected a pair (image, label).")
    image, label = item
    number = np.asarray(label)
    if number.size != 1:
        raise DataError(f"the label of item {row} of {where} has shape {number.shape}; expected one whole number.")
    return _pixels(image, f"item {row} of {where}"), number.item()


def _pixels(image: Any, what: str) -> NDArray[Any]:
    """One image as (H, W, C)."""
    if isinstance(image, Image.Image):
        return pixels_of(image)
    pixels: NDArray[Any] = image.detach().cpu().numpy() if isinstance(image, torch.Tensor) else np.asarray(image)
    if pixels.ndim == 2:
        return pixels[:, :, None]
    if pixels.ndim != 3:
        raise ShapeError(f"the image of {what} has shape {pixels.shape}; expected (C, H, W).")
    return pixels if channels_are_last(pixels.shape) else pixels.transpose(1, 2, 0)


def _class_names(datasets: Iterable[Any]) -> list[str] | None:
    for dataset in datasets:
        inner = dataset
        while not hasattr(inner, "classes") and hasattr(inner, "dataset"):
            inner = inner.dataset
        classes = getattr(inner, "classes", None)
        if isinstance(classes, list | tuple):
            return [str(name) for name in classes]
    return None
