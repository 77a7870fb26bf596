"""The same seed gives the same files, in any folder; another seed gives others."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def measured(cli: Any, run: str, seed: int) -> dict[str, bytes]:
    command = ["net.py:net", "npz:small.npz", "-o", run, "--epochs", 1, "--seed", seed, "--validation", 0]
    assert cli("train", *command, "--threads", 1).code == 0
    assert cli("difficulty", run, "--trust-code", "--k", 5, "--split", "all").code == 0
    files: dict[str, bytes] = cli.files(run)
    return {name: content for name, content in files.items() if "/" not in name}


def test_one_seed_is_enough_for_the_same_bytes_and_another_gives_others(cli: Any, toys: Path) -> None:
    one, two, other = measured(cli, "one", 3), measured(cli, "deep/er/two", 3), measured(cli, "other", 4)
    told_the_time = {"run.json", "history.parquet", "history.csv"}
    assert {name for name in one if one[name] != two[name]} <= told_the_time
    assert {"examples.parquet", "votes.npy", "neighbors.npy", "model.safetensors"} <= {
        name for name in one if one[name] != other[name]
    }
