"""Ctrl-C and `kill -9` in the middle of a measurement: the same command goes on, to the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

SLOW_NETWORK = """
import time
from pathlib import Path

from torch import nn

class Slow(nn.Sequential):
    def forward(self, images):
        if Path("slow").exists():
            time.sleep(0.03)
            with open("passes", "a") as file:
                file.write(".")
        return super().forward(images)

def net(num_classes, in_channels):
    return Slow(nn.Conv2d(in_channels, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, num_classes))
"""

RESULTS = ("examples.parquet", "taps.parquet", "base.parquet", "votes.npy", "neighbors.npy", "logits.npy")
COMMAND = ["difficulty", "--model", "slow.py:net", "--data", "npz:small.npz", "--k", "5", "--batch-size", "4"]
# Each tap is a group of its own under this limit, with a pass over all images.
IN_GROUPS = ["--limit-gb", "0.00004"]


def stop(arguments: list[str], number: signal.Signals, *, after: str) -> subprocess.CompletedProcess[str]:
    """Start a command, and signal it when the file `after` is there (or that many passes are done)."""
    program = [sys.executable, "-c", "from layerwise.cli import main; main()", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    Path("passes").write_text("")
    process = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    while process.poll() is None and not is_reached(after):
        time.sleep(0.005)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(program, process.returncode, out, err)


def is_reached(after: str) -> bool:
    return Path("passes").stat().st_size >= int(after) if after.isdigit() else Path(after).exists()


@pytest.mark.parametrize(
    ("number", "after", "options"),
    [
        pytest.param(signal.SIGINT, "8", [], id="ctrl-c-recording", marks=pytest.mark.slow),
        pytest.param(
            signal.SIGINT, "run/partial/02-1.npy", IN_GROUPS, id="ctrl-c-between-taps", marks=pytest.mark.slow
        ),
        pytest.param(
            signal.SIGKILL, "12", ["--keep-activations"], id="kill-recording-to-files", marks=pytest.mark.slow
        ),
        pytest.param(signal.SIGKILL, "run/partial/01-0.npy", IN_GROUPS, id="kill-between-taps", marks=pytest.mark.slow),
    ],
)
def test_a_stopped_measurement_goes_on_to_the_same_bytes(
    cli: Any, toys: Path, number: signal.Signals, after: str, options: list[str]
) -> None:
    Path("slow.py").write_text(SLOW_NETWORK)
    assert cli(*COMMAND, *options, "-o", "undisturbed").code == 0
    Path("slow").touch()
    stopped = stop([*COMMAND, *options, "-o", "run"], number, after=after)
    assert stopped.stdout == ""
    assert "Traceback" not in stopped.stderr
    if number is signal.SIGINT:
        assert stopped.returncode == 130
        assert stopped.stderr.endswith("Interrupted. Finished parts are kept: run the same command again to go on.\n")
    left = cli.files("run") if Path("run").exists() else {}
    assert not set(RESULTS) & set(left)
    assert all(Path(name).name.startswith(".") for name in left if name.endswith(".tmp"))
    finished = [name for name in left if name.startswith("partial/0")]
    assert bool(finished) == ("partial" in after)
    Path("slow").unlink()
    assert cli("report", "run").code == 2
    assert cli(*COMMAND, *options, "-o", "run").code == 0
    again, whole = cli.files("run"), cli.files("undisturbed")
    assert set(again) == set(whole)
    same = [name for name in whole if name != "run.json"]
    assert {name: again[name] for name in same} == {name: whole[name] for name in same}


def test_finished_taps_are_not_searched_again(cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from layerwise.difficulty import probing

    find, searched = probing.find_neighbors, []

    def stopped_at_the_fifth(*arguments: Any, **options: Any) -> Any:
        searched.append(1)
        if len(searched) == 5:
            raise KeyboardInterrupt
        return find(*arguments, **options)

    monkeypatch.setattr(probing, "find_neighbors", stopped_at_the_fifth)
    assert cli("difficulty", "trained", "--trust-code", "--k", 5).code == 130
    assert cli("difficulty", "trained", "--trust-code", "--k", 5).code == 0
    assert len(searched) == 5 + 2  # six taps, four of them finished


def test_activations_are_kept_though_all_taps_were_finished_before(
    cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    command = importlib.import_module("layerwise.difficulty.folder")

    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(command, "save_difficulty", press)
        assert cli("difficulty", "trained", "--trust-code", "--k", 5).code == 130
    assert "partial/05-softmax.npy" in cli.files("trained")
    assert cli("difficulty", "trained", "--trust-code", "--k", 5, "--keep-activations").code == 0
    assert "activations/base/05-softmax.npy" in cli.files("trained")
