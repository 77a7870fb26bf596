"""Encoders in a run folder, all under RUN/encoders/: the fitted encoders, their numbers, maps and reconstructions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerwise.inside.encoders.measured import EncoderReport
from layerwise.runs import as_file_name, write_all
from layerwise.taps import INPUT


def save_encoders(run: Path, report: EncoderReport, *, facts: Mapping[str, Any]) -> list[Path]:
    """Write a report of encoders, and each encoder as a file that its class can `load`; gives the latters' paths.

    Encoders that were measured before are removed.

    Args:
        run: the run folder.
        report: what was measured.
        facts: of what, for encoders.json.
    """
    folder, data = run / "encoders", report.data
    (folder / "encoders.json").unlink(missing_ok=True)  # first: it says that the others belong together
    points = pd.DataFrame({"id": data.ids, "label": data.labels, "held_out": report.held_out})
    rows, pictures, paths = [], [report.pictures], []
    for one in report.encoders:
        name = one.kind if one.tap == INPUT else f"{one.kind}-{as_file_name(one.tap)}"
        paths.append(folder / f"{name}.safetensors")
        one.encoder.save(paths[-1])
        rows.append({"name": name, "encoder": one.kind, "tap": one.tap, **one.facts})
        if one.coordinates is not None:
            points[f"{name}_x"], points[f"{name}_y"] = one.coordinates.T
        if one.reconstructions is not None:
            pictures.append(one.reconstructions)
    write_all(
        folder,
        {
            "encoders.json": {**facts, "class_names": list(data.class_names), "learned": int((~report.held_out).sum())},
            "encoders.parquet": pd.DataFrame(rows),
            "points.parquet": points,
            "pictures.npy": np.stack(pictures).astype(np.float32),
        },
    )
    for old in set(folder.glob("*.safetensors")) - set(paths):
        old.unlink()
    return paths
