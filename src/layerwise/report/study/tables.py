"""The numbers of a study's report as files: summary.json, cells.csv, claims.csv, runs.csv."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd

from layerwise.arrays.blocks import Estimate
from layerwise.runs import write_json, write_text
from layerwise.study.summary import StudySummary
from layerwise.study.trials import MEASURES


def write_tables(summary: StudySummary, folder: Path) -> None:
    """Write the numbers beside the report."""
    write_json(folder / "summary.json", as_json(summary))
    _write_csv(pd.concat([summary.table(one).assign(measure=one) for one in MEASURES]), folder / "cells.csv")
    claims = pd.DataFrame([_flat_claim(one) for one in summary.judged])
    _write_csv(claims.assign(planned_look=summary.planned_look), folder / "claims.csv")
    settings = {cell.address: dict(cell.settings) for cell in summary.study.cells}
    runs = pd.concat([summary.records, pd.DataFrame([settings[cell] for cell in summary.records["cell"]])], axis=1)
    _write_csv(runs, folder / "runs.csv")


def as_json(summary: StudySummary) -> dict[str, Any]:
    """Verdict, cells, claims and references as plain values."""
    return {
        "study": summary.study.name,
        "title": summary.study.title,
        "hypothesis": summary.study.hypothesis,
        "blocks": summary.blocks,
        "used": summary.used,
        "verdict": summary.verdict,
        "same_hypothesis": summary.same_hypothesis,
        "planned_look": summary.planned_look,
        "departures": list(summary.departures),
        "failures": len(summary.failures),
        "cells": summary.table().to_dict("records"),
        "claims": [_claim(one) for one in summary.judged],
        "references": [
            {
                "source": one.reference.source,
                "measure": one.reference.measure,
                "cell": one.reference.cell,
                "value": one.reference.value,
                "ours": _told(one.ours),
                "inside": one.inside,
                "runs_95": [one.run_low, one.run_high],
                "among_runs": one.among_runs,
            }
            for one in summary.beside
        ],
    }


def _claim(one: Any) -> dict[str, Any]:
    return {
        "claim": one.finding.comparison.claim,
        "kind": one.finding.comparison.kind,
        "measure": one.finding.comparison.measure,
        "bound": one.finding.comparison.bound,
        "primary": one.finding.comparison.primary,
        "planned": one.planned,
        "effect": _told(one.finding.effect),
        "p": one.finding.p,
        "p_adjusted": one.p_adjusted,
        "verdict": one.verdict,
        "still_needed": one.still_needed,
    }


def _flat_claim(one: Any) -> dict[str, Any]:
    """A claim with a column for each number of its effect."""
    told, effect = _claim(one), one.finding.effect
    del told["effect"]
    numbers = {"value": effect.value, "blocks": effect.blocks, "low": effect.low, "high": effect.high}
    return told | {f"effect_{key}": value for key, value in numbers.items()}


def _told(effect: Estimate) -> dict[str, Any]:
    return {"value": effect.value, "interval_95": [effect.low, effect.high], "blocks": effect.blocks}


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False)
    write_text(path, buffer.getvalue())
