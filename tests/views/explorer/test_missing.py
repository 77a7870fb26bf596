"""What the page says that a run has not: words that are true of it, and commands that work for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inside_files import write_maps
from label_files import write_labels
from layerwise.errors import FileError
from layerwise.runs import read_table, write_table
from layerwise.views.explorer.payload import explorer_payload
from layerwise.views.run import read_run

MakeRun = Callable[..., Path]


def missing(run: Path) -> dict[str, tuple[str, str]]:
    return {one["part"]: (one["words"], one["command"]) for one in explorer_payload(read_run(run)).manifest["missing"]}


def test_scores_of_training_images_that_are_no_examples_are_told(make_run: MakeRun, tmp_path: Path) -> None:
    run = write_labels(make_run(tmp_path / "run", class_names=("ant", "bee", "cat", "dog")))
    assert missing(run)["training images"] == (
        "Suspect labels and scores of training are known of training images, "
        "which are not among the examples of this run.",
        f"layerwise difficulty {run} --split all --again",
    )


def test_labels_are_ranked_only_after_the_training_was_noted(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    assert missing(run)["labels"] == (
        "Labels were not ranked. Train again, with this; then: layerwise difficulty RUN --label-errors",
        "layerwise train MODEL DATA -o RUN --log-dynamics",
    )


def test_examples_that_are_not_on_the_maps_are_counted_with_the_command_that_maps_them(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = write_maps(make_run(tmp_path / "run", split_counts={"validation": 20, "test": 50}))
    assert "places on the maps" not in missing(run)
    for path in (run / "maps").glob("*.parquet"):
        write_table(path, read_table(path).head(40))
    assert missing(run)["places on the maps"] == (
        "30 of 70 examples are not on the maps.",
        f"layerwise inside {run} --embed pca,tsne --split all --again",
    )


def test_a_part_that_was_half_written_is_told_with_the_command_that_makes_it_and_the_rest_is_shown(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    write_maps(run)
    lost = next((run / "maps").glob("*.parquet"))
    lost.unlink()
    with pytest.raises(FileError, match="cannot be read"):
        read_run(run)
    view = read_run(run, leave_out_damaged=True)
    assert list(view.damaged) == ["maps"]
    manifest = explorer_payload(view).manifest
    assert manifest["maps"] == []
    assert [one for one in manifest["missing"] if one["part"] == "maps"] == [
        {
            "part": "maps",
            "words": f"the maps in {run / 'maps'} cannot be read (no file {lost}.).",
            "command": f"layerwise inside {run} --embed pca,tsne --again",
        }
    ]
