"""The run folder: every file is written to a temporary name and renamed, so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import math
import platform
import re
import resource
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.errors import FileError, LayerwiseError, RunError

RUN_FILE = "run.json"
RUN_FORMAT = 1

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
BLOCK_BYTES = 4096
LEFT_AFTER_S = 3600
"""A temporary file that was not written to for so long is nobody's any more."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary sibling of `path` to write to; renamed to `path` at the end, removed if anything fails.

    Raises:
        RunError: the disk is full; what was there before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except Exception as error:
        if _disk_was_full(error, path.parent):
            raise RunError(
                f"the disk is full: {path} could not be written, and is as it was before.\n"
                "    Free some space, or choose another folder, and run the same command again."
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _disk_was_full(error: Exception, folder: Path) -> bool:
    if isinstance(error, LayerwiseError):
        return False
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL_DISK
    # safetensors says the number in words; NumPy and torch only that they could not write.
    in_words = any(f"(os error {number})" in str(error) for number in FULL_DISK)
    return in_words or shutil.disk_usage(folder).free < BLOCK_BYTES


def as_file_name(text: str) -> str:
    """Words as part of a file's name: characters that file systems may refuse become "-", at most 100 of them.

    >>> as_file_name("features.1/conv")
    'features.1-conv'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:100]


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value, whole or not at all; what is not known (NaN) is null."""
    write_all(path.parent, {path.name: value})


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, whole or not at all; the same table gives the same bytes."""
    write_all(path.parent, {path.name: table})


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as `.npy`, whole or not at all."""
    write_all(path.parent, {path.name: array})


def write_all(folder: Path, name_to_content: Mapping[str, Any]) -> None:
    """Write tables as Parquet, arrays as `.npy` and other values as JSON: all files, or, if one fails, none.

    The file that is named first gets its name last: it may say that the others are there.
    """
    with contextlib.ExitStack() as waiting:
        for name, content in name_to_content.items():
            _remove_leftovers(folder / name)
            _write(waiting.enter_context(atomic_path(folder / name)), content)


def _write(path: Path, content: Any) -> None:
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path, index=False)
    elif isinstance(content, np.ndarray):
        with path.open("wb") as file:
            np.save(file, content, allow_pickle=False)
    else:
        told = json.dumps(json_values(content), indent=2, ensure_ascii=False, allow_nan=False)
        path.write_text(told + "\n", encoding="utf-8")


def json_values(value: Any) -> Any:
    """What JSON has a word for: numbers that are not finite become None.

    >>> json_values({"mean": 0.5, "interval": (float("nan"), float("inf"))})
    {'mean': 0.5, 'interval': [None, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): json_values(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_values(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _remove_leftovers(path: Path) -> None:
    """What a writer of this file left when it was killed; a younger one may belong to a process that still writes."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with contextlib.suppress(FileNotFoundError):  # another process may remove it, too
            if time.time() - leftover.stat().st_mtime > LEFT_AFTER_S:
                leftover.unlink()


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        FileError: the file is missing, or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise FileError(f"no file {path}.") from None
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a ValueError, too
        raise FileError(f"{path} is not JSON, or is truncated ({error}).") from None


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises:
        FileError: the file is missing, is not JSON, or holds something else.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise FileError(f"{path} is damaged: it holds no JSON object.")
    return found


def note_step(run: Path, step: str, facts: dict[str, Any]) -> None:
    """Add to run.json what a command did: its facts, the time, its peak memory, and the versions of what it ran on."""
    write_json(run / RUN_FILE, with_step(run, step, facts))


def with_step(run: Path, step: str, facts: dict[str, Any]) -> dict[str, Any]:
    """What `note_step` writes, for those who write it together with other files."""
    told = {**facts, "finished": _now(), "peak_memory_bytes": peak_memory_bytes(), "versions": versions()}
    steps = {**steps_of(run), step: told}
    return {"format": RUN_FORMAT, "steps": steps}


def steps_of(run: Path) -> dict[str, Any]:
    """The commands that have finished in a run folder, by name, with their facts; empty if it is no run yet.

    Raises:
        FileError: run.json is damaged.
        RunError: it was written by a newer layerwise.
    """
    path = run / RUN_FILE
    if not path.exists():
        return {}
    noted = read_json(path)
    steps = noted.get("steps") if isinstance(noted, dict) else None
    if not isinstance(steps, dict) or not all(isinstance(facts, dict) for facts in steps.values()):
        raise FileError(f"{path} does not describe a run. Choose another folder, or remove this one.")
    if "format" not in noted:
        raise FileError(f"{path} names no format, so it is no run's. Choose another folder, or remove this one.")
    if noted["format"] != RUN_FORMAT:
        raise RunError(
            f"{run} was written in format {noted['format']}; this layerwise reads {RUN_FORMAT}. Update layerwise."
        )
    return steps


def versions() -> dict[str, str]:
    """The versions that a number may depend on."""
    found = {name: _version(name) for name in ("layerwise", "torch", "torchvision", "numpy", "pandas")}
    return {"python": platform.python_version(), **found, "platform": platform.platform()}


def peak_memory_bytes() -> int:
    """The most memory that this process has held so far."""
    # macOS counts in bytes, others in kilobytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        FileError: it is missing, truncated or of another kind.
    """
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise FileError(f"no file {path}.") from None
    except (ValueError, OSError) as error:
        raise FileError(f"{path} is not a Parquet table, or is truncated ({_first_line(error)}).") from None


def read_array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    """Read an `.npy` file, or map it into memory, where it may be changed without changing the file; never a pickle.

    Raises:
        FileError: it is missing, truncated, not an array, or a single number.
    """
    try:
        # Not "r": torch takes no read-only memory.
        array: NDArray[Any] = np.load(path, mmap_mode="c" if mapped else None, allow_pickle=False)
    except FileNotFoundError:
        raise FileError(f"no file {path}.") from None
    except (ValueError, EOFError, OSError) as error:
        raise FileError(f"{path} is not a NumPy array, or is truncated ({_first_line(error)}).") from None
    if array.ndim == 0:
        raise FileError(f"{path} holds a single number; an array is expected.")
    return array


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
