"""The four kinds of a run are read whole, counted, and drawn; or refused with the way to measure them again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from label_files import AMBIGUOUS, WRONG, write_folds
from layerwise.errors import FileError
from layerwise.plots.kinds import plot_kinds
from layerwise.runs import read_table, write_json, write_table
from layerwise.views.kinds import read_kinds


def test_kinds_are_counted_and_the_clearest_come_first(tmp_path: Path) -> None:
    assert read_kinds(tmp_path) is None
    view = read_kinds(write_folds(tmp_path))
    assert view is not None
    counts = view.counts().set_index("kind")
    assert counts["count"].sum() == 100
    assert counts.loc["ambiguous", "count"] >= AMBIGUOUS
    likes = view.examples[view.examples["label"] != view.examples["looks_like"]]
    assert len(likes) == WRONG
    ahead = view.most("looks like another class", 5)
    differences = (ahead["training_depth"] - ahead["held_out_depth"]).to_numpy()
    assert (np.diff(differences) <= 0).all()


def test_the_picture_holds_every_image_in_the_cell_of_its_depths(tmp_path: Path) -> None:
    view = read_kinds(write_folds(tmp_path))
    assert view is not None
    grid = view.grid()
    assert grid.sum() == 100
    assert grid[3].sum() == AMBIGUOUS
    words = [int(text.get_text()) for text in plot_kinds(view).texts]
    assert sorted(words) == sorted(grid[grid > 0].tolist())


def test_folds_that_are_damaged_or_do_not_belong_together_are_said(tmp_path: Path) -> None:
    run = write_folds(tmp_path)
    write_json(run / "folds.json", {"folds": 5, "taps": ["input"]})
    with pytest.raises(FileError, match=r"do not belong together.\n    Measure them again: layerwise difficulty"):
        read_kinds(run)
    (run / "folds.parquet").write_text("[")
    with pytest.raises(FileError, match=r"Measure them again: layerwise difficulty .* --folds 5 --again"):
        read_kinds(run)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda table: table.assign(held_out_depth="deep"), "held_out_depth holds no numbers"),
        (lambda table: table.assign(held_out_depth=0.5), "held_out_depth holds fractions; whole numbers are expected"),
        (lambda table: table.assign(training_depth=np.inf), "training_depth holds NaN or infinity"),
        (lambda table: table.assign(training_depth=-1.0), "training_depth lies outside 0 and above"),
        (lambda table: table.assign(looks_like=np.nan), "looks_like holds NaN or infinity"),
        (lambda table: table.assign(kind=3), "kind holds others than the four"),
        (lambda table: table.drop(columns=["kind", "id"]), "there is no column id, kind"),
        (lambda table: table.head(0), "there is no row"),
    ],
)
def test_folds_that_were_edited_are_refused_where_they_are_read(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], fault: str
) -> None:
    path = write_folds(tmp_path) / "folds.parquet"
    write_table(path, change(read_table(path)))
    with pytest.raises(FileError) as edited:
        read_kinds(tmp_path)
    assert str(edited.value) == (
        f"{path} is damaged: {fault}.\n    Measure them again: layerwise difficulty {tmp_path} --folds 5 --again"
    )
