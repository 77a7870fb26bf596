"""Studies survive: a full disk, two processes on one store, `kill -9` in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from layerwise.errors import RunError
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.running import run_study
from layerwise.study.store import Store
from small_disks import full, small_disk
from study_files import SMALL, made_up, small

pytestmark = pytest.mark.slow
EACH_KEPT = """
from layerwise.cli import main
from layerwise.study import running

running.KEEP_EVERY_S = 0.0
main()
"""
COMMAND = [sys.executable, "-c", EACH_KEPT, "study", "run", "small.toml"]
OPTIONS = ["--engine", "loop", "--no-check", "-o", "studies"]
ALL = 12


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return table(run_study(small(), tmp_path_factory.mktemp("study") / "loop", run_in_loop))


def table(store: Store) -> pd.DataFrame:
    """All but the times."""
    return store.table(series=True).drop(columns="seconds")


def start(folder: Path) -> subprocess.Popen[bytes]:
    (folder / "small.toml").write_text(SMALL)
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*COMMAND, *OPTIONS], cwd=folder, stdout=quiet, stderr=quiet, start_new_session=True)


def test_two_processes_on_one_store_end_with_the_table_of_one(tmp_path: Path, expected: pd.DataFrame) -> None:
    both = [start(tmp_path), start(tmp_path)]
    assert [one.wait(timeout=300) for one in both] == [0, 0]
    store = Store(tmp_path / "studies" / "small")
    assert len(list(store.folder.glob("chunks/*.parquet"))) == ALL
    pd.testing.assert_frame_equal(table(store), expected)


def test_a_killed_study_goes_on_and_ends_with_the_same_table(tmp_path: Path, expected: pd.DataFrame) -> None:
    first = start(tmp_path)
    folder = tmp_path / "studies" / "small"
    while len(list(folder.glob("chunks/*.parquet"))) < 2 and first.poll() is None:
        time.sleep(0.001)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert 2 <= len(Store(folder).finished()) < ALL
    before = Store(folder).table()["seconds"]
    assert start(tmp_path).wait(timeout=300) == 0
    store = Store(folder)
    pd.testing.assert_frame_equal(table(store), expected)
    assert set(before) <= set(store.table()["seconds"])


def ends(group: int) -> bool:
    """Whether no process of a group is left after a moment, which Python's tracker of resources takes."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("engine", ["processes", "stacked"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_processes_and_no_run_of_theirs_is_kept_as_failed(
    tmp_path: Path, engine: str, number: signal.Signals
) -> None:
    (tmp_path / "small.toml").write_text(SMALL.replace("epochs = 2", "epochs = 400").replace("seeds = 3", "seeds = 99"))
    options = ["--engine", engine, "--no-check", "-o", "studies"]
    told = tmp_path / "told"
    with told.open("w") as file:
        study = subprocess.Popen([*COMMAND, *options], cwd=tmp_path, stderr=file, stdout=file, start_new_session=True)
    chunks = tmp_path / "studies" / "small" / "chunks"
    while not list(chunks.glob("*.parquet")) and study.poll() is None:
        time.sleep(0.01)
    if number is signal.SIGINT:
        os.killpg(study.pid, number)  # a terminal sends it to all
    else:
        study.send_signal(number)
    assert study.wait(timeout=60) == 130
    assert "runs are kept in" in told.read_text()
    assert set(Store(chunks.parent).table()["status"]) == {"done"}
    assert ends(study.pid)


def test_a_full_disk_is_told_and_the_study_goes_on_when_there_is_room(tmp_path: Path, expected: pd.DataFrame) -> None:
    with small_disk(tmp_path / "disk", "160k"):
        folder = tmp_path / "disk" / "study"
        Store(folder).begin(small())
        ballast = tmp_path / "disk" / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(tmp_path / "disk").free - 8 * 1024))
        with pytest.raises(RunError) as caught:
            made_up(small(("seeds = 3", "seeds = 40")), folder)
        assert str(caught.value).partition("\n")[0].endswith(full("x").partition("\n")[0].partition("x ")[2])
        ballast.unlink()
        pd.testing.assert_frame_equal(table(run_study(small(), folder, run_in_loop)), expected)
