"""load_library, lane_width: lanes.cpp, compiled on first use for this processor and kept."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import torch

from layerwise.errors import NoCompilerError
from layerwise.runs import atomic_path

SOURCE = Path(__file__).with_name("lanes.cpp")
COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared", "-fno-math-errno")


@lru_cache(maxsize=1)
def load_library() -> ctypes.CDLL:
    """The compiled library.

    Raises:
        NoCompilerError: there is no C++ compiler, or it refuses.
    """
    compiler = os.environ.get("CXX") or next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        raise NoCompilerError(f"there is no C++ compiler here ({', '.join(COMPILERS)}).")
    path = _cache() / f"lanes-{_key(compiler)}.so"
    if not path.exists():
        _compile(compiler, path)
    library = ctypes.CDLL(str(path))
    library.lanes_create.restype = ctypes.c_void_p
    for name in ("destroy", "bind", "epoch", "logits", "gradients"):
        getattr(library, f"lanes_{name}").restype = None
    return library


def lane_width() -> int:
    """How many networks one vector of this processor holds; 0 where nothing can be compiled."""
    try:
        return int(load_library().lanes_width())
    except NoCompilerError:
        return 0


def _compile(compiler: str, path: Path) -> None:
    with atomic_path(path) as temporary:
        made = subprocess.run(
            [compiler, *FLAGS, str(SOURCE), "-o", str(temporary)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise NoCompilerError(f"{compiler} cannot compile {SOURCE.name}: {made.stderr.strip()[:300]}")


def _key(compiler: str) -> str:
    """Another source, compiler or processor needs another library."""
    told = [
        SOURCE.read_text(),
        *FLAGS,
        subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout,
        platform.machine(),
        platform.processor(),
        torch.backends.cpu.get_cpu_capability(),
    ]
    return hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:16]


def _cache() -> Path:
    """Where compiled libraries are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "layerwise"
