"""load_weights: put the weights of a file into a network, all of them or none.

The names in a file often carry what was around the network when it was saved (`module.`, `model.`, `_orig_mod.`); a
prefix is taken off when the rest then fits. Everything that does not fit is told at once.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from layerwise.errors import ModelError, did_you_mean
from layerwise.models.checkpoints import read_checkpoint

__all__ = ["LoadReport", "load_weights"]

_SHOWN = 5

# torchvision's DenseNet files are older than the names of its layers.
_OLD_DENSE_LAYER = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")


@dataclass(frozen=True)
class LoadReport:
    """What was read from a file, and what was not.

    Attributes:
        path: the file.
        prefix: what was taken off the front of every name; usually nothing.
        ignored: classes and functions that the file names (`argparse.Namespace`); they were not imported and not run.
        unused: tensors outside the prefix, which belong to something else than the network.
    """

    path: Path
    prefix: str = ""
    ignored: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def describe(self) -> str:
        """In words: what of the file was left out; empty if nothing was."""
        lines = []
        if self.ignored:
            lines.append(f"left out of {self.path}, and not run: {', '.join(self.ignored)}.")
        if self.unused:
            lines.append(f'left out of {self.path}, not under "{self.prefix}": {_shorten(self.unused)}.')
        return " ".join(lines)


def load_weights(model: nn.Module, path: Path | str) -> LoadReport:
    """Put the weights of a file into a network, in place; if they do not fit, the network stays as it was.

    Reads safetensors, state dicts, dicts around one, Lightning checkpoints, and networks saved whole. Nothing in
    the file is executed: objects beside the tensors are left out, and named in the report.

    Raises:
        FileError: the file is missing, truncated or of another kind, or holds no weights.
        UnsafeFileError: no weights can be had without running the program in the file.
        ModelError: names are missing or unexpected, or shapes differ; the message lists all of it.
    """
    path = Path(path)
    checkpoint = read_checkpoint(path)
    tensors, prefix = _fit_names(checkpoint.tensors, model.state_dict())
    unused = [name for name in checkpoint.tensors if not name.startswith(prefix)]
    _load_all_or_nothing(model, tensors, path)
    return LoadReport(path=path, prefix=prefix, ignored=checkpoint.ignored, unused=tuple(unused))


def _fit_names(tensors: Mapping[str, Tensor], expected: Iterable[str]) -> tuple[dict[str, Tensor], str]:
    """The tensors under the prefix that fits best, under the network's names; and that prefix.

    Among prefixes that fit equally well the shortest wins: `model.` before `ema_model.`.
    """
    plain_to_own = {_plain(name): name for name in expected}

    def count_fitting(prefix: str) -> int:
        return sum(_plain(name.removeprefix(prefix)) in plain_to_own for name in tensors if name.startswith(prefix))

    best = max(sorted(_possible_prefixes(tensors, plain_to_own), key=len), key=count_fitting)
    under = {_plain(name.removeprefix(best)): tensor for name, tensor in tensors.items() if name.startswith(best)}
    return {plain_to_own.get(name, name): tensor for name, tensor in under.items()}, best


def _possible_prefixes(tensors: Iterable[str], known: Container[str]) -> set[str]:
    """Nothing, and whatever stands before a name that the network has."""
    found = {""}
    for name in tensors:
        parts = name.split(".")
        found |= {".".join(parts[:i]) + "." for i in range(1, len(parts)) if _plain(".".join(parts[i:])) in known}
    return found


def _plain(name: str) -> str:
    # torch.compile puts `_orig_mod.` in front of whatever it compiled, a part of the network too.
    return _OLD_DENSE_LAYER.sub(r"\1\2.", name.replace("_orig_mod.", ""))


def _load_all_or_nothing(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in _own_tensors(model).items()}
    misfits = [name for name, tensor in tensors.items() if name in before and tensor.shape != before[name].shape]
    fitting = {name: tensor for name, tensor in tensors.items() if name not in misfits}
    try:
        # Names are not compared by ourselves: some modules rename the parameters of their older versions as they load.
        result = model.load_state_dict(fitting, strict=False)
    except RuntimeError as error:
        model.load_state_dict(before, strict=False)
        raise ModelError(f"the weights in {path} do not fit {type(model).__name__}: {error}") from error
    missing = [name for name in result.missing_keys if name not in misfits and not _is_tied(name, model, fitting)]
    if missing or result.unexpected_keys or misfits:
        model.load_state_dict(before, strict=False)
        faults = _name_faults(missing, result.unexpected_keys) + _shape_faults(misfits, tensors, before)
        raise ModelError("\n    ".join([f"the weights in {path} do not fit {type(model).__name__}:", *faults]))


def _is_tied(name: str, model: nn.Module, loaded: Container[str]) -> bool:
    """Whether a tensor is one that came under another name: files often hold shared weights once."""
    own = _own_tensors(model)
    return name in own and any(other in loaded and own[name].data_ptr() == own[other].data_ptr() != 0 for other in own)


def _own_tensors(model: nn.Module) -> dict[str, Tensor]:
    return {
        name: value for name, value in model.state_dict().items() if isinstance(value, Tensor) and not is_lazy(value)
    }


def _name_faults(missing: list[str], unexpected: list[str]) -> list[str]:
    faults = []
    if missing:
        # Among many names of another network some always look alike.
        near = unexpected if len(missing) <= _SHOWN else []
        faults.append(f"{len(missing)} missing in the file: {_shorten([_with_near(name, near) for name in missing])}")
    if unexpected:
        faults.append(f"{len(unexpected)} unknown to the network: {_shorten(unexpected)}")
    return faults


def _shape_faults(misfits: list[str], given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    if not misfits:
        return []
    shapes = [f"{name} is {_size(given[name])} in the file, {_size(own[name])} in the network" for name in misfits]
    faults = [f"{len(misfits)} of another shape: {_shorten(shapes)}"]
    head = [name for name in own if own[name].ndim > 1][-1:]
    if head and head[0] in misfits and given[head[0]].shape[1:] == own[head[0]].shape[1:]:
        classes = len(given[head[0]])
        faults.append(
            f"The file's network has {classes} classes, this one {len(own[head[0]])}: "
            f"give num_classes={classes}, or images of {classes} classes."
        )
    stem = [name for name in own if own[name].ndim > 1][:1]
    if stem and stem[0] in misfits and given[stem[0]].ndim == own[stem[0]].ndim == 4:
        channels, here = given[stem[0]].shape[1], own[stem[0]].shape[1]
        if channels != here:
            faults.append(
                f"The file's network takes {channels} channels, this one {here}: "
                f"give in_channels={channels}, or images of {channels} channels."
            )
    return faults


def _size(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"


def _with_near(name: str, known: list[str]) -> str:
    near = did_you_mean(name, known).strip()
    return f"{name} ({near})" if near else name


def _shorten(names: Sequence[str]) -> str:
    text = "; ".join(names[:_SHOWN])
    return f"{text}; and {len(names) - _SHOWN} more" if len(names) > _SHOWN else text
