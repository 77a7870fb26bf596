"""`python docs/results/maps_pictures.py RUN NAME`: the maps of a run as PNG, and their numbers as a Markdown table."""

from __future__ import annotations

import sys
from pathlib import Path

from layerwise.plots.maps import plot_tap_maps
from layerwise.views.maps import METHOD_NAMES, read_maps

HERE = Path(__file__).parent


def main() -> None:
    """Write the pictures and print the table."""
    run, name = Path(sys.argv[1]), sys.argv[2]
    view = read_maps(run)
    if view is None:
        sys.exit(f"{run} has no maps.")
    for method in view.methods:
        figure = plot_tap_maps(view, method).get_figure(root=True)
        figure.savefig(HERE / f"{name}-maps-{method}.png", dpi=80)
    print("| tap | method | labels, map | labels, features | trust | recall | variance kept | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in view.summary.to_dict("records"):
        numbers = [row[key] for key in ("label_accuracy", "feature_label_accuracy", "trustworthiness", "recall")]
        told = " | ".join(f"{number:.3f}" for number in numbers)
        kept = f"{row['explained']:.3f} | {row['seconds']:.0f}"
        print(f"| `{row['tap']}` | {METHOD_NAMES[row['method']]} | {told} | {kept} |")


if __name__ == "__main__":
    main()
