"""Encoders in a run folder, all under RUN/encoders/: the fitted encoders, their numbers, maps and reconstructions.

Each is written when it is finished, beside those that were measured before of the same images.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.data.images import ImageData
from layerwise.errors import FileError
from layerwise.inside.encoders.measured import EncoderPlan, EncoderReport, MeasuredEncoder
from layerwise.runs import as_file_name, read_array, read_json, read_table, write_all
from layerwise.taps import INPUT


def file_of(run: Path, kind: str, tap: str) -> Path:
    """Where an encoder lies, for its class to `load`."""
    name = kind if tap == INPUT else f"{kind}-{as_file_name(tap)}"
    return run / "encoders" / f"{name}.safetensors"


def kept_encoders(run: Path, key: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of the encoders that were measured with the same key; none if the files are not whole."""
    try:
        found = read_json(run / "encoders" / "encoders.json")
        rows = read_table(run / "encoders" / "encoders.parquet")
    except FileError:
        return pd.DataFrame()
    same = isinstance(found, dict) and {name: found.get(name) for name in key} == dict(key)
    whole = {"name", "encoder", "tap"} <= set(rows.columns) and all(
        file_of(run, row["encoder"], row["tap"]).exists() for row in rows.to_dict("records")
    )
    return rows if same and whole else pd.DataFrame()


def add_encoder(run: Path, one: MeasuredEncoder, of: EncoderPlan | EncoderReport, key: Mapping[str, Any]) -> None:
    """Write an encoder beside those of the same key; those of another key are removed.

    Args:
        run: the run folder.
        one: what was measured.
        of: the images, which of them were held out, and those that are reconstructed.
        key: what the numbers depend on, for encoders.json.
    """
    folder, path = run / "encoders", file_of(run, one.kind, one.tap)
    rows, points, pictures = _before(run, of, key)
    one.encoder.save(path)
    name = path.stem
    rows = [row for row in rows if row["name"] != name]
    rows.append({"name": name, "encoder": one.kind, "tap": one.tap, **one.facts})
    if one.coordinates is not None:
        points[f"{name}_x"], points[f"{name}_y"] = one.coordinates.T
    if one.reconstructions is not None:
        pictures[name] = one.reconstructions
    shown = [of.pictures, *(pictures[row["name"]] for row in rows if row["name"] in pictures)]
    told = {**key, "class_names": list(of.data.class_names), "learned": int((~of.held_out).sum())}
    write_all(
        folder,
        {
            "encoders.json": told,
            "encoders.parquet": pd.DataFrame(rows),
            "points.parquet": points,
            "pictures.npy": np.stack(shown).astype(np.float32),
        },
    )
    written = {file_of(run, row["encoder"], row["tap"]) for row in rows}
    for old in set(folder.glob("*.safetensors")) - written:
        old.unlink()


def save_encoders(run: Path, report: EncoderReport, *, facts: Mapping[str, Any]) -> list[Path]:
    """Write all encoders of a report; gives the files that their classes can `load`."""
    for one in report.encoders:
        add_encoder(run, one, report, facts)
    return [file_of(run, one.kind, one.tap) for one in report.encoders]


def _before(
    run: Path, of: EncoderPlan | EncoderReport, key: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], pd.DataFrame, dict[str, NDArray[np.float32]]]:
    """Rows, points, and reconstructions by name, of what was measured with the same key."""
    rows = kept_encoders(run, key)
    if rows.empty:
        return [], _bare_points(of.data, of.held_out), {}
    points, pictures = (
        read_table(run / "encoders" / "points.parquet"),
        read_array(run / "encoders" / "pictures.npy"),
    )
    reconstructing = rows["name"][rows["error"].notna()] if "error" in rows else ()
    known = [
        {str(name): value for name, value in row.items() if value == value}  # a table has NaN where a row says nothing
        for row in rows.to_dict("records")
    ]
    return known, points, dict(zip(reconstructing, pictures[1:], strict=True))


def _bare_points(data: ImageData, held_out: NDArray[np.bool_]) -> pd.DataFrame:
    return pd.DataFrame({"id": data.ids, "label": data.labels, "held_out": held_out})
