"""Exits in a run folder, all under RUN/exits/: the network with its heads, and what was recorded and chosen."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.torch
import torch
from torch import nn

from layerwise.errors import FileError, RunError
from layerwise.exits.costs import ExitCosts
from layerwise.exits.latency import SegmentTimes
from layerwise.exits.network import ExitNetwork
from layerwise.exits.recorded import RecordedExits
from layerwise.models.loading import load_weights
from layerwise.models.saved import fingerprint
from layerwise.runs import atomic_path, read_array, read_json, read_table, write_all, write_json
from layerwise.taps.borrowing import Preprocess

__all__ = [
    "earlier_comparison",
    "exits_folder",
    "has_recorded",
    "load_exits",
    "load_recorded",
    "load_times",
    "replace_exits",
    "save_exits",
    "save_recorded",
    "trained_fingerprint",
]

WEIGHTS_FILE = "network.safetensors"
DESCRIPTION_FILE = "exits.json"
SUMMARY_FILE = "summary.json"


@dataclass(frozen=True)
class _Described:
    """What exits.json says."""

    names: tuple[str, ...]
    heads: tuple[str, ...]
    fingerprint: str


def exits_folder(run: Path) -> Path:
    """Where a run keeps its exits."""
    return run / "exits"


def save_exits(run: Path, net: ExitNetwork) -> None:
    """Write the network with its heads: first the weights, then what they belong to.

    Joint training changes the network too, so its weights are written again; those of the run stay as they are.
    """
    tensors = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in net.state_dict().items()
    }
    with atomic_path(exits_folder(run) / WEIGHTS_FILE) as temporary:
        safetensors.torch.save_file(tensors, temporary)
    described = {"names": net.names, "heads": net.designs, "fingerprint": fingerprint(net)}
    write_json(exits_folder(run) / DESCRIPTION_FILE, described)


def load_exits(
    run: Path, model: nn.Module, image_shape: Sequence[int], preprocessing: Preprocess | None
) -> ExitNetwork:
    """The network with its heads, in evaluation mode.

    Args:
        run: a folder that `save_exits` has written to.
        model: the run's network; it takes the weights that it got when the exits were trained.
        image_shape: (C, H, W).
        preprocessing: what stands before the network.

    Raises:
        RunError: the run has no exits.
        FileError: a file is damaged.
        ModelError: the weights do not fit the network.
    """
    described = _described(run)
    images = torch.rand(5, *image_shape, generator=torch.Generator().manual_seed(0))
    net = ExitNetwork(model, images, described.names[:-1], heads=described.heads, preprocessing=preprocessing)
    load_weights(net, exits_folder(run) / WEIGHTS_FILE)
    if fingerprint(net) != described.fingerprint:
        raise FileError(
            f"{exits_folder(run) / WEIGHTS_FILE} holds other weights than {DESCRIPTION_FILE} says.\n"
            f"    Train the exits again: layerwise exits train {run} --again"
        )
    return net.eval()


def save_recorded(run: Path, recorded: RecordedExits) -> None:
    """Write the logits of all exits for one split, with what they cost."""
    description = {
        "fingerprint": _described(run).fingerprint,
        "names": recorded.names,
        "network_macs": recorded.costs.network.tolist(),
        "head_macs": recorded.costs.heads.tolist(),
    }
    examples = pd.DataFrame({"id": recorded.ids, "label": recorded.labels})
    split = recorded.split
    write_all(
        exits_folder(run),
        {f"{split}.json": description, f"{split}.npy": recorded.logits, f"{split}.parquet": examples},
    )


def has_recorded(run: Path, split: str) -> bool:
    """Whether exits were recorded on this split."""
    return (exits_folder(run) / f"{split}.json").exists()


def load_recorded(run: Path, split: str) -> RecordedExits:
    """What `save_recorded` wrote.

    Raises:
        RunError: nothing was recorded on this split, or the exits were trained anew since.
        FileError: a file is damaged.
    """
    folder, trained = exits_folder(run), _described(run)
    path = folder / f"{split}.json"
    if not has_recorded(run, split):
        raise RunError(
            f"{run} holds no recorded exits of its {split} images.\n    First: layerwise exits evaluate {run}"
        )
    description: Mapping[str, Any] = read_json(path)
    logits, examples = read_array(folder / f"{split}.npy"), read_table(folder / f"{split}.parquet")
    try:
        names = tuple(map(str, description["names"]))
        costs = ExitCosts(np.array(description["network_macs"]), np.array(description["head_macs"]))
        labels, ids, made_of = examples["label"].to_numpy(), examples["id"].to_numpy(str), description["fingerprint"]
        recorded = RecordedExits(logits, labels, ids, split, names, costs)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileError(
            f"the files {split}.* in {folder} are not recorded exits, or do not belong together ({error}).\n"
            f"    Record again: layerwise exits evaluate {run}"
        ) from error
    if names != trained.names:
        raise FileError(
            f"{path} is of the exits {', '.join(names)}; those in {folder} are {', '.join(trained.names)}.\n"
            f"    Record again: layerwise exits evaluate {run}"
        )
    if made_of != trained.fingerprint:
        raise RunError(
            f"the exits in {run} were trained anew after their {split} images were recorded.\n"
            f"    Record again: layerwise exits evaluate {run}"
        )
    return recorded


def load_times(run: Path) -> SegmentTimes:
    """Times of the network's parts, as `layerwise exits evaluate` measured them.

    Raises:
        RunError: nothing was measured.
        FileError: the file is damaged.
    """
    path = exits_folder(run) / SUMMARY_FILE
    if not path.exists():
        raise RunError(f"{run} holds no evaluated exits.\n    First: layerwise exits evaluate {run}")
    summary, trained = read_json(path), _described(run)
    try:
        times, made_of = SegmentTimes.from_dict(summary["times"]), summary["fingerprint"]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileError(
            f"{path} holds no times ({type(error).__name__}: {error}).\n    Again: layerwise exits evaluate {run}"
        ) from error
    if made_of != trained.fingerprint or times.names != trained.names:
        raise RunError(
            f"the exits in {run} were trained anew after they were timed.\n    Again: layerwise exits evaluate {run}"
        )
    return times


def earlier_comparison(run: Path) -> Mapping[str, Any]:
    """What an earlier evaluation of these exits says of smaller networks; empty if there was none.

    Raises:
        RunError: the run has no exits.
        FileError: a file is damaged.
    """
    path = exits_folder(run) / SUMMARY_FILE
    summary = read_json(path) if path.exists() else {}
    if not isinstance(summary, dict) or summary.get("fingerprint") != trained_fingerprint(run):
        return {}
    return {name: summary[name] for name in ("comparisons", "smaller", "compared") if name in summary}


def trained_fingerprint(run: Path) -> str:
    """The name of the network with its heads, as it was saved."""
    return _described(run).fingerprint


def replace_exits(run: Path, new: Path) -> None:
    """Put newly trained exits in the place of those that are there, with all that was measured on them."""
    shutil.rmtree(exits_folder(run), ignore_errors=True)
    new.rename(exits_folder(run))


def _described(run: Path) -> _Described:
    path = exits_folder(run) / DESCRIPTION_FILE
    if not path.exists():
        raise RunError(f"{run} has no exits.\n    Train some: layerwise exits train {run} --at TAP,TAP")
    values = read_json(path)
    try:
        return _Described(
            tuple(map(str, values["names"])), tuple(map(str, values["heads"])), str(values["fingerprint"])
        )
    except (KeyError, TypeError) as error:
        raise FileError(
            f"{path} does not describe exits ({type(error).__name__}: {error}).\n"
            f"    Train them again: layerwise exits train {run} --again"
        ) from error
