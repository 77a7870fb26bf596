"""load_library, lane_width: lanes.cpp, compiled on first use for this processor and kept."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from layerwise.errors import NoCompilerError, RunError
from layerwise.runs import atomic_path

SOURCE = Path(__file__).with_name("lanes.cpp")
COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared", "-fno-math-errno")


def load_library() -> ctypes.CDLL:
    """The compiled library.

    Raises:
        NoCompilerError: there is no C++ compiler, it refuses, or what it makes cannot be kept or loaded.
    """
    library = _library_or_reason()
    if isinstance(library, str):
        raise NoCompilerError(library)
    return library


@lru_cache(maxsize=1)
def _library_or_reason() -> ctypes.CDLL | str:
    """The library, or why there is none; so a compiler that refuses is asked once."""
    try:
        library = ctypes.CDLL(str(_compiled()))
    except (NoCompilerError, RunError) as error:
        return str(error)
    except (OSError, RuntimeError, ValueError) as error:  # no home, no room, a home whose files may not be run
        return f"{SOURCE.name} cannot be compiled, kept or loaded: {error}"
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


def _compiled() -> Path:
    """The library's file, compiled unless it is there."""
    compiler = _compiler()
    path = _cache() / f"lanes-{_key(compiler)}.so"
    if not path.exists():
        with atomic_path(path) as temporary:
            made = _run([*compiler, *FLAGS, str(SOURCE), "-o", str(temporary)])
            if made.returncode:
                words = f"{shlex.join(compiler)} cannot compile {SOURCE.name}: {made.stderr.strip()[:300]}"
                raise NoCompilerError(words)
    return path


def _compiler() -> list[str]:
    """The command: CXX, which may have arguments, or the first that is there."""
    given = shlex.split(os.environ.get("CXX", ""))
    found = given or [path for name in COMPILERS if (path := shutil.which(name))][:1]
    if not found:
        raise NoCompilerError(f"there is no C++ compiler here ({', '.join(COMPILERS)}).")
    return found


def _key(compiler: Sequence[str]) -> str:
    """Another source, compiler or processor needs another library; its macros name the compiler and the processor."""
    macros = _run([*compiler, "-march=native", "-dM", "-E", "-x", "c++", os.devnull]).stdout
    told = [SOURCE.read_text(), *FLAGS, shlex.join(compiler), macros]
    return hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:16]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _cache() -> Path:
    """Where compiled libraries are kept; a home may be that of unlike machines."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "layerwise"
