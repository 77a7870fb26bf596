"""save_model and read_model: a network in a run folder, as `model.safetensors` and `model.json`; fingerprint: its name.

safetensors holds numbers only, and the JSON says how to build the network they belong to. If it says a `FILE.py`, that
is a program which the folder chooses: it is run only for who trusts it.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from layerwise.errors import FileError, InputError, ModelError
from layerwise.models.catalog import load_model
from layerwise.models.from_file import is_file_spec
from layerwise.models.loading import load_weights
from layerwise.models.preprocessing import Preprocessing
from layerwise.runs import atomic_path, read_json, write_json

__all__ = ["ModelDescription", "SavedModel", "fingerprint", "read_description", "read_model", "save_model"]

WEIGHTS_FILE = "model.safetensors"
DESCRIPTION_FILE = "model.json"


@dataclass(frozen=True)
class ModelDescription:
    """How to build a network, and what it takes and tells.

    Attributes:
        spec: a name for `load_model`; None for a network that was made in Python.
        num_classes: K.
        image_shape: (C, H, W).
        class_names: K names.
        preprocessing: what stands before the network; None for pixels in [0, 1] as they are.

    Raises:
        InputError: the number of class names or of preprocessed channels differs from K or C.
    """

    spec: str | None
    num_classes: int
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    preprocessing: Preprocessing | None = None

    def __post_init__(self) -> None:
        if len(self.class_names) != self.num_classes:
            raise InputError(f"{self.num_classes} classes need as many names; got {len(self.class_names)}.")
        if self.preprocessing and len(self.preprocessing.mean) != self.in_channels:
            raise InputError(
                f"images of {self.in_channels} channels need a preprocessing of as many; "
                f"got {len(self.preprocessing.mean)}."
            )

    @property
    def in_channels(self) -> int:
        """C of the images."""
        return self.image_shape[0]

    @property
    def needs_code(self) -> bool:
        """Whether a Python file has to be run to build the network."""
        return self.spec is not None and is_file_spec(self.spec)


@dataclass(frozen=True)
class SavedModel:
    """A network and its description."""

    model: nn.Module
    description: ModelDescription


def save_model(run: Path | str, model: nn.Module, description: ModelDescription) -> None:
    """Write a network into a run folder: first its weights, then its description, each whole or not at all.

    Weights that are shared under several names are written once for each: then every name can be read.
    """
    run = Path(run)
    tensors = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in model.state_dict().items()
        if isinstance(value, Tensor)
    }
    with atomic_path(run / WEIGHTS_FILE) as temporary:
        safetensors.torch.save_file(tensors, temporary)
    write_json(run / DESCRIPTION_FILE, {**asdict(description), "in_channels": description.in_channels})


def read_model(run: Path | str, model: nn.Module | None = None, *, trust_code: bool = False) -> SavedModel:
    """The network of a run folder, in evaluation mode, on the CPU.

    Args:
        run: a folder that `save_model` has written to.
        model: the network to put the weights into; needed if it was made in Python, since then no name rebuilds it.
        trust_code: whether a `FILE.py` that the folder names may be run. A run folder may come from a stranger.

    Raises:
        FileError: a file is missing, damaged or of another kind.
        ModelError: the weights do not fit the network, or a file would have to be run and `trust_code` is not given.
        InputError: the network was made in Python and none is given.
    """
    run = Path(run)
    description = read_description(run)
    if model is None:
        model = _rebuild(description, run, trust_code=trust_code)
    load_weights(model, run / WEIGHTS_FILE)
    return SavedModel(model.eval(), description)


def _rebuild(description: ModelDescription, run: Path, *, trust_code: bool) -> nn.Module:
    spec = description.spec
    if spec is None:
        raise InputError(
            f"the network in {run} was made in Python, so no name rebuilds it.\n"
            "    Give the network: --model FILE.py:NAME (model=...)."
        )
    if description.needs_code and not trust_code:
        raise ModelError(
            f"{run} names {visible(spec)} as its network: this file would have to be run, and was not.\n"
            "    A run folder may come from a stranger, and a program can do anything. If you trust it: --trust-code "
            "(trust_code=True).\n    Or name a network of your own: --model FILE.py:NAME (model=...)."
        )
    try:
        return load_model(spec, num_classes=description.num_classes, in_channels=description.in_channels)
    except FileError as error:
        raise FileError(
            f"{error}\n    {run} names it; if it lies elsewhere now, say where: --model FILE.py:NAME (model=...)."
        ) from error


def visible(text: str) -> str:
    """A text of a stranger's, without characters that could hide a part of it on a terminal.

    >>> visible("net.py:net\\x1b[2K")
    'net.py:net\\\\x1b[2K'
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def read_description(run: Path) -> ModelDescription:
    """What model.json says of the network of a run folder; nothing is built or run.

    Raises:
        FileError: model.json is missing or damaged.
    """
    path = run / DESCRIPTION_FILE
    values = read_json(path)
    try:
        return _description_from(values)
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path} does not describe a network ({type(error).__name__}: {error}).") from error


def _description_from(values: dict[str, Any]) -> ModelDescription:
    channels, height, width = values["image_shape"]
    preprocessing = values["preprocessing"]
    return ModelDescription(
        spec=None if values["spec"] is None else str(values["spec"]),
        num_classes=int(values["num_classes"]),
        image_shape=(int(channels), int(height), int(width)),
        class_names=tuple(map(str, values["class_names"])),
        preprocessing=None if preprocessing is None else Preprocessing.from_dict(preprocessing),
    )


def fingerprint(model: nn.Module) -> str:
    """SHA-256, in hexadecimal, of the names, types, shapes and bytes of the network's parameters and buffers.

    Equal weights give the same fingerprint, on whatever device they lie.
    """
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        if isinstance(value, Tensor):
            digest.update(f"{name}\x1f{value.dtype}\x1f{tuple(value.shape)}\x1f".encode())
            digest.update(_bytes_of(value))
    return digest.hexdigest()


def _bytes_of(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes()
