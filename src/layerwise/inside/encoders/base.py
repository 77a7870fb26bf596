"""Encoder: fit, transform, save and load, as scikit-learn's estimators; the numbers of a network in one file."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
import safetensors
import safetensors.torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from layerwise.errors import FileError
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
            kind, features = facts["kind"], int(facts["features"])
            encoder = cls(**facts["settings"]) if kind == cls.__name__ else None
        except FileNotFoundError:
            raise FileError(f"no file {path}.") from None
        except (KeyError, TypeError, ValueError, OSError, safetensors.SafetensorError) as error:
            raise FileError(f"{path} is no encoder that layerwise saved ({error}).") from error
        if encoder is None:
            raise FileError(
                f"{path} holds a {kind}, not a {cls.__name__}.\n    Read it with: {kind}.load({str(path)!r})"
            )
        encoder.tensors_, encoder.n_features_in_ = tensors, features
        return encoder

    def _checked(self, vectors: ArrayLike, *, reset: bool) -> NDArray[np.float32]:
        checked: NDArray[np.float32] = validate_data(
            self, vectors, reset=reset, dtype=np.float32, ensure_min_samples=2 if reset else 1
        )
        return checked

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _plain(value: object) -> object:
    """NumPy's numbers, which JSON does not know, as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no setting that can be saved.")
