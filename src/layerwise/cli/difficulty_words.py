"""What `layerwise difficulty` prints of a measurement: tables for people, one JSON object for programs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import print_json, print_table, say, share_with_interval

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from layerwise.difficulty.depths import Depths
    from layerwise.views.run import RunView


def print_depths(folder: Path, depths: Depths, seconds: float, *, as_json: bool) -> None:
    """Depths alone: how many are decided at each tap, and how many were asked."""
    from layerwise.cli.sources import named_model

    names = [tap.name for tap in depths.taps]
    if as_json:
        splits = {
            split: _depth_summary(depths.depth[depths.splits == split], len(names))
            for split in dict.fromkeys(depths.splits.tolist())
        }
        asked = dict(zip(names, depths.asked.tolist(), strict=True))
        facts = {"run": str(folder), "taps": names, "seconds": round(seconds, 2), "asked": asked, "splits": splits}
        print_json(facts | _approximate(depths.tap_table()))
        return
    tap_to_seconds = depths.provenance["seconds"]["search"]
    decided = [int((depths.depth == depth).sum()) for depth in range(len(names) + 1)]
    rows = [
        (depth, name, decided[depth], int(asked), f"{tap_to_seconds[name]:.1f}" if name in tap_to_seconds else "–")
        for depth, (name, asked) in enumerate(zip(names, depths.asked, strict=True))
    ]
    print_table(
        f"{len(depths)} images, asked from the last tap backwards until a probe disagrees",
        ("depth", "tap", "decided here", "asked", "seconds"),
        [*rows, (len(names), "unresolved", decided[-1], "–", "–")],
    )
    _say_if_approximate(depths.tap_table())
    again = f"layerwise difficulty {folder}{named_model(folder)} --again"
    say(f"Written to {folder}. For the report, measure all of it: {again}")


def print_difficulty(folder: Path, seconds: float, *, as_json: bool) -> None:
    """A whole measurement, as the run folder holds it: a row for each depth of each split."""
    from layerwise.views.depths import accuracy_by_depth
    from layerwise.views.run import read_run
    from layerwise.views.taps import network_accuracy, probe_accuracy

    view = read_run(folder)
    if as_json:
        print_json(_summary(folder, view, network_accuracy(view), seconds) | _approximate(view.taps))
        return
    depths = accuracy_by_depth(view).merge(
        probe_accuracy(view), how="left", on=["split", "tap"], suffixes=("", "_probe")
    )
    for split, rows in depths.groupby("split", sort=False):
        print_table(
            f"{split}: {int(rows['count'].sum())} images",
            ("depth", "tap", "accuracy of its probe", "decided here", "share", "accuracy of the network there"),
            [_cells(row) for row in rows.to_dict("records")],
        )
    _say_if_approximate(view.taps)
    say(f"Written to {folder}. Look at it: layerwise report {folder}")


def say_where_time_went(seconds: Mapping[str, Any], total_s: float) -> None:
    """Recording, and the search at each tap, the longest first."""
    searches = sorted(seconds["search"].items(), key=itemgetter(1), reverse=True)
    by_tap = ", ".join(f"{tap} {search_s:.1f}" for tap, search_s in searches)
    searching_s = sum(search_s for _, search_s in searches)
    say(f"{total_s:.1f} s: recording {seconds['recording']:.1f}, searching {searching_s:.1f} ({by_tap})")


def _say_if_approximate(taps: pd.DataFrame) -> None:
    from layerwise.views.approximation import approximation

    if said := approximation(taps):
        say(said)


def _approximate(taps: pd.DataFrame) -> dict[str, str]:
    from layerwise.views.approximation import approximation

    said = approximation(taps)
    return {"approximate": said} if said else {}


def _cells(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    return (
        str(row["depth"]),
        row["tap"],
        share_with_interval(row["accuracy_probe"], row["accuracy_low_probe"], row["accuracy_high_probe"]),
        str(row["count"]),
        f"{row['share']:.3f}",
        share_with_interval(row["accuracy"], row["accuracy_low"], row["accuracy_high"]),
    )


def _summary(folder: Path, view: RunView, accuracy: pd.DataFrame, seconds: float) -> dict[str, Any]:
    return {
        "run": str(folder),
        "taps": view.tap_names,
        "seconds": round(seconds, 2),
        "splits": {
            row["split"]: {
                **_depth_summary(view.examples["depth"].to_numpy()[view.rows(row["split"])], len(view.tap_names)),
                "accuracy": row["accuracy"],
                "accuracy_95": [row["accuracy_low"], row["accuracy_high"]],
            }
            for row in accuracy.to_dict("records")
        },
    }


def _depth_summary(depth: NDArray[np.int64], taps: int) -> dict[str, Any]:
    resolved = depth[depth < taps]
    return {
        "examples": len(depth),
        "mean_depth_of_resolved": float(resolved.mean()) if len(resolved) else None,
        "unresolved": len(depth) - len(resolved),
    }
