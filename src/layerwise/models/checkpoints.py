"""read_checkpoint: the tensors in a file of weights, of whatever kind, without executing anything in it.

Kinds: safetensors, and what `torch.save` makes of a state dict, of a dict around one (Lightning's checkpoints too), or
of a whole network.
"""

from __future__ import annotations

import pickle
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from layerwise.errors import FileError, UnsafeFileError
from layerwise.models.inert_pickle import Placeholder, read_inert

__all__ = ["Checkpoint", "read_checkpoint"]

# Where training programs put the state dict, the likeliest first.
_USUAL_PLACES = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params")


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file by name, and the names of what lay beside them and was left out, as `module.name`."""

    tensors: Mapping[str, Tensor]
    ignored: tuple[str, ...] = ()


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the weights in a file, on the CPU.

    Raises:
        FileError: the file is missing, truncated or of another kind, or holds no weights.
        UnsafeFileError: no weights can be had without running the program in the file.
    """
    _check_readable(path)
    if _is_safetensors(path):
        return Checkpoint(_read_safetensors(path))
    content, ignored = _read_torch(path)
    tensors = _find_tensors(content)
    if not tensors:
        raise _no_tensors(path, content, ignored)
    return Checkpoint(tensors, ignored)


def _check_readable(path: Path) -> None:
    if path.is_dir():
        raise FileError(f"{path} is a folder; a file of weights is needed (.safetensors, .pt, .pth, .ckpt).")
    if not path.is_file():
        raise FileError(f"no file {path}.")
    if not path.stat().st_size:
        raise FileError(f"{path} is empty.")


def _is_safetensors(path: Path) -> bool:
    """A length of 8 bytes, then JSON."""
    with path.open("rb") as file:
        return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise FileError(f"{path} is truncated or is not a safetensors file ({error}).") from None
    if not tensors:
        raise FileError(f"{path} holds no weights.")
    return tensors


def _read_torch(path: Path) -> tuple[object, tuple[str, ...]]:
    _refuse_programs(path)
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        return _read_torch_inert(path)
    except Exception as error:  # a damaged file makes the reader fail in any way
        raise _damaged(path, error) from error
    return content, ()


def _read_torch_inert(path: Path) -> tuple[object, tuple[str, ...]]:
    try:
        return read_inert(path)
    except Exception as error:  # as above
        raise _damaged(path, error) from error


def _refuse_programs(path: Path) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(Path(name).name == "constants.pkl" for name in archive.namelist()):
                raise UnsafeFileError(
                    f"{path} is a TorchScript program, which would have to be run.\n"
                    "    Save its weights: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt')"
                )
    elif tarfile.is_tarfile(path):
        raise FileError(f"{path} is a tar archive; a file of weights is needed (.safetensors, .pt, .pth, .ckpt).")


def _damaged(path: Path, error: Exception) -> FileError:
    with path.open("rb") as file:
        start = file.read(2)
    if start in (b"PK", b"\x80\x02"):
        reason = str(error).partition("\n")[0].partition(". ")[0] or type(error).__name__
        return FileError(f"{path} is a torch file that is truncated or damaged ({reason}).")
    return FileError(f"{path} is neither a safetensors nor a torch file.")


def _no_tensors(path: Path, content: object, ignored: tuple[str, ...]) -> FileError:
    found = f"a dict with the keys {', '.join(map(repr, content))}" if isinstance(content, Mapping) else "no dict"
    if not ignored:
        return FileError(f"{path} holds no weights, but {found}. Save them with: torch.save(model.state_dict(), FILE)")
    return UnsafeFileError(
        f"{path} holds no weights that can be read without running the code it names: {', '.join(ignored)}.\n"
        "    Nothing was run. Save the weights where the file was made: torch.save(model.state_dict(), FILE)"
    )


def _find_tensors(content: object) -> dict[str, Tensor]:
    """The state dict in what was read: itself, or at one of the usual places, or at the only place where one is."""
    if isinstance(content, Placeholder):
        return dict(_tensors_of_network(content, ""))
    if not isinstance(content, Mapping):
        return {}
    tensors = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
    inner = {key: _find_tensors(value) for key, value in content.items() if isinstance(value, Mapping | Placeholder)}
    usual = [inner[key] for key in _USUAL_PLACES if inner.get(key)]
    if usual:
        return usual[0]
    others = [found for found in inner.values() if found]
    return others[0] if len(others) == 1 and not tensors else tensors


def _tensors_of_network(network: Placeholder, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """The state dict of a network that was saved whole: `nn.Module` keeps its parts in these dicts."""
    state = network.state if isinstance(network.state, Mapping) else {}
    passing = state.get("_non_persistent_buffers_set", ())
    for name, value in (*_items(state.get("_parameters")), *_items(state.get("_buffers"))):
        if isinstance(value, Tensor) and name not in passing:
            yield f"{prefix}{name}", value
    for name, module in _items(state.get("_modules")):
        if isinstance(module, Placeholder):
            yield from _tensors_of_network(module, f"{prefix}{name}.")


def _items(part: object) -> list[tuple[object, object]]:
    return list(part.items()) if isinstance(part, Mapping) else []
