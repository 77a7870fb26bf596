"""The section on training: its curves, and the last epoch in numbers."""

from __future__ import annotations

from typing import Literal

from layerwise.plots.training import plot_training_curves
from layerwise.report.html import Html, details, figure, joined, table, tag
from layerwise.report.pictures import Album
from layerwise.views.faults import SPLITS
from layerwise.views.run import RunView

Quantity = Literal["loss", "accuracy"]
QUANTITIES: dict[Quantity, str] = {
    "loss": "Mean loss per image; every split on the same scale.",
    "accuracy": "Share of images classified right.",
}

DAMAGED = (
    "history.parquet cannot be read: it is truncated, or of another kind. So there are no curves here. "
    "The command of the training, run again, writes it again from its checkpoint."
)


def training_section(view: RunView, album: Album) -> Html:
    """Loss and accuracy by epoch; nothing for a network that was trained elsewhere, words where they cannot be read."""
    if view.history_fault:
        return tag("p", DAMAGED)
    if view.history is None or view.history.empty:
        return Html()
    charts = [_chart(view, album, quantity) for quantity in QUANTITIES]
    lines = [
        [f"{row['epoch']}", row["split"], f"{row['loss']:.4f}", f"{100 * row['accuracy']:.2f} %"]
        for row in view.history.sort_values(["epoch", "split"]).to_dict("records")
    ]
    numbers = table(["Epoch", "Split", "Loss", "Accuracy"], lines, names=2)
    return joined([tag("div", *charts, class_="pair"), details("Epoch by epoch (one run, so no interval)", numbers)])


def _chart(view: RunView, album: Album, quantity: Quantity) -> Html:
    axes = plot_training_curves(view, quantity=quantity)
    return figure(album.chart(f"training-{quantity}", axes, _alt(view, quantity)), QUANTITIES[quantity])


def _alt(view: RunView, quantity: Quantity) -> str:
    if view.history is None:
        return ""
    ends = []
    for split in SPLITS:
        values = view.history[view.history["split"] == split].sort_values("epoch")[quantity]
        if len(values):
            ends.append(f"{split} from {values.iloc[0]:.3f} to {values.iloc[-1]:.3f}")
    return f"{quantity.capitalize()} by epoch: {', '.join(ends)}."
