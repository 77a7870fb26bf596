"""A Difficulty in a run folder: tables, votes, neighbours, and small pictures; and Depths, which are tables alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerwise.data.images import ImageData
from layerwise.data.thumbnails import thumbnails
from layerwise.difficulty.depths import Depths
from layerwise.difficulty.result import Difficulty
from layerwise.errors import RunError, RunExistsError
from layerwise.runs import RUN_FILE, read_array, read_table, steps_of, with_step, write_all
from layerwise.taps import Tap

WHOLE_ONLY = ("votes.npy", "neighbors.npy", "base.parquet", "thumbnails.npy", "base_thumbnails.npy")
"""Files of a whole measurement that depths alone have not."""


def save_difficulty(
    run: Path | str,
    difficulty: Difficulty,
    train: ImageData,
    examples: ImageData,
    *,
    taps: pd.DataFrame | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write a measurement into a run folder: all of it or, if the disk is full, nothing.

    Args:
        run: the folder, as a path or a string.
        difficulty: the measurement.
        train: the training examples of its probes.
        examples: the examples that it measures.
        taps: more columns for the table of taps, such as parameters and MACs, with its `name`.
        facts: what else run.json is to say, such as where the images came from.

    Raises:
        RunError: the disk is full; the folder is as it was.
    """
    run = Path(run)
    write_all(
        run,
        {
            RUN_FILE: with_step(run, "difficulty", {**(facts or {}), **difficulty.provenance}),
            "examples.parquet": difficulty.table(),
            "taps.parquet": _joined(difficulty.tap_table(), taps),
            "base.parquet": pd.DataFrame({"id": difficulty.base_ids, "label": difficulty.base_labels}),
            "votes.npy": difficulty.votes,
            "neighbors.npy": difficulty.neighbors,
            "logits.npy": difficulty.logits,
            "thumbnails.npy": thumbnails(examples),
            "base_thumbnails.npy": thumbnails(train),
        },
    )


def save_depths(
    run: Path | str, depths: Depths, *, taps: pd.DataFrame | None = None, facts: Mapping[str, Any] | None = None
) -> None:
    """Write depths into a run folder, and remove what an earlier, whole measurement left there.

    Args:
        run: the folder, as a path or a string.
        depths: the measurement.
        taps: more columns for the table of taps, with its `name`.
        facts: what else run.json is to say.

    Raises:
        RunError: the disk is full; the folder is as it was.
    """
    run = Path(run)
    write_all(
        run,
        {
            RUN_FILE: with_step(run, "difficulty", {**(facts or {}), **depths.provenance}),
            "examples.parquet": depths.table(),
            "taps.parquet": _joined(depths.tap_table(), taps),
            "logits.npy": depths.logits,
        },
    )
    for name in WHOLE_ONLY:
        (run / name).unlink(missing_ok=True)


def _joined(table: pd.DataFrame, more: pd.DataFrame | None) -> pd.DataFrame:
    if more is None:
        return table
    extra = [column for column in more.columns if column == "name" or column not in table.columns]
    return table.merge(more[extra], on="name", how="left")


def check_not_measured(run: Path) -> None:
    """Refuse to write over an earlier measurement.

    Raises:
        RunError: there is one; says what to do.
    """
    if (run / "examples.parquet").exists():
        raise RunError(
            f"{run} holds a measurement of difficulty already.\n"
            f"    Look at it: layerwise report {run}. To measure again, add --again, or give another folder with -o."
        )


def check_same_network(run: Path, model_fingerprint: str) -> None:
    """Refuse to put a measurement beside another network than the one that was measured.

    Raises:
        RunExistsError: another network was trained or measured in the folder, or is being trained there.
    """
    steps = steps_of(run)
    known = {facts["model_fingerprint"] for facts in steps.values() if "model_fingerprint" in facts}
    if known - {model_fingerprint} or ("train" not in steps and (run / "checkpoints").exists()):
        raise RunExistsError(f"{run} belongs to another network.\n    Choose another folder: -o FOLDER")


def load_difficulty(run: Path | str) -> Difficulty:
    """Read a measurement back.

    Raises:
        RunError: nothing was measured in this folder, or depths only.
        FileError: a file is missing, truncated or of another kind.
    """
    run = Path(run)
    facts = _facts(run)
    if facts.get("depths_only"):
        raise RunError(
            f"{run} holds depths only, without votes and neighbours.\n"
            f"    Measure all of it: layerwise difficulty {run} --again. Or read the depths: load_depths."
        )
    base = read_table(run / "base.parquet")
    return Difficulty(
        **_common(run, facts, read_table(run / "examples.parquet"), read_table(run / "taps.parquet")),
        neighbors=read_array(run / "neighbors.npy"),
        base_ids=base["id"].to_numpy(dtype=np.str_),
        base_labels=base["label"].to_numpy(),
    )


def load_depths(run: Path | str) -> Depths:
    """Read depths back, those of a whole measurement too.

    Raises:
        RunError: nothing was measured in this folder.
        FileError: a file is missing, truncated or of another kind.
    """
    run = Path(run)
    facts = _facts(run)
    examples, taps = read_table(run / "examples.parquet"), read_table(run / "taps.parquet")
    return Depths(
        **_common(run, facts, examples, taps),
        reference=examples["reference"].to_numpy(),
        depth=examples["depth"].to_numpy(),
        asked=taps["asked"].to_numpy() if "asked" in taps else np.full(len(taps), len(examples)),
    )


def _facts(run: Path) -> dict[str, Any]:
    facts: dict[str, Any] | None = steps_of(run).get("difficulty")
    if facts is None:
        raise RunError(f"nothing measured in {run}.\n    Measure it first: layerwise difficulty {run}")
    return facts


def _common(run: Path, facts: Mapping[str, Any], examples: pd.DataFrame, taps: pd.DataFrame) -> dict[str, Any]:
    """What every result says of taps and examples."""
    factors = [name for name in map(str, examples.columns) if name.startswith("factor_")]
    return {
        "taps": tuple(
            Tap(name, order, tuple(map(int, shape.split("×"))))
            for order, (name, shape) in enumerate(zip(taps["name"], taps["shape"], strict=True))
        ),
        "class_names": tuple(facts["class_names"]),
        "ids": examples["id"].to_numpy(dtype=np.str_),
        "splits": examples["split"].to_numpy(dtype=np.str_),
        "labels": examples["label"].to_numpy(),
        "logits": read_array(run / "logits.npy"),
        "agree_with": facts["agree_with"],
        "factors": {name.removeprefix("factor_"): examples[name].to_numpy() for name in factors},
        "provenance": facts,
    }
