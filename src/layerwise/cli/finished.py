"""Whether a run folder holds the training that a command asks for: is_finished, and needs_repair of a finished one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from layerwise.cli.console import say
from layerwise.errors import FileError, RunExistsError
from layerwise.models.checkpoints import read_checkpoint
from layerwise.models.saved import WEIGHTS_FILE, read_description
from layerwise.runs import read_json, read_table, steps_of
from layerwise.training.checkpoints import checkpoint_path
from layerwise.training.dynamics import CURVES_FILE, DYNAMICS_FILE, load_dynamics

COMMAND_FILE = Path("checkpoints", "command.json")
DEFAULT_VALIDATION = 0.1


def is_finished(run: Path, asked: Mapping[str, Any]) -> bool:
    """Whether the very training asked for has ended in the folder.

    Raises:
        RunExistsError: the folder holds something else.
    """
    steps = steps_of(run)
    if steps and "train" not in steps:
        raise RunExistsError(f"{run} holds a network that was not trained there.\n    Choose another folder: -o FOLDER")
    if not steps and not (run / COMMAND_FILE).exists():
        return False
    there = steps["train"] if steps else read_json(run / COMMAND_FILE)
    before, now = _flat(there, asked), _flat({**asked, "validation": _share(asked["validation"], there)}, asked)
    differences = [f"{name}: {before[name]} → {now[name]}" for name in now if before[name] != now[name]]
    if differences:
        raise RunExistsError(
            f"{run} holds another training (there → asked):\n    "
            + "\n    ".join(differences)
            + "\n    Ask for the same, or choose another folder: -o FOLDER"
        )
    return bool(steps)


def _share(asked: float | None, there: Mapping[str, Any]) -> float:
    """The share held out that is asked for: by default a tenth, or nothing of images that bring a validation split."""
    if asked is not None:
        return asked
    brought = there.get("validation") == 0 and "validation" in there.get("images", {})
    return 0.0 if brought else DEFAULT_VALIDATION


def _flat(facts: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that were asked for, settings among them, in one level."""
    settings = facts.get("settings", {})
    outer = {name: facts.get(name) for name in names if name != "settings"}
    return outer | {name: settings.get(name) for name in names["settings"]}


def needs_repair(run: Path) -> bool:
    """Whether files of a finished training can no longer be read, so that its checkpoint has to write them again.

    Raises:
        FileError: they cannot, and there is no checkpoint.
    """
    reads: tuple[Callable[[], object], ...] = (
        lambda: read_description(run),
        lambda: read_checkpoint(run / WEIGHTS_FILE),
        lambda: read_table(run / "history.parquet"),
        *([lambda: _read_dynamics(run)] if "log_dynamics" in kept_besides(run) else []),
    )
    faults = [fault for fault in map(_fault_of, reads) if fault]
    if not faults:
        return False
    damage = "\n    - ".join([f"{run} was finished, but is damaged:", *faults])
    checkpoint = checkpoint_path(run)
    if not checkpoint.exists():
        raise FileError(
            f"{damage}\n    Its checkpoint is gone, too: no file {checkpoint}. Train into another folder: -o FOLDER\n"
            f"    Or remove {run}, and run the same command again."
        )
    say(f"{damage}\nWriting it again from {checkpoint}.")
    return True


def kept_besides(run: Path) -> dict[str, bool]:
    """What a finished training kept on request; a repair keeps it, too, whether it is asked for again or not."""
    noted = steps_of(run)["train"]
    return {name: True for name in ("log_dynamics", "keep_weights") if noted.get(name)}


def _read_dynamics(run: Path) -> None:
    for name in (DYNAMICS_FILE, CURVES_FILE):
        if not (run / name).is_file():
            raise FileError(f"no file {run / name}.")
    load_dynamics(run)


def _fault_of(read: Callable[[], object]) -> str:
    """Why something cannot be read; empty if it can."""
    try:
        read()
    except FileError as error:
        return str(error).partition("\n")[0]
    return ""
