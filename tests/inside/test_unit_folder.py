"""Units in a run folder, also where none tells classes apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inside.test_units import images, small
from layerwise.inside.gradients import gradient_norms
from layerwise.inside.unit_folder import UNITS_SHOWN, save_units
from layerwise.inside.units import measure_units
from layerwise.views.units import read_units


def test_the_most_selective_units_keep_the_pictures_of_their_images(tmp_path: Path) -> None:
    model, data = small(), images()
    report = measure_units(model, data, top=3)
    save_units(tmp_path, report, gradient_norms(model, data), data, facts={"split": "all"})
    view = read_units(tmp_path)
    assert view is not None
    for tap in view.taps:
        units = report.units["tap"] == tap
        best = np.sort(report.selectivity()[units])[::-1]
        best = best[~np.isnan(best)][:UNITS_SHOWN]
        shown = view.shown[view.shown["tap"] == tap]
        assert shown["unit"].nunique() == len(best)
    first = view.shown.iloc[0]
    row = data.ids.tolist().index(first["id"])
    values = report.top[(report.units["tap"] == first["tap"]) & (report.units["unit"] == first["unit"])]
    assert values[0, 0] == row
    assert len(view.pictures) == len(view.shown)


def test_images_of_one_class_leave_no_unit_to_show(tmp_path: Path) -> None:
    model, data = small(), images()
    alike = data.select(np.flatnonzero(data.labels == 0))
    save_units(tmp_path, measure_units(model, alike), gradient_norms(model, alike), alike, facts={"split": "all"})
    view = read_units(tmp_path)
    assert view is not None
    assert (len(view.shown), view.pictures.shape) == (0, (0, 1, 8, 8))
