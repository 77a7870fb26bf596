"""The run folder: whole files or none, and notes that can be read back."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerwise.errors import FileError, RunError
from layerwise.runs import (
    atomic_path,
    note_step,
    read_array,
    read_json,
    read_table,
    steps_of,
    write_array,
    write_json,
    write_table,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail_half_way() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_that_says_so_and_leaves_the_folder_untouched(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fill() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("n")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RunError) as caught:
        fill()
    assert str(caught.value) == (
        f"the disk is full: {path} could not be written, and is as it was before.\n"
        "    Free some space, or choose another folder, and run the same command again."
    )
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_other_system_errors_are_not_called_a_full_disk(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_path(tmp_path / "a"):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        fail()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    array, table = np.arange(6).reshape(2, 3), pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    write_array(tmp_path / "a.npy", array)
    write_table(tmp_path / "t.parquet", table)
    write_json(tmp_path / "j.json", {"é": [1]})
    assert read_array(tmp_path / "a.npy").tolist() == array.tolist()
    assert read_array(tmp_path / "a.npy", mapped=True).tolist() == array.tolist()
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), table, check_dtype=False)
    assert read_json(tmp_path / "j.json") == {"é": [1]}


def test_numbers_that_json_has_no_word_for_are_null(tmp_path: Path) -> None:
    write_json(tmp_path / "j.json", {"nan": [float("nan")], 1: (np.float64("-inf"), 2.5)})
    told = json.loads((tmp_path / "j.json").read_text(), parse_constant=pytest.fail)
    assert told == {"nan": [None], "1": [None, 2.5]}


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": [f"x{n}" for n in range(100)], "depth": np.arange(100)})
    write_table(tmp_path / "one", table)
    write_table(tmp_path / "two", table)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_mapped_array_may_be_changed_and_its_file_stays(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.zeros(3))
    mapped = read_array(tmp_path / "a.npy", mapped=True)
    assert isinstance(mapped, np.memmap)
    mapped[:] = 1
    assert read_array(tmp_path / "a.npy").tolist() == [0, 0, 0]


def test_a_single_number_is_no_array(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.array(3))
    with pytest.raises(FileError) as caught:
        read_array(tmp_path / "a.npy")
    assert str(caught.value) == f"{tmp_path / 'a.npy'} holds a single number; an array is expected."


@pytest.mark.parametrize(("name", "read"), [("a.npy", read_array), ("t.parquet", read_table), ("j.json", read_json)])
def test_missing_and_truncated_files_are_named(tmp_path: Path, name: str, read: object) -> None:
    path = tmp_path / name
    with pytest.raises(FileError, match=f"no file {path}"):
        read(path)  # type: ignore[operator]
    write_array(tmp_path / "a.npy", np.arange(1000))
    write_table(tmp_path / "t.parquet", pd.DataFrame({"a": range(1000)}))
    write_json(tmp_path / "j.json", list(range(1000)))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileError, match=f"{path} is not .*, or is truncated"):
        read(path)  # type: ignore[operator]


def test_an_array_whose_pickle_would_run_code_is_not_unpickled(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (open, (str(tmp_path / "made-by-the-pickle"),))

    np.save(tmp_path / "a.npy", np.array([Payload()], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match="is not a NumPy array"):
        read_array(tmp_path / "a.npy")


def test_steps_add_up_and_say_the_versions(tmp_path: Path) -> None:
    assert steps_of(tmp_path) == {}
    note_step(tmp_path, "train", {"seed": 3})
    note_step(tmp_path, "difficulty", {"k": 30})
    steps = steps_of(tmp_path)
    assert list(steps) == ["train", "difficulty"]
    assert steps["train"]["seed"] == 3
    assert {"python", "torch", "layerwise"} <= set(steps["difficulty"]["versions"])


def test_a_run_of_a_newer_format_or_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": 99, "steps": {}}))
    with pytest.raises(RunError, match="was written in format 99; this layerwise reads 1"):
        steps_of(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"steps": {}}))
    with pytest.raises(FileError, match="names no format, so it is no run's"):
        steps_of(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(FileError, match="does not describe a run"):
        steps_of(tmp_path)
