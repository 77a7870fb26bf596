"""`layerwise difficulty RUN --label-errors`: which labels are wrong, what they should be, and what speaks for it."""

from __future__ import annotations

import shutil
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from layerwise.cli.console import bars, print_json, print_table, say

if TYPE_CHECKING:
    from layerwise.cli.sources import Source
    from layerwise.difficulty.labels.errors import LabelErrors
    from layerwise.difficulty.labels.evidence import Evidence
    from layerwise.difficulty.settings import ProbeSettings

LISTED = 10


@dataclass(frozen=True)
class Csv:
    """A file that labels are exported to, and for which tool."""

    path: Path
    names: str


def check_not_ranked(run: Path) -> None:
    """Refuse to write over labels that were ranked before."""
    from layerwise.difficulty.labels.folder import LABELS_FOLDER
    from layerwise.errors import RunError

    if (run / LABELS_FOLDER / "labels.json").exists():
        raise RunError(
            f"{run} holds suspect labels already.\n"
            f"    Look at them: layerwise report {run}, or {run / LABELS_FOLDER / 'labels.parquet'}. "
            "To export them, add --csv FILE; to rank them again, --again."
        )


def read_csv_options(path: Path | None, names: str | None, *, label_errors: bool) -> Csv | None:
    """Where to export to; None for nowhere.

    Raises:
        InputError: an option without the one that it belongs to, or a tool that is not known.
        FileError: the file is there already.
    """
    from layerwise.difficulty.labels.export import EXPORTS
    from layerwise.errors import FileError, InputError, UnknownNameError, did_you_mean

    if path is None:
        if names is not None:
            raise InputError(f"--csv-for {names} says for which tool, and not where to. Add --csv FILE.")
        return None
    if not label_errors:
        raise InputError("--csv exports what --label-errors finds. Add it: layerwise difficulty RUN --label-errors …")
    names = names or "plain"
    if names not in EXPORTS:
        raise UnknownNameError(
            f'--csv-for "{names}" is not known.{did_you_mean(names, EXPORTS)}\n    Choose one of: {", ".join(EXPORTS)}.'
        )
    if path.exists():
        raise FileError(f"{path} is there already: it would be lost. Give another name, or remove it.")
    return Csv(path, names)


def export_found(run: Path, csv: Csv, *, as_json: bool) -> bool:
    """Export the labels that were ranked before, without ranking them again; whether there are any.

    Raises:
        FileError: what the run holds of them is damaged.
    """
    from layerwise.difficulty.labels.errors import find_label_errors
    from layerwise.difficulty.labels.folder import LABELS_FOLDER
    from layerwise.errors import FileError
    from layerwise.runs import read_object
    from layerwise.training.dynamics import load_dynamics

    path = run / LABELS_FOLDER / "labels.json"
    if not path.exists():
        return False
    class_names = read_object(path).get("class_names")
    if not isinstance(class_names, list):
        raise FileError(f"{path} names no classes.\n    Again: layerwise difficulty {run} --label-errors --again")
    ids, dynamics = load_dynamics(run)
    _export(find_label_errors(dynamics, ids=ids, class_names=[str(one) for one in class_names]), csv)
    if as_json:
        print_json({"run": str(run), "images": len(ids), "csv": str(csv.path)})
    return True


def _export(errors: LabelErrors, csv: Csv) -> None:
    from layerwise.difficulty.labels.export import Export, export_label_errors
    from layerwise.runs import write_text

    write_text(csv.path, export_label_errors(errors, cast("Export", csv.names)).to_csv(index=False))
    say(f"Exported {len(errors)} labels, in the order of the training images: {csv.path}")


def rank_labels(
    source: Source,
    run: Path,
    *,
    taps: str,
    suspects: int,
    settings: ProbeSettings,
    csv: Csv | None,
    as_json: bool,
) -> None:
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
    if csv is not None:
        _export(errors, csv)
    _report(run, errors, evidence, csv=csv, as_json=as_json)


def _report(run: Path, errors: LabelErrors, evidence: Evidence, *, csv: Csv | None, as_json: bool) -> None:
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
    say(f"Written to {run / 'labels'}. Look at them: {_next_steps(run)}")
    if csv is None:
        say("For other tools, cleanlab's and FiftyOne's among them: the same command with --csv FILE")


def _next_steps(run: Path) -> str:
    """Commands that show the labels, and the story of each image."""
    from layerwise.cli.sources import named_model
    from layerwise.runs import read_table

    named = named_model(run)
    everything, explore = f"layerwise difficulty {run}{named} --split all", f"layerwise explore {run}{named}"
    if not (run / "votes.npy").exists():
        return f"{everything} && layerwise report {run}, or then {explore}"
    if "train" in set(read_table(run / "examples.parquet")["split"]):
        return f"layerwise report {run}, or {explore}"
    return f"layerwise report {run}. For the story of each training image: {everything} --again, then {explore}"


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
