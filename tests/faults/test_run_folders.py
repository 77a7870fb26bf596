"""Output folders that are something else already, cannot be written, or have been moved."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import make_trained, save_images
from layerwise.runs import LEFT_AFTER_S, steps_of

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that nobody can write to, root neither."""
    folder.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", "ro,size=40k", "tmpfs", str(folder))
    if not mounted and os.geteuid() == 0:
        pytest.skip("root may write everywhere here, and nothing can be mounted")
    try:
        if not mounted:
            folder.chmod(0o500)
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.chmod(0o700)


def _mount(*arguments: str) -> bool:
    if shutil.which("mount") is None or os.geteuid() != 0:
        return False
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def test_a_measurement_is_not_replaced_unless_asked_for(cli: Any, toys: Path) -> None:
    assert cli.refusal("difficulty", "measured", "--trust-code", "--k", 7) == (
        "RunError: measured holds a measurement of difficulty already.\n"
        "    Look at it: layerwise report measured. To measure again, add --again, or give another folder with -o.\n"
    )
    assert cli("difficulty", "measured", "--trust-code", "--k", 7, "--again").code == 0
    assert not Path("measured/partial").exists()


def test_what_was_looked_at_first_hinders_no_measurement(cli: Any, toys: Path) -> None:
    for part in (["--units"], ["--embed", "pca"]):
        assert cli("inside", "trained", "--trust-code", *part).code == 0
    assert cli("difficulty", "trained", "--trust-code", "--k", 7).code == 0


def test_a_measurement_does_not_go_into_the_folder_of_another_network(cli: Any, toys: Path) -> None:
    weights = "from torch import nn\ndef net(num_classes):\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3))\n"
    Path("net2.py").write_text(weights)
    command = ["difficulty", "--model", "net2.py:net", "--data", "npz:small.npz", "--k", 5]
    message = "RunExistsError: {} belongs to another network.\n    Choose another folder: -o FOLDER\n"
    assert cli.refusal(*command, "-o", "trained") == message.format("trained")
    assert cli.refusal(*command, "-o", "measured", "--again") == message.format("measured")
    Path("begun/checkpoints").mkdir(parents=True)
    assert cli.refusal(*command, "-o", "begun") == message.format("begun")


def test_a_folder_that_only_looks_like_finished_taps_is_not_emptied(cli: Any, toys: Path) -> None:
    Path("trained/partial").mkdir()
    Path("trained/partial/mine.txt").write_text("dear to me")
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 5) == (
        "RunError: trained/partial is needed for a measurement under way, but holds something else (mine.txt).\n"
        "    Move it away, or choose another folder: -o FOLDER\n"
    )


def test_a_bad_command_leaves_the_finished_taps_of_a_good_one(cli: Any, toys: Path) -> None:
    from layerwise.difficulty.found import FoundSoFar

    shutil.copytree("measured", "stopped")
    Path("stopped/examples.parquet").unlink()
    found = FoundSoFar(Path("stopped/partial"), {"k": 5})
    found.keep_logits(np.zeros((20, 3), np.float32))
    assert cli.refusal("difficulty", "stopped", "--trust-code", "--k", 400).startswith(
        "NotEnoughExamplesError: k = 400 needs"
    )
    assert cli.refusal("difficulty", "stopped", "--trust-code", "--limit-gb", 1e-7).startswith(
        "ActivationsTooLargeError"
    )


def test_a_damaged_finished_tap_is_searched_again(cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from layerwise.difficulty import probing

    find, searched = probing.find_neighbors, []

    def stopped_at_the_third(*arguments: Any, **options: Any) -> Any:
        searched.append(1)
        if len(searched) == 3:
            raise KeyboardInterrupt
        return find(*arguments, **options)

    monkeypatch.setattr(probing, "find_neighbors", stopped_at_the_third)
    assert cli("difficulty", "trained", "--trust-code", "--k", 5).code == 130
    assert {"plan.json", "logits.npy", "00-input.npy", "01-0.npy"} == set(cli.files("trained/partial"))
    Path("trained/partial/01-0.npy").write_bytes(b"half")
    assert cli("difficulty", "trained", "--trust-code", "--k", 5).code == 0
    assert len(searched) == 3 + 5  # all six taps but the first
    assert Path("trained/votes.npy").read_bytes() == Path("measured/votes.npy").read_bytes()


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["difficulty", "trained", "--trust-code", "--k", "5"], "net.py/partial"),
        (["train", "net.py:net", "npz:small.npz"], "net.py/checkpoints"),
        (["data", "npz:small.npz"], "net.py/figures"),
    ],
)
def test_an_output_path_that_is_a_file_is_refused(cli: Any, toys: Path, command: list[str], path: str) -> None:
    assert cli.refusal(*command, "-o", "net.py") == f"NotADirectoryError: {path}: Not a directory. Check the path.\n"


def test_a_read_only_folder_is_refused(cli: Any, toys: Path) -> None:
    with read_only(Path("locked")):
        for command in (["difficulty", "trained", "--trust-code", "--k", 5], ["data", "npz:small.npz"]):
            message = cli.refusal(*command, "-o", "locked/run")
            assert message.removeprefix("OSError").removeprefix("PermissionError") in (
                ": locked/run: Read-only file system. Check the path.\n",
                ": locked/run: Permission denied. Check the path.\n",
            )


def test_a_run_works_after_it_was_moved(cli: Any, toys: Path) -> None:
    Path("elsewhere").mkdir()
    Path("trained").rename("elsewhere/moved")
    assert cli("difficulty", "elsewhere/moved", "--trust-code", "--k", 5).code == 0
    for file in ("examples.parquet", "votes.npy", "neighbors.npy"):
        assert Path("elsewhere/moved", file).read_bytes() == Path("measured", file).read_bytes()
    Path("elsewhere/moved").rename("again")
    assert cli("report", "again").code == 0


def test_images_that_are_not_where_they_were_are_asked_for(cli: Any, toys: Path) -> None:
    Path("small.npz").rename("moved.npz")
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 5) == (
        "FileError: no file small.npz; expected a .npz file.\n"
        "    trained was made with npz:small.npz; if the images lie elsewhere now, say where: --data DATA\n"
    )
    assert cli("difficulty", "trained", "--trust-code", "--k", 5, "--data", "npz:moved.npz").code == 0


def test_images_that_are_not_what_they_were_are_refused(cli: Any, toys: Path) -> None:
    save_images(Path("small.npz"), classes=2)
    assert cli.refusal("difficulty", "trained", "--trust-code", "--k", 5) == (
        "RunError: the images of npz:small.npz are not those that trained was made with: they have changed since.\n"
        "    Name the data to use, as it is now: --data npz:small.npz\n"
    )


@pytest.fixture
def trained_here(cli: Any, toys: Path) -> Path:
    """The folder in which `new` was trained; the current one is another."""
    Path("new").mkdir()
    assert cli("train", "net.py:net", "npz:small.npz", "-o", "new/run", "--epochs", 1).code == 0
    Path("else/where").mkdir(parents=True)
    return toys


MEASURE = ["difficulty", "{}/new/run", "--model", "{}/net.py:net", "--k", 5]


def measure_from_elsewhere(folder: Path, *more: object) -> list[object]:
    return [part.format(folder) if isinstance(part, str) else part for part in MEASURE] + list(more)


def test_images_are_found_where_the_run_was_made_though_the_command_is_given_elsewhere(
    cli: Any, trained_here: Path
) -> None:
    with contextlib.chdir("else/where"):
        assert cli(*measure_from_elsewhere(trained_here)).code == 0
        assert cli(*measure_from_elsewhere(trained_here, "-o", "copy")).code == 0
        measured = [steps_of(run)["difficulty"] for run in (trained_here / "new/run", Path("copy"))]
    assert [(facts["data"], facts["folder"]) for facts in measured] == [("npz:small.npz", str(trained_here))] * 2


def test_images_that_lie_here_are_taken_before_those_where_the_run_was_made(cli: Any, trained_here: Path) -> None:
    with contextlib.chdir("else/where"):
        save_images(Path("small.npz"), classes=2)
        assert cli.refusal(*measure_from_elsewhere(trained_here)) == (
            f"RunError: the images of npz:small.npz are not those that {trained_here}/new/run was made with in "
            f"{trained_here}: they have changed since.\n"
            "    Name the data to use, as it is now: --data npz:small.npz\n"
        )


def test_images_that_are_nowhere_are_asked_for_with_the_folder_in_which_they_were(cli: Any, trained_here: Path) -> None:
    Path("small.npz").rename("else/moved.npz")
    with contextlib.chdir("else/where"):
        assert cli.refusal(*measure_from_elsewhere(trained_here)) == (
            "FileError: no file small.npz; expected a .npz file.\n"
            f"    {trained_here}/new/run was made with npz:small.npz in {trained_here}; "
            "if the images lie elsewhere now, say where: --data DATA\n"
        )
        assert cli(*measure_from_elsewhere(trained_here, "--data", "npz:../moved.npz")).code == 0


@pytest.mark.parametrize("spec", ["digits?limit=60", "npz:small.npz?limit=20", "npz:z"])
def test_the_options_of_a_spec_stay_when_its_path_is_found_elsewhere(toys: Path, spec: str) -> None:
    from layerwise.sources import _find_path

    shutil.copy("small.npz", "z")
    Path("there").mkdir()
    here = str(Path.cwd())
    with contextlib.chdir("there"):
        expected = spec.replace(":", f":{here}/") if ":" in spec else spec
        assert _find_path(spec, here) == expected
        assert _find_path(spec, None) == spec
    assert _find_path(spec, here) == spec


def test_leftovers_of_a_killed_writer_are_removed_by_the_next_one_an_hour_later(cli: Any, toys: Path) -> None:
    make_trained(Path("killed"))
    an_hour_ago = time.time() - LEFT_AFTER_S - 1
    for name in ("votes.npy", "examples.parquet", "run.json"):
        for token, written in (("0123abcd", an_hour_ago), ("4567cdef", time.time())):
            leftover = Path("killed", f".{name}.{token}.tmp")
            leftover.write_bytes(b"half")
            os.utime(leftover, (written, written))
    assert cli("difficulty", "killed", "--trust-code", "--k", 5).code == 0
    left = {Path(name).name for name in cli.files("killed") if name.endswith(".tmp")}
    assert left == {".votes.npy.4567cdef.tmp", ".examples.parquet.4567cdef.tmp", ".run.json.4567cdef.tmp"}
