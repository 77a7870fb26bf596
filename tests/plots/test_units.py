"""Units are drawn, with words where there is nothing to draw."""

from __future__ import annotations

from pathlib import Path

from inside_files import write_units
from layerwise.plots.units import plot_firing, plot_gradients, plot_top_images
from layerwise.views.units import read_units
from toy_runs import make_run


def test_units_are_drawn(tmp_path: Path) -> None:
    units = read_units(write_units(make_run(tmp_path)))
    assert units is not None
    assert [text.get_text() for text in plot_firing(units).texts] == ["1 of 8 dead"]
    ax = plot_gradients(units)
    assert ax.get_yscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["layer1", "fc"]
    rows = [label.get_text() for label in plot_top_images(units, "layer1").get_yticklabels()]
    assert [row.partition(",")[0] for row in rows] == ["unit 0", "unit 5"]
    assert "no unit tells classes apart" in [text.get_text() for text in plot_top_images(units, "fc").texts]
