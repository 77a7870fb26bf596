"""Parquet tables of encoded images, as Hugging Face data sets use: `image` {bytes, path}, `label`, class names beside.

Files say their split in their names (train*.parquet, test*, validation*); when none does, a seeded, stratified share
becomes "test". Files without a column of images are passed over, so that tables about the images can lie beside them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from layerwise.data.decoding import decode_images
from layerwise.data.images import ImageData
from layerwise.data.split_files import by_split, numbered_ids, splits_of_files, train_and_test
from layerwise.errors import DataError, FileError, did_you_mean


@dataclass(frozen=True)
class _Columns:
    """Where a file keeps what: the names of its columns, and of its classes when it knows them."""

    image: str
    label: str
    class_names: tuple[str, ...] | None
    factors: tuple[str, ...]


@dataclass(frozen=True)
class _Rows:
    """What one file holds, still encoded."""

    file: Path
    encoded: list[bytes]
    paths: list[str | None]
    labels: NDArray[Any]
    factors: dict[str, NDArray[Any]]


def load_parquet(
    path: str | Path, *, image: str = "", label: str = "", size: int | None = None, test: float = 0.2, seed: int = 0
) -> ImageData:
    """Decode the images of one Parquet file, or of all in a folder.

    Ids are the images' paths when each has its own; "SPLIT/PATH" when paths repeat in another split only;
    otherwise "SPLIT-NUMBER". Other columns of plain values become factors.

    Args:
        path: a file, or a folder that holds some, at any depth.
        image: the column of images; by default the only one that holds {bytes, path} or bytes.
        label: the column of labels; by default "label", or the only one declared as a class.
        size: scale and centre-crop the images to squares of this many pixels.
        test: the share of the examples that becomes "test" when no file name says a split.
        seed: decides which.

    Raises:
        FileError: a file is missing, truncated or not Parquet, or an image in it cannot be decoded.
        DataError: no column of images or labels, or what `ImageData.create` refuses.
    """
    root = Path(path)
    file_to_columns = _find_tables(root, image, label)
    tables = [_read(file, columns) for file, columns in file_to_columns.items()]
    labels, class_names = _labels(tables, file_to_columns)
    file_splits = splits_of_files(list(file_to_columns), where=str(root))
    splits = (
        train_and_test(labels, test_share=test, seed=seed)
        if file_splits is None
        else np.repeat(file_splits, [len(table.encoded) for table in tables])
    )
    images = [encoded for table in tables for encoded in table.encoded]
    names = [f"row {row} of {table.file}" for table in tables for row in range(len(table.encoded))]
    return ImageData.create(
        decode_images(images, names, where=str(root), size=size),
        labels,
        ids=_ids([path for table in tables for path in table.paths], None if file_splits is None else splits),
        splits=splits,
        class_names=class_names,
        factors=_factors(tables),
        name=root.resolve().name if root.is_dir() else root.stem,
    )


def _find_tables(root: Path, image: str, label: str) -> dict[Path, _Columns]:
    if not root.exists():
        raise FileError(f"no file or folder {root}; expected a Parquet file, or a folder of them.")
    files = by_split(root.rglob("*.parquet")) if root.is_dir() else [root]
    found = {file: columns for file in files if (columns := _columns(file, image, label))}
    if not found:
        raise FileError(
            f"no Parquet file with a column of images in {root} ({len(files)} looked at).\n"
            "    Expected a column of {bytes, path} or of bytes; name it with ?image=COLUMN if there are several."
        )
    return found


def _columns(file: Path, image: str, label: str) -> _Columns | None:
    with _named(file):
        schema = pq.read_schema(file)
    images = [field.name for field in schema if _holds_images(field.type)]
    if image and image not in images:
        raise DataError(f'{file} has no column of images named "{image}".{did_you_mean(image, images)}')
    if not images:
        return None
    if len(images) > 1 and not image:
        raise DataError(f"{file} has {len(images)} columns of images: {', '.join(images)}; choose with ?image=COLUMN.")
    features = _features(schema)
    label = label or _guess_label(file, schema.names, features)
    if label not in schema.names:
        raise DataError(f'{file} has no column "{label}".{did_you_mean(label, schema.names)}')
    names = features.get(label, {}).get("names")
    factors = [field.name for field in schema if field.name != label and _is_plain(field.type)]
    return _Columns(image or images[0], label, None if names is None else tuple(names), tuple(factors))


def _guess_label(file: Path, columns: Sequence[str], features: dict[str, dict[str, Any]]) -> str:
    classes = [name for name, feature in features.items() if feature.get("_type") == "ClassLabel"]
    if "label" in columns:
        return "label"
    if len(classes) == 1:
        return classes[0]
    raise DataError(
        f'{file} has no column "label"; its columns are {", ".join(columns)}.\n    Choose one with ?label=COLUMN.'
    )


def _features(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """What Hugging Face's `datasets` notes of each column, or nothing."""
    try:
        noted = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = noted.get("info", {}).get("features", {})
        return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
    except (ValueError, AttributeError):
        return {}


def _holds_images(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _is_binary(field.type) for field in kind)
    return _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_plain(kind: pa.DataType) -> bool:
    plain = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_string,
        pa.types.is_large_string,
    )
    return any(test(kind) for test in plain)


def _read(file: Path, columns: _Columns) -> _Rows:
    with _named(file):
        table = pq.read_table(file, columns=[columns.image, columns.label, *columns.factors], partitioning=None)
    images = table[columns.image].to_pylist()
    found = [image.get("bytes") if isinstance(image, dict) else image for image in images]
    encoded = [data for data in found if data is not None]
    if len(encoded) < len(found):
        without = len(found) - len(encoded)
        raise FileError(f"{without} of {len(found)} images in {file} have no bytes; expected them inside the file.")
    if table[columns.label].null_count:
        raise DataError(f"{table[columns.label].null_count} of {len(found)} labels in {file} are missing.")
    return _Rows(
        file,
        encoded,
        [image.get("path") if isinstance(image, dict) else None for image in images],
        table[columns.label].to_numpy(),
        {name: table[name].to_numpy() for name in columns.factors if not table[name].null_count},
    )


@contextmanager
def _named(file: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{file} is truncated, or is not a Parquet file ({str(error).splitlines()[0]}).") from None


def _labels(tables: list[_Rows], files: dict[Path, _Columns]) -> tuple[NDArray[Any], Sequence[str] | None]:
    declared = {columns.class_names for columns in files.values()}
    if len(declared) > 1:
        listed = "\n".join(f"    - {file}: {columns.class_names}" for file, columns in files.items())
        raise DataError(f"the files declare different classes; expected the same in each:\n{listed}")
    labels = np.concatenate([table.labels for table in tables])
    if labels.dtype.kind in "iu":
        return labels, declared.pop()
    words, numbers = np.unique(labels.astype(np.str_), return_inverse=True)
    return numbers, words.tolist()


def _factors(tables: list[_Rows]) -> dict[str, NDArray[Any]]:
    shared = set.intersection(*(set(table.factors) for table in tables))
    names = [name for name in tables[0].factors if name in shared]
    return {name: np.concatenate([table.factors[name] for table in tables]) for name in names}


def _ids(paths: list[str | None], splits: NDArray[np.str_] | None) -> NDArray[np.str_] | None:
    """See `load_parquet`; None leaves numbering within each split to `ImageData.create`."""
    known = [path for path in paths if path]
    complete = len(known) == len(paths)
    if complete and len(set(known)) == len(known):
        return np.array(known, dtype=np.str_)
    if splits is None:
        return numbered_ids("image", len(paths))
    if not complete:
        return None
    within = [f"{split}/{path}" for split, path in zip(splits, known, strict=True)]
    return np.array(within, dtype=np.str_) if len(set(within)) == len(within) else None
