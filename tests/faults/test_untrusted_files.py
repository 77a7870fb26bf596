"""Files from strangers: what is a program in them is not run."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

console = importlib.import_module("layerwise.cli.console")

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


TRAP = """
import os
os.mkdir("made-by-the-file")

from net import net
"""

NOT_RUN = (
    "ModelError: trained names trap.py:net as its network: this file would have to be run, and was not.\n"
    "    A run folder may come from a stranger, and a program can do anything. If you trust it: --trust-code "
    "(trust_code=True).\n    Or name a network of your own: --model FILE.py:NAME (model=...).\n"
)


class Terminal(io.StringIO):
    """A keyboard on which something was typed."""

    def isatty(self) -> bool:
        return True


def set_trap(spec: str = "trap.py:net") -> None:
    """Let the run name a file that makes the lure when it is run."""
    Path("trap.py").write_text(TRAP)
    path = Path("trained/model.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "spec": spec}))


def sit_at_a_terminal(monkeypatch: pytest.MonkeyPatch, *, typing: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typing))
    monkeypatch.setattr(console, "screen", Console(stderr=True, highlight=False, force_terminal=True))


@pytest.mark.parametrize("options", [[], ["--json"], ["--data", "npz:small.npz", "-o", "other"]])
def test_a_file_that_a_run_names_is_not_run_unasked(cli: Any, toys: Path, options: list[str]) -> None:
    set_trap()
    assert cli.refusal("difficulty", "trained", "--k", 5, *options) == NOT_RUN
    assert not LURE.exists()


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_a_file_that_a_run_names_is_not_run_against_the_answer(
    cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    set_trap()
    sit_at_a_terminal(monkeypatch, typing=answer)
    asked = "trained names trap.py:net as its network. Run this file? A program can do anything. [y/N] "
    assert cli.refusal("difficulty", "trained", "--k", 5).split("\n", 1)[0] == asked + NOT_RUN.split("\n", 1)[0]
    assert not LURE.exists()


def test_nobody_is_asked_where_a_program_reads_the_output(
    cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_trap()
    sit_at_a_terminal(monkeypatch, typing="y\n")
    assert cli.refusal("difficulty", "trained", "--k", 5, "--json") == NOT_RUN
    assert not LURE.exists()


def test_a_file_that_a_run_names_is_run_if_the_user_says_so(
    cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_trap()
    assert cli("difficulty", "trained", "--k", 5, "--trust-code").code == 0
    assert LURE.exists()
    LURE.rmdir()
    sit_at_a_terminal(monkeypatch, typing="y\n")
    assert cli("difficulty", "trained", "--k", 5, "--again").code == 0
    assert LURE.exists()


def test_a_network_that_the_user_names_stands_in_for_the_one_that_the_run_names(cli: Any, toys: Path) -> None:
    set_trap()
    assert cli("difficulty", "trained", "--k", 5, "--model", "net.py:net").code == 0
    assert not LURE.exists()
    assert Path("trained/votes.npy").read_bytes() == Path("measured/votes.npy").read_bytes()


def test_a_name_cannot_hide_itself_on_the_terminal(cli: Any, toys: Path) -> None:
    set_trap("trap.py:net\x1b[2K\rresnet20")
    message = cli.refusal("difficulty", "trained", "--k", 5)
    assert message.startswith(r"ModelError: trained names trap.py:net\x1b[2K\rresnet20 as its network: ")
