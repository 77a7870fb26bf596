"""`layerwise difficulty RUN --label-errors`: which labels are wrong, what they should be, and what speaks for it."""

from __future__ import annotations

import shutil
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import bars, print_json, print_table, say

if TYPE_CHECKING:
    from layerwise.cli.sources import Source
    from layerwise.difficulty.labels.errors import LabelErrors
    from layerwise.difficulty.labels.evidence import Evidence
    from layerwise.difficulty.settings import ProbeSettings

LISTED = 10


def check_not_ranked(run: Path) -> None:
    """Refuse to write over labels that were ranked before."""
    from layerwise.difficulty.labels.folder import LABELS_FOLDER
    from layerwise.errors import RunError

    if (run / LABELS_FOLDER / "labels.json").exists():
        raise RunError(
            f"{run} holds suspect labels already.\n"
            f"    Look at them: layerwise report {run}, or {run / LABELS_FOLDER / 'labels.parquet'}. "
            "To rank them again, add --again."
        )


def rank_labels(source: Source, run: Path, *, taps: str, suspects: int, settings: ProbeSettings, as_json: bool) -> None:
    """Rank the labels that the run was trained on, gather evidence on the most suspect ones, save, and print."""
    from layerwise.cli.sources import read_place
    from layerwise.difficulty.labels.errors import find_label_errors
    from layerwise.difficulty.labels.evidence import gather_evidence
    from layerwise.difficulty.labels.folder import LABELS_FOLDER, save_label_errors
    from layerwise.difficulty.measuring import measure_difficulty
    from layerwise.errors import InputError, RunError
    from layerwise.training.dynamics import load_dynamics

    if suspects < 1:
        raise InputError(f"--suspects is how many labels evidence is gathered on, at least 1; got {suspects}.")
    ids, dynamics = load_dynamics(run)
    train = source.data.train
    if ids.tolist() != train.ids.tolist():
        raise RunError(
            f"{run} noted the dynamics of {len(ids)} images, and these are {len(train)} others.\n"
            "    Give the images that it was trained on: leave --data out."
        )
    changed = int((dynamics.labels != train.labels).sum())
    if changed:
        raise RunError(
            f"{run} noted the dynamics of other labels than these: {changed} of {len(ids)} differ.\n"
            "    Give the images with the labels that it was trained on: leave --data out. Or train on these."
        )
    errors = find_label_errors(dynamics, ids=ids, class_names=train.class_names)
    chosen, partial = train.select(errors.order[:suspects]), run / LABELS_FOLDER / "partial"
    measured = measure_difficulty(
        source.model,
        train,
        chosen,
        place=read_place(taps),
        preprocessing=source.description.preprocessing,
        settings=settings,
        partial=partial,
        progress=bars,
    )
    evidence = gather_evidence(errors, measured)
    facts = {**source.facts, "epochs": dynamics.epochs, "k": settings.k, "placement": taps, "images": len(train)}
    save_label_errors(run, errors, evidence, train, facts=facts)
    shutil.rmtree(partial, ignore_errors=True)
    _report(run, errors, evidence, as_json=as_json)


def _report(run: Path, errors: LabelErrors, evidence: Evidence, *, as_json: bool) -> None:
    table = errors.table().merge(evidence.table(), on="id", how="left")
    counts = {kind: int((errors.kind == kind).sum()) for kind in ("mislabelled", "ambiguous")}
    if as_json:
        print_json(_summary(run, len(errors), counts, table.head(LISTED).to_dict("records")))
        return
    rows = [_cells(row) for row in table.head(LISTED).to_dict("records")]
    print_table(
        f"{len(errors)} labels: {counts['mislabelled']} look wrong, {counts['ambiguous']} ambiguous",
        ("rank", "image", "label", "suggested", "suspicion", "most likely", "neighbours of the suggested class"),
        rows,
    )
    first = "" if (run / "votes.npy").exists() else f"layerwise difficulty {run} && "
    say(f"Written to {run / 'labels'}. Look at them: {first}layerwise report {run}")


def _cells(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    gathered = isinstance(row["lost_at_tap"], str)
    return (
        str(row["rank"]),
        row["id"],
        row["label_name"],
        row["suggested_name"],
        f"{row['suspicion']:.2f}",
        row["kind"],
        f"{100 * row['for_suggested']:.0f} % at {row['lost_at_tap']}" if gathered else "",
    )


def _summary(run: Path, images: int, counts: dict[str, int], first: list[dict[Hashable, Any]]) -> dict[str, Any]:
    return {"run": str(run), "images": images, **counts, "most_suspect": first}
