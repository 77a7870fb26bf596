"""Encoder: fit, transform, save and load, as scikit-learn's estimators; the numbers of a network in one file."""

from __future__ import annotations

import json
import numbers
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import safetensors
import safetensors.torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from layerwise.errors import FileError, InputError, ShapeError
from layerwise.runs import atomic_path

KEY = "layerwise.encoder"


class Encoder(TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Vectors (N, D) to codes (N, d).

    Subclasses set `tensors_` in `fit`: all that `transform` needs.
    """

    tensors_: dict[str, Tensor]
    n_features_in_: int

    @abstractmethod
    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: N803
        """Learn from vectors (N, D); `y` is ignored."""

    @abstractmethod
    def _encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Codes of checked vectors."""

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """The codes (N, d) of vectors (N, D)."""
        check_is_fitted(self, "tensors_")
        return self._encode(self._checked(X, reset=False))

    def save(self, path: Path | str) -> None:
        """Write the fitted encoder: its settings and its numbers, in one safetensors file."""
        check_is_fitted(self, "tensors_")
        facts = {"kind": type(self).__name__, "settings": self.get_params(), "features": self.n_features_in_}
        tensors = {name: value.contiguous() for name, value in self.tensors_.items()}
        with atomic_path(Path(path)) as temporary:
            safetensors.torch.save_file(tensors, temporary, metadata={KEY: json.dumps(facts, default=_plain)})

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote.

        Raises:
            FileError: the file is missing, damaged, or of another kind of encoder.
        """
        try:
            with safetensors.safe_open(str(path), framework="pt") as file:
                facts = json.loads((file.metadata() or {})[KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            kind, features = str(facts["kind"]), int(facts["features"])
            encoder = cls(**facts["settings"]) if kind == cls.__name__ else None
            if encoder is not None:
                encoder.tensors_, encoder.n_features_in_ = tensors, features
                encoder._try()
        except FileNotFoundError:
            raise FileError(f"no file {path}.") from None
        except (
            AttributeError, KeyError, RuntimeError, TypeError, ValueError, OSError, safetensors.SafetensorError
        ) as error:  # fmt: skip
            raise FileError(f"{path} is no encoder that layerwise saved ({error}).") from error
        if encoder is None:
            raise FileError(
                f"{path} holds a {kind}, not a {cls.__name__}.\n    Read it with: {kind}.load({str(path)!r})"
            )
        return encoder

    def _try(self) -> None:
        """Encode a vector of zeros.

        Raises:
            ValueError: the numbers in the file do not fit its settings, or are NaN; and what else torch says of it.
        """
        held = sum(value.numel() for value in self.tensors_.values())
        hidden = getattr(self, "hidden", ())
        if max(hidden, default=0) > held:
            raise ValueError(f"layers of {max(hidden)} numbers cannot be in a file of {held}")
        codes = self._encode(np.zeros((1, self.n_features_in_), np.float32))
        if not (np.isfinite(codes).all() and all(bool(value.isfinite().all()) for value in self.tensors_.values())):
            raise ValueError("it holds NaN or infinity")

    def _checked(self, vectors: ArrayLike, *, reset: bool) -> NDArray[np.float32]:
        checked: NDArray[np.float32] = validate_data(
            self, vectors, reset=reset, dtype=np.float32, ensure_min_samples=2 if reset else 1
        )
        return checked

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class ReversibleEncoder(Encoder):
    """An encoder with a way back."""

    @property
    @abstractmethod
    def _code_dims(self) -> int:
        """d, of the fitted encoder."""

    @abstractmethod
    def _decode(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reconstructions of checked codes."""

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float32]:  # noqa: N803
        """The reconstructions (N, D) of codes (N, d).

        Raises:
            ShapeError: the codes are of another width.
        """
        check_is_fitted(self, "tensors_")
        codes = np.asarray(X, np.float32)
        if codes.ndim != 2 or codes.shape[1] != self._code_dims:
            raise ShapeError(f"codes (N, {self._code_dims}) are expected; got {codes.shape}.")
        return self._decode(codes)


def check_whole(**values: object) -> None:
    """Refuse what is not a whole number from 1.

    Raises:
        InputError: tells all of them.
    """
    wrong = [
        f"{name} = {value!r}"
        for name, value in values.items()
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1
    ]
    if wrong:
        raise InputError(f"{', '.join(wrong)}: give whole numbers from 1.")


def check_widths(hidden: object) -> None:
    """Refuse what is not a sequence of whole numbers from 1, the widths of layers.

    Raises:
        InputError: tells what was given.
    """
    if isinstance(hidden, str | np.ndarray) or not isinstance(hidden, Sequence):
        raise InputError(f"hidden = {hidden!r}: give the widths of the layers, such as (512, 128).")
    check_whole(**{f"hidden[{place}]": width for place, width in enumerate(hidden)})


def _plain(value: object) -> object:
    """NumPy's numbers, which JSON does not know, as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no setting that can be saved.")
