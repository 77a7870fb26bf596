"""Networks of the user's own: `FILE.py:NAME`, a function or a class that makes one, or the network itself."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from layerwise.errors import FileError, ModelError, UnknownNameError, did_you_mean

__all__ = ["is_file_spec", "load_from_file"]


def is_file_spec(spec: str) -> bool:
    """Whether a name means a Python file.

    >>> is_file_spec("nets.py:small"), is_file_spec("nets.py"), is_file_spec("resnet18")
    (True, True, False)
    """
    return spec.endswith(".py") or ".py:" in spec


def load_from_file(spec: str, *, num_classes: int, in_channels: int) -> nn.Module:
    """Run the file and make the network.

    A function or class is called with `num_classes` and `in_channels` where it takes them. The file is the user's
    own program: it is run, with its folder on the import path.

    Raises:
        FileError: there is no such file.
        UnknownNameError: the file defines no such name.
        ModelError: the file or the call fails, or gives something that is not an `nn.Module`.
    """
    path_text, _, name = spec.rpartition(":") if ".py:" in spec else (spec, "", "")
    path = Path(path_text).expanduser()
    if not path.is_file():
        raise FileError(f"no file {path}. A network of your own is written FILE.py:NAME.")
    module = _run_file(path)
    found = _find_network(module, name, path)
    if isinstance(found, nn.Module):
        return found
    return _build(found, f"{path}:{name}", offered={"num_classes": num_classes, "in_channels": in_channels})


def _run_file(path: Path) -> ModuleType:
    module_name = f"layerwise_file_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    specification = importlib.util.spec_from_file_location(module_name, path)
    if specification is None or specification.loader is None:
        raise FileError(f"{path} cannot be run as Python.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[module_name] = module
    with _folder_on_path(path.resolve().parent):
        try:
            specification.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise ModelError(f"{path} fails when it is run: {type(error).__name__}: {error}") from error
    return module


@contextmanager
def _folder_on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _find_network(module: ModuleType, name: str, path: Path) -> nn.Module | Callable[..., Any]:
    defined = _networks_defined(module)
    listed = f"{path} defines: {', '.join(defined)}." if defined else f"{path} defines no function, class or network."
    if not name:
        raise UnknownNameError(f"{path} needs the name of a network after a colon: {path}:NAME.\n    {listed}")
    found = getattr(module, name, None)
    if found is None:
        raise UnknownNameError(f'{path} defines no "{name}".{did_you_mean(name, defined)}\n    {listed}')
    if not callable(found):  # an nn.Module is callable too
        raise ModelError(
            f'"{name}" in {path} is of type {type(found).__name__}; a network, or what makes one, is needed.'
            f"\n    {listed}"
        )
    network: nn.Module | Callable[..., Any] = found
    return network


def _networks_defined(module: ModuleType) -> list[str]:
    """What the file itself makes that could be a network, in its order; not what it imports."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (isinstance(value, nn.Module) or (callable(value) and getattr(value, "__module__", "") == module.__name__))
    ]


def _build(make: Callable[..., Any], title: str, *, offered: dict[str, int]) -> nn.Module:
    taken = _arguments_for(make, title, offered)
    try:
        made = make(**taken)
    except Exception as error:
        called = ", ".join(f"{name}={value}" for name, value in taken.items())
        raise ModelError(f"{title}({called}) fails: {type(error).__name__}: {error}") from error
    if not isinstance(made, nn.Module):
        raise ModelError(f"{title} gives an object of type {type(made).__name__}; a torch.nn.Module is needed.")
    return made


def _arguments_for(make: Callable[..., Any], title: str, offered: dict[str, int]) -> dict[str, int]:
    try:
        parameters = inspect.signature(make).parameters.values()
    except ValueError as error:  # some callables written in C do not tell
        raise ModelError(f"{title} does not tell what it takes, so it cannot be called: {error}") from error
    unknown = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    unknown = [name for name in unknown if name not in offered]
    if unknown:
        raise ModelError(
            f"{title} needs {', '.join(unknown)}, which layerwise cannot know.\n"
            "    Give them defaults, or name a function that makes the network: def network(num_classes): …"
        )
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    named = {p.name for p in parameters}
    # Behind **kwargs only num_classes is sure to be understood: torchvision's builders refuse in_channels.
    return {name: value for name, value in offered.items() if name in named or (takes_any and name == "num_classes")}
