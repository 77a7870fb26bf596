"""The curves of training: every split on one scale, so that a gap is a gap."""

from __future__ import annotations

from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from layerwise.errors import RunError
from layerwise.plots.style import SPLIT_COLORS, axes_or_new, percent_axis, style
from layerwise.views.faults import SPLITS
from layerwise.views.run import RunView


def plot_training_curves(
    view: RunView, ax: Axes | None = None, *, quantity: Literal["loss", "accuracy"] = "loss"
) -> Axes:
    """Mean loss per image, or accuracy, of each split by epoch.

    Raises:
        RunError: the run has no history (the network was trained elsewhere), or it cannot be read.
    """
    if view.history_fault:
        raise RunError(
            f"{view.history_fault}\n    Write it again from the checkpoint: run the command of the training again."
        )
    if view.history is None:
        raise RunError(
            f"no history.parquet in {view.name}: the network was trained elsewhere.\n"
            "    Train it with: layerwise train MODEL DATA -o RUN"
        )
    with style():
        ax = axes_or_new(ax, 5.6, 2.9)
        for split in SPLITS:
            rows = view.history[view.history["split"] == split].sort_values("epoch")
            rows = rows[rows[quantity].notna()]
            if len(rows):
                ax.plot(rows["epoch"], rows[quantity], "o-", ms=3, lw=1.4, color=SPLIT_COLORS[split], label=split)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("epoch")
        if quantity == "accuracy":
            ax.yaxis.set_major_formatter(percent_axis())
            ax.set_ylabel("accuracy")
        else:
            ax.set_ylim(bottom=0)
            ax.set_ylabel("loss (mean per image)")
        ax.legend(loc="best")
        ax.set_title("Loss" if quantity == "loss" else "Accuracy")
    return ax
