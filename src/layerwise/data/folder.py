"""A folder of class folders: DIR/CLASS/IMAGE, or DIR/SPLIT/CLASS/IMAGE.

Without split folders a seeded, stratified share becomes "test". Folders that would fill the memory are decoded batch by
batch. Files that do not end like an image are passed over, as are hidden folders.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.data.decoding import check_one_size, decode_images, read_headers
from layerwise.data.images import ImageData, LazyImages
from layerwise.data.split_files import SPLIT_WORDS, train_and_test
from layerwise.data.validation import SPLIT_NAMES
from layerwise.errors import DataError, FileError, did_you_mean

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})

IN_MEMORY_BYTES = 1_000_000_000
"""Decoded images larger than this together are decoded when they are asked for."""


@dataclass(frozen=True)
class _File:
    path: Path
    class_name: str
    split: str | None


def load_folder(
    path: str | Path,
    *,
    size: int | None = None,
    test: float = 0.2,
    seed: int = 0,
    in_memory_bytes: int = IN_MEMORY_BYTES,
) -> ImageData:
    """Load a folder of class folders; ids are the paths inside it.

    Args:
        path: the folder; its folders are classes, or train, validation and test, each with the classes inside.
        size: scale and centre-crop the images to squares of this many pixels.
        test: the share of the examples that becomes "test" when there are no split folders.
        seed: decides which.
        in_memory_bytes: the decoded size from which images are decoded when asked for.

    Raises:
        FileError: the folder is missing or without images, or images cannot be decoded (those of a large folder are
            found out when they are asked for).
        DataError: images of several sizes, a class folder without images, or a class that "train" does not have.
    """
    root = Path(path)
    files = _find_files(root)
    class_names = sorted({file.class_name for file in files})
    labels = np.array([class_names.index(file.class_name) for file in files], dtype=np.int64)
    splits = (
        train_and_test(labels, test_share=test, seed=seed)
        if files[0].split is None
        else np.array([file.split for file in files], dtype=np.str_)
    )
    return ImageData.create(
        _images([file.path for file in files], root, size, in_memory_bytes),
        labels,
        ids=[file.path.relative_to(root).as_posix() for file in files],
        splits=splits,
        class_names=class_names,
        name=root.resolve().name,
    )


def _images(
    paths: Sequence[Path], root: Path, size: int | None, in_memory_bytes: int
) -> NDArray[np.uint8] | LazyImages:
    headers = read_headers(paths, where=str(root))
    if size is None:
        check_one_size(Counter(pixels for _, pixels in headers), str(root))
    width, height = (size, size) if size else headers[0][1]
    channels = max(count for count, _ in headers)

    def load(rows: Sequence[int] | NDArray[np.int64]) -> NDArray[Any]:
        asked = [paths[row] for row in rows]
        return decode_images(asked, [str(file) for file in asked], where=str(root), size=size, channels=channels)

    if len(paths) * channels * height * width <= in_memory_bytes:
        return load(range(len(paths)))
    return LazyImages((len(paths), channels, height, width), np.dtype(np.uint8), load)


def _find_files(root: Path) -> list[_File]:
    if not root.is_dir():
        raise FileError(f"no folder {root}; expected one that holds a folder of images for each class.")
    folders = _folders(root)
    split_folders = [folder for folder in folders if _is_split(folder)]
    if split_folders and len(split_folders) < len(folders):
        others = ", ".join(folder.name for folder in folders if folder not in split_folders)
        raise DataError(
            f"{root} holds the split folders {', '.join(folder.name for folder in split_folders)}, but also {others}.\n"
            "    Keep either splits or classes in it."
        )
    files = [file for folder in split_folders for file in _files_of_classes(folder, SPLIT_WORDS[folder.name.lower()])]
    files = files or list(_files_of_classes(root, None))
    if not files:
        raise FileError(f"no images in the folders of {root}; expected {root}/CLASS/IMAGE or {root}/train/CLASS/IMAGE.")
    _check_classes(files)
    return sorted(files, key=lambda file: (SPLIT_NAMES.index(file.split or "train"), file.path.as_posix()))


def _is_split(folder: Path) -> bool:
    # A class may be called "train", too: a split holds class folders, a class holds images.
    return folder.name.lower() in SPLIT_WORDS and bool(_folders(folder)) and not _images_in(folder.iterdir())


def _files_of_classes(folder: Path, split: str | None) -> Iterator[_File]:
    for class_folder in _folders(folder):
        found = _images_in(class_folder.rglob("*"))
        if not found:
            raise DataError(f"the class folder {class_folder} holds no image; add some, or remove it.")
        yield from (_File(path, class_folder.name, split) for path in found)


def _folders(folder: Path) -> list[Path]:
    return sorted(inside for inside in folder.iterdir() if inside.is_dir() and not inside.name.startswith("."))


def _images_in(paths: Iterator[Path]) -> list[Path]:
    return [path for path in paths if path.suffix.lower() in ENDINGS and not path.name.startswith(".")]


def _check_classes(files: list[_File]) -> None:
    trained = {file.class_name for file in files if file.split == "train"}
    strange = sorted({file.class_name for file in files} - trained)
    if trained and strange:
        listed = "\n".join(f'    - "{name}".{did_you_mean(name, trained)}' for name in strange)
        raise DataError(f'the split "train" has no folder for these classes of other splits:\n{listed}')
