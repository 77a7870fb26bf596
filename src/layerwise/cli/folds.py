"""`layerwise difficulty RUN --folds 5`: the four kinds of difficulty, by training the run's network again K times."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import bars, print_json, print_table, say, share_with_interval

if TYPE_CHECKING:
    from layerwise.cli.sources import Source
    from layerwise.difficulty.folds import FoldedDepths
    from layerwise.difficulty.settings import ProbeSettings
    from layerwise.training.settings import TrainSettings

FOLDS_FILE, PARTIAL = "folds.parquet", "folds"


def check_not_folded(run: Path) -> None:
    """Refuse to write over folds that were measured before."""
    from layerwise.errors import RunError

    if (run / FOLDS_FILE).exists():
        raise RunError(
            f"{run} holds the four kinds of difficulty already, in {run / FOLDS_FILE}.\n"
            "    To measure them again, add --again."
        )


def measure_folds(source: Source, run: Path, *, folds: int, taps: str, settings: ProbeSettings, as_json: bool) -> None:
    """Train as the run was trained, without one fold at a time, measure, save into the run, and print."""
    from layerwise.cli.sources import read_place
    from layerwise.difficulty.folds import measure_kinds
    from layerwise.models.catalog import load_model
    from layerwise.runs import write_all

    description, chosen, weights = source.description, _settings_of(run, source), _first_weights(run)

    def make_model(fold: int) -> Any:
        return load_model(
            str(description.spec),
            num_classes=description.num_classes,
            in_channels=description.in_channels,
            weights=weights,
            seed=chosen.seed + fold,
        )

    found = measure_kinds(
        make_model,
        source.data.train,
        chosen,
        folds=folds,
        place=read_place(taps),
        settings=settings,
        folder=run / PARTIAL,
        progress=bars,
    )
    told = {"folds": folds, "placement": taps, "k": settings.k, "taps": found.tap_names, "train": chosen.to_dict()}
    write_all(run, {"folds.json": told, FOLDS_FILE: found.table(), "folds.npy": found.probabilities})
    shutil.rmtree(run / PARTIAL, ignore_errors=True)
    _report(run, found, as_json=as_json)


def _settings_of(run: Path, source: Source) -> TrainSettings:
    """The settings that the run was trained with; where it stopped early, as many epochs as it kept."""
    from layerwise.errors import FileError, RunError
    from layerwise.runs import RUN_FILE, steps_of
    from layerwise.training.settings import TrainSettings

    facts: dict[str, Any] | None = steps_of(run).get("train")
    if facts is None:
        raise RunError(
            f"{run} holds a network that was not trained there, and nobody knows how it was.\n"
            "    Train one: layerwise train MODEL DATA -o RUN"
        )
    noted = facts.get("settings")
    known = {one.name for one in fields(TrainSettings)}
    if not isinstance(noted, dict) or not set(noted) <= known:
        raise FileError(
            f"{run / RUN_FILE} does not say how the network was trained, or not in words of this layerwise.\n"
            "    Train it again: layerwise train MODEL DATA -o ANOTHER"
        )
    given = {**noted, "preprocessing": source.description.preprocessing, "device": "auto"}
    if given.get("early_stop") is not None:
        given |= {"early_stop": None, "epochs": facts.get("kept_epoch")}
    return TrainSettings(**given)


def _first_weights(run: Path) -> Path | None:
    """The weights from which the run's training started, if it did from some."""
    from layerwise.runs import steps_of

    facts = steps_of(run)["train"]
    return Path(facts.get("folder", ""), facts["weights"]) if facts.get("weights") else None


def _report(run: Path, found: FoldedDepths, *, as_json: bool) -> None:
    from layerwise.arrays.intervals import wilson_interval
    from layerwise.arrays.kinds import EXAMPLE_KINDS

    table = found.table()
    right = table["label"] == table["looks_like"]
    if as_json:
        counts = {kind: int((table["kind"] == kind).sum()) for kind in EXAMPLE_KINDS}
        print_json({"run": str(run), "examples": len(table), "accuracy": float(right.mean()), "kinds": counts})
        return
    rows = []
    for kind in EXAMPLE_KINDS:
        here = table["kind"] == kind
        low, high = wilson_interval(int(right[here].sum()), int(here.sum()))
        accuracy = share_with_interval(float(right[here].mean()), float(low), float(high)) if here.any() else "–"
        depths = [f"{table.loc[here, name].mean():.2f}" for name in ("training_depth", "held_out_depth")]
        rows.append((kind, str(int(here.sum())), *(depths if here.any() else ("–", "–")), accuracy))
    print_table(
        f"{len(table)} training images, each held out once",
        ("kind", "images", "depth trained on", "depth held out", "accuracy held out (95 % interval)"),
        rows,
    )
    say(f"Written to {run / FOLDS_FILE}.")
