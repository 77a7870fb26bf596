"""Maps in a run folder, all under RUN/maps/: for each tap a table of the points and what places new ones.

A tap's files are written when its maps are drawn, so that a killed command goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layerwise.arrays.map_quality import MapQuality
from layerwise.errors import FileError, RunError
from layerwise.inside.embedding.reduction import Reduction
from layerwise.inside.embedding.result import Embedding, TapMaps
from layerwise.recording.activations import file_name
from layerwise.runs import read_array, read_json, read_table, write_all, write_json
from layerwise.taps import Tap

INDEX = "maps.json"
_PER_METHOD = ("x", "y", "trust", "recall", "vote")


def maps_folder(run: Path) -> Path:
    """Where a run keeps its maps."""
    return run / "maps"


def begin_maps(run: Path, key: Mapping[str, Any], *, again: bool = False) -> None:
    """Say what the maps are of and how they are drawn; those drawn otherwise are removed, with `again` all."""
    folder = maps_folder(run)
    if folder.exists() and (again or not _drawn_so(run, key)):
        (folder / INDEX).unlink(missing_ok=True)  # first: it says that the others are there
        for old in folder.iterdir():
            if old.name[:2].isdigit():
                old.unlink()
    if not (folder / INDEX).exists():
        write_json(folder / INDEX, {"key": _as_read(key), "taps": []})


def save_tap_maps(run: Path, maps: TapMaps) -> None:
    """Write the maps of one tap, then add it to the list."""
    folder, first = maps_folder(run), maps.maps[0]
    stem = file_name(Tap(first.tap, first.order, ()))[: -len(".npy")]
    points = pd.DataFrame({"id": first.ids, "label": first.labels, "feature_vote": first.quality.feature_votes})
    for one in maps.maps:
        table = one.table()
        for column in _PER_METHOD:
            points[f"{one.method}_{column}"] = table[column]
    reduction = maps.reduction
    write_all(
        folder,
        {
            f"{stem}.json": {
                "tap": first.tap,
                "order": first.order,
                "k": first.quality.k,
                "explained": reduction.explained.tolist(),
                "exact": reduction.exact,
                "methods": {one.method: dict(one.facts) for one in maps.maps},
            },
            f"{stem}.parquet": points,
            f"{stem}.values.npy": maps.reduced,
            f"{stem}.components.npy": np.concatenate([reduction.mean[None], reduction.components]),
        },
    )
    index = read_json(folder / INDEX)
    write_json(folder / INDEX, {**index, "taps": [*(name for name in index["taps"] if name != stem), stem]})


def load_maps(run: Path | str) -> Iterator[TapMaps]:
    """The maps of a run, tap by tap in order of execution.

    Raises:
        RunError: no maps were drawn.
        FileError: a file is damaged.
    """
    run = Path(run)
    for stem in sorted(_stems(run), key=_order):
        yield _load_tap(maps_folder(run), stem, run)


def finished_maps(run: Path, key: Mapping[str, Any]) -> dict[str, TapMaps]:
    """The maps that are there already, by tap, if they are of the same and were drawn in the same way.

    A tap may have maps by other methods than the key asks for, or not by all of them.
    """
    return {maps.tap: maps for maps in load_maps(run)} if _drawn_so(run, key) else {}


def _drawn_so(run: Path, key: Mapping[str, Any]) -> bool:
    path = maps_folder(run) / INDEX
    if not path.exists():
        return False
    index = read_json(path)
    known = index.get("key") if isinstance(index, dict) else None
    return isinstance(known, dict) and _as_read(known) == _as_read(key)


def _as_read(key: Mapping[str, Any]) -> Any:
    """As JSON gives it back, where a tuple is a list; without the methods, whose maps stand beside each other."""
    return json.loads(json.dumps({name: value for name, value in key.items() if name != "methods"}))


def _stems(run: Path) -> Sequence[str]:
    path = maps_folder(run) / INDEX
    if not path.exists():
        raise RunError(f"{run} has no maps.\n    Draw them: layerwise inside {run} --embed pca,tsne")
    index = read_json(path)
    taps = index.get("taps") if isinstance(index, dict) else None
    if not isinstance(taps, list):
        raise FileError(f"{path} does not list maps. Remove {path.parent}, and draw them again.")
    return [str(name) for name in taps]


def _order(stem: str) -> int:
    """A hundredth tap comes after the ninety-ninth."""
    number = stem.partition("-")[0]
    return int(number) if number.isdigit() else 0


def _load_tap(folder: Path, stem: str, run: Path) -> TapMaps:
    try:
        facts = read_json(folder / f"{stem}.json")
        points = read_table(folder / f"{stem}.parquet")
        reduced = read_array(folder / f"{stem}.values.npy")
        rows = read_array(folder / f"{stem}.components.npy")
        explained = np.array(facts["explained"], np.float64)
        reduction = Reduction(rows[0], rows[1:], explained, bool(facts["exact"]))
        maps = tuple(_embedding(facts, points, method) for method in facts["methods"])
    except (FileError, KeyError, TypeError, ValueError, IndexError) as error:
        raise FileError(
            f"{folder / stem}.* do not hold maps ({error}).\n    Draw them again: layerwise inside {run} --again"
        ) from error
    if not maps or reduced.shape != (len(points), len(reduction.components)):
        raise FileError(f"{folder / stem}.* do not belong together.\n    Again: layerwise inside {run} --again")
    return TapMaps(maps, reduction, reduced)


def _embedding(facts: Mapping[str, Any], points: pd.DataFrame, method: str) -> Embedding:
    def column(name: str) -> NDArray[Any]:
        return points[f"{method}_{name}"].to_numpy()

    labels = points["label"].to_numpy(np.int64)
    quality = MapQuality(
        column("trust"), column("recall"), column("vote"), points["feature_vote"].to_numpy(), labels, int(facts["k"])
    )
    coordinates = np.stack([column("x"), column("y")], axis=1).astype(np.float32)
    ids = points["id"].to_numpy(str)
    return Embedding(
        str(facts["tap"]), int(facts["order"]), method, coordinates, quality, ids, facts["methods"][method]
    )
