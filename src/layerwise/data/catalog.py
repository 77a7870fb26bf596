"""From a spec to ImageData: every kind of source, its options, and the one function that loads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.utils.data import Dataset

from layerwise.data.array_files import load_npy, load_npz
from layerwise.data.digits import load_digits
from layerwise.data.edges import EdgeFactors, load_edges
from layerwise.data.folder import load_folder
from layerwise.data.idx import load_idx
from layerwise.data.images import ImageData
from layerwise.data.mnist1d import load_mnist1d
from layerwise.data.parquet import load_parquet
from layerwise.data.shapes import ShapeFactors, load_shapes
from layerwise.data.splits import hold_out, limit_splits
from layerwise.data.torch_sets import is_data_module, load_data_module, load_dataset, load_datasets
from layerwise.data.torchvision_sets import load_cifar10, load_cifar100, load_fashion_mnist, load_mnist, load_svhn
from layerwise.errors import DataError, UnknownNameError, did_you_mean
from layerwise.spec import Spec, flag, from_to, list_of, number, parse_spec, positive, read_options, share, text, whole

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule


@dataclass(frozen=True)
class Source:
    """A kind of source: how its spec is written, what loads it, and how its options are read."""

    form: str
    load: Callable[..., ImageData]
    options: Mapping[str, Callable[[str, str], Any]]

    @property
    def takes_path(self) -> bool:
        """Whether its spec goes on after a colon."""
        return ":" in self.form


def _draw_shapes(**options: Any) -> ImageData:
    given = {name: options.pop(name) for name in RANGES if name in options}
    return load_shapes(ranges=ShapeFactors(**given), **options)


def _draw_edges(**options: Any) -> ImageData:
    given = {name: options.pop(name) for name in EDGE_RANGES if name in options}
    return load_edges(ranges=EdgeFactors(**given), **options)


DRAWN = {"test": share, "seed": whole}
"""Options of sources that come without splits."""

RANGES = {field.name: from_to if isinstance(field.default, tuple) else number for field in fields(ShapeFactors)}
"""Options of the shapes: what each factor is drawn from."""

EDGE_RANGES: Mapping[str, Callable[[str, str], Any]] = {
    "width": from_to,
    "intensity": from_to,
    "background": from_to,
    "angles": list_of(number),
    "location_ratio": number,
    "horizontal": positive,
    "vertical": positive,
    "diagonal": positive,
}
"""Options of the edges: what each factor is drawn from."""

EDGES: Mapping[str, Callable[[str, str], Any]] = {
    "train_per_class": whole,
    "validation_per_class": whole,
    "test_per_class": whole,
    "classes": list_of(text),
    "resolution": positive,
    "permuted": flag,
    "seed": whole,
    **EDGE_RANGES,
}

MNIST1D: Mapping[str, Callable[[str, str], Any]] = {
    "train": positive,
    "test": positive,
    "permuted": flag,
    "seed": whole,
}

FETCHED = {"download": flag}
"""Options of sources that torchvision can download."""

SOURCES: Mapping[str, Source] = {
    "shapes": Source("shapes", _draw_shapes, {"train": positive, "test": positive, "seed": whole, **RANGES}),
    "edges": Source("edges", _draw_edges, EDGES),
    "digits": Source("digits", load_digits, DRAWN),
    "mnist1d": Source("mnist1d", load_mnist1d, MNIST1D),
    "mnist": Source("mnist:DIR", load_mnist, FETCHED),
    "fashion-mnist": Source("fashion-mnist:DIR", load_fashion_mnist, FETCHED),
    "cifar10": Source("cifar10:DIR", load_cifar10, FETCHED),
    "cifar100": Source("cifar100:DIR", load_cifar100, FETCHED),
    "svhn": Source("svhn:DIR", load_svhn, FETCHED),
    "folder": Source("folder:DIR", load_folder, {"size": positive, **DRAWN}),
    "parquet": Source("parquet:FILE|DIR", load_parquet, {"image": text, "label": text, "size": positive, **DRAWN}),
    "npz": Source("npz:FILE", load_npz, DRAWN),
    "npy": Source("npy:FILE|DIR", load_npy, DRAWN),
    "idx": Source("idx:DIR", load_idx, {}),
}
"""Every kind of source by its name. All take "limit", the most examples of each split,
and "validation", a share of "train" to hold out."""

ENDING_TO_KIND = {".parquet": "parquet", ".npz": "npz", ".npy": "npy"}


def load_data(
    spec: str | Dataset[Any] | Mapping[str, Dataset[Any]] | LightningDataModule, *, seed: int = 0
) -> ImageData:
    """Load labelled images: by name, from files, or from data sets of torch.

    Args:
        spec: "KIND" or "KIND:PATH", either with "?option=value&…" (`SOURCES` lists them); a torch Dataset of
            (image, label) pairs; several of them by split; or a Lightning data module.
        seed: decides what is drawn at random, unless the spec has a seed of its own.

    Raises:
        UnknownNameError: no such kind or option.
        FileError: a file is missing, truncated or of another kind.
        OptionError: an option is not what is expected.
        DataError: the content cannot be used; see `ImageData.create`.

    >>> data = load_data("digits?validation=0.1")
    >>> data.image_shape, data.num_classes, data.split_names
    ((1, 8, 8), 10, ('train', 'validation', 'test'))
    """
    if isinstance(spec, str):
        return _load_spec(spec, seed)
    if is_data_module(spec):
        return load_data_module(spec)
    if isinstance(spec, Mapping):
        return load_datasets(spec)
    if isinstance(spec, Dataset):
        return load_dataset(spec, seed=seed)
    raise DataError(
        f"a {type(spec).__name__} was given;"
        " expected a spec, a torch Dataset, a dict of them by split, or a LightningDataModule."
    )


def check_data_spec(spec: str) -> None:
    """Refuse a spec of a kind or with options that do not exist, without looking at any file.

    Raises:
        UnknownNameError, OptionError: as `load_data`.
    """
    parsed = parse_spec(spec)
    _read_options(parsed, _find_source(parsed, spec), 0)


def _load_spec(spec: str, seed: int) -> ImageData:
    parsed = parse_spec(spec)
    source = _find_source(parsed, spec)
    options = _read_options(parsed, source, seed)
    validation, limit = options.pop("validation", None), options.pop("limit", None)
    data = source.load(parsed.path, **options) if source.takes_path else source.load(**options)
    drawn_by = options.get("seed", seed)
    data = data if limit is None else limit_splits(data, limit, seed=drawn_by)
    return data if validation is None else hold_out(data, validation, seed=drawn_by)


def _find_source(parsed: Spec, spec: str) -> Source:
    source = SOURCES.get(parsed.kind)
    if source is None:
        forms = ", ".join(source.form for source in SOURCES.values())
        hint = _kind_of_path(spec) or did_you_mean(parsed.kind, SOURCES)
        raise UnknownNameError(f'no data set is named "{spec}".{hint}\n    Expected one of: {forms}.')
    if source.takes_path != bool(parsed.path):
        raise UnknownNameError(f'"{spec}" was given; expected "{source.form}".')
    return source


def _kind_of_path(spec: str) -> str:
    path = Path(spec.partition("?")[0])
    kind = "folder" if path.is_dir() else ENDING_TO_KIND.get(path.suffix)
    return f' Did you mean "{kind}:{spec}"?' if kind and path.exists() else ""


def _read_options(parsed: Spec, source: Source, seed: int) -> dict[str, Any]:
    readers = {**source.options, "validation": share, "limit": positive}
    options = read_options(parsed.options, readers, of=source.form)
    return {"seed": seed, **options} if "seed" in source.options else options
