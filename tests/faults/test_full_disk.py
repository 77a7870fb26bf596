"""A disk that is full: a folder is as it was, and says what to do; where a small disk can be mounted, in earnest."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch

from layerwise.errors import NonFiniteError, RunError
from layerwise.runs import atomic_path, write_all, write_array, write_table, write_text
from small_disks import full, small_disk

pytestmark = pytest.mark.slow


def save_weights(path: Path) -> None:
    with atomic_path(path) as temporary:
        safetensors.torch.save_file({"w": torch.zeros(50_000)}, temporary)


def save_checkpoint(path: Path) -> None:
    with atomic_path(path) as temporary:
        torch.save({"w": torch.zeros(50_000)}, temporary)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_text(path, "x" * 200_000),
        lambda path: write_array(path, np.zeros(50_000)),
        lambda path: write_table(path, pd.DataFrame({"x": np.random.default_rng(0).random(50_000)})),
        save_weights,
        save_checkpoint,
    ],
    ids=["text", "array", "table", "safetensors", "torch"],
)
def test_every_writer_tells_a_full_disk_in_the_same_words(tmp_path: Path, write: Callable[[Path], None]) -> None:
    with small_disk(tmp_path / "disk", "100k"):
        path = tmp_path / "disk" / "file"
        path.write_text("before")
        with pytest.raises(RunError) as caught:
            write(path)
        assert str(caught.value) == full(str(path))
        assert [(file.name, file.read_text()) for file in path.parent.iterdir()] == [("file", "before")]


def test_a_measurement_that_does_not_fit_replaces_nothing_and_goes_on_when_there_is_room(cli: Any, toys: Path) -> None:
    with small_disk(Path("disk"), "128k"):
        shutil.copytree("measured", "disk/run")
        before = cli.files("disk/run")
        ballast = Path("disk/ballast")
        ballast.write_bytes(bytes(shutil.disk_usage("disk").free - 48 * 1024))  # room for the taps, not for the tables
        outcome = cli("difficulty", "disk/run", "--trust-code", "--k", 7, "--again")
        assert (outcome.code, outcome.out) == (2, "")
        file = outcome.err.removeprefix("RunError: the disk is full: disk/run/").partition(" ")[0]
        assert outcome.err == f"RunError: {full(f'disk/run/{file}')}\n"
        after = cli.files("disk/run")
        assert {name: content for name, content in after.items() if not name.startswith("partial/")} == before
        assert "partial/05-softmax.npy" in after
        ballast.unlink()
        assert cli("difficulty", "disk/run", "--trust-code", "--k", 7, "--again").code == 0
        assert not Path("disk/run/partial").exists()
    assert cli("difficulty", "trained", "--trust-code", "--k", 7).code == 0


def test_a_report_that_does_not_fit_leaves_the_old_one(cli: Any, toys: Path) -> None:
    with small_disk(Path("disk"), "160k"):
        shutil.copytree("measured", "disk/run")
        Path("disk/run/report.html").write_text("old")
        outcome = cli("report", "disk/run")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith("RunError: the disk is full: disk/run/")
        assert Path("disk/run/report.html").read_text() == "old"
        assert [name for name in cli.files("disk/run") if name.endswith(".tmp")] == []


def test_files_that_belong_together_are_written_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all(tmp_path, {"run.json": {"k": 1}, "votes.npy": np.zeros(2)})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(RunError) as caught:
        write_all(tmp_path, {"run.json": {"k": 2}, "new.json": {}, "votes.npy": np.ones(2)})
    assert str(caught.value) == full(str(tmp_path / "votes.npy"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_first_named_file_appears_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    appeared: list[str] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        appeared.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    write_all(tmp_path, {"run.json": {}, "examples.parquet": pd.DataFrame({"a": [1]}), "votes.npy": np.zeros(2)})
    assert appeared == ["votes.npy", "examples.parquet", "run.json"]


def test_other_faults_are_not_called_a_full_disk_though_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: (1, 1, 0))
    for error in (NonFiniteError("NaN at a tap"), OSError(errno.EIO, "Input/output error")):
        with pytest.raises(type(error)) as caught, atomic_path(tmp_path / "file"):
            raise error
        assert caught.value is error
