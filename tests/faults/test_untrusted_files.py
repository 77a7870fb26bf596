"""Files from strangers: what is a program in them is not run."""

from __future__ import annotations

import argparse
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

LURE = Path("made-by-the-file")


class Payload:
    """Unpickled in earnest, it makes a file."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(LURE),)


def measure(weights: str) -> list[object]:
    return ["difficulty", "--model", "net.py:net", "--weights", weights, "--data", "npz:small.npz", "-o", "r", "--k", 5]


def test_the_lure_works_where_nobody_is_careful(toys: Path) -> None:
    pickle.loads(pickle.dumps(Payload()))
    assert LURE.exists()


def test_an_npy_whose_pickle_would_run_is_refused(cli: Any, toys: Path) -> None:
    np.save("evil.npy", {"x": Payload(), "y": [0, 1]}, allow_pickle=True)  # type: ignore[arg-type]
    assert cli.refusal("data", "npy:evil.npy") == (
        "UnsafeFileError: evil.npy would run posix.mkdir when it is read; nothing was run.\n"
        "    Expected a dict of NumPy arrays of numbers. Do not open this file with numpy.load or pickle.\n"
    )
    assert not LURE.exists()


def test_a_pickled_array_in_an_npz_is_refused(cli: Any, toys: Path) -> None:
    np.savez("evil.npz", x=np.array([Payload()], dtype=object), y=np.array([0]))
    assert cli.refusal("data", "npz:evil.npz") == (
        "UnsafeFileError: x.npy in evil.npz is pickled, and would have to be executed to be read; nothing was run.\n"
        "    Expected arrays of numbers.\n"
    )
    assert not LURE.exists()


def test_votes_that_are_a_pickle_are_refused(cli: Any, toys: Path) -> None:
    np.save("measured/votes.npy", np.array([Payload()], dtype=object), allow_pickle=True)
    assert cli.refusal("report", "measured").startswith("FileError: measured/votes.npy is not a NumPy array")
    assert not LURE.exists()


def test_a_checkpoint_that_is_only_a_program_is_refused(cli: Any, toys: Path) -> None:
    torch.save({"state_dict": Payload()}, "evil.pth")
    assert cli.refusal(*measure("evil.pth")) == (
        "UnsafeFileError: evil.pth holds no weights that can be read without running the code it names: posix.mkdir.\n"
        "    Nothing was run. Save the weights where the file was made: torch.save(model.state_dict(), FILE)\n"
    )
    assert not LURE.exists()


def test_the_tensors_of_an_old_checkpoint_are_read_and_what_lies_beside_them_is_left_out_and_named(
    cli: Any, toys: Path
) -> None:
    from safetensors.torch import load_file

    weights = load_file("trained/model.safetensors")
    beside = {"args": argparse.Namespace(lr=0.1), "hook": Payload(), "epoch": 3}
    torch.save({"state_dict": weights, **beside}, "old.pth")
    with pytest.raises(pickle.UnpicklingError):
        torch.load("old.pth", weights_only=True)
    outcome = cli(*measure("old.pth"), "--json")
    assert outcome.code == 0
    assert outcome.err == "note: left out of old.pth, and not run: argparse.Namespace, posix.mkdir.\n"
    assert not LURE.exists()
    kept = load_file("r/model.safetensors")
    assert all(torch.equal(kept[name], tensor) for name, tensor in weights.items())
