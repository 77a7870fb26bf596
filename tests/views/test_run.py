"""Reading a run folder: what is there is given, and what cannot be used is refused in words."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from inside_files import write_units
from layerwise.errors import FileError, InputError, RunError
from layerwise.runs import read_table, write_array, write_json, write_table
from layerwise.views.run import read_run

Maker = Callable[..., Path]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, make_run: Maker) -> Path:
    return make_run(tmp_path_factory.mktemp("whole") / "run", split_counts={"test": 30, "train": 20})


@pytest.fixture
def run(tmp_path: Path, whole: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def test_a_run_is_read_with_its_splits_in_order(run: Path) -> None:
    view = read_run(run)
    assert view.splits == ("train", "test")
    assert view.main_split == "test"
    np.testing.assert_array_equal(view.rows(), np.arange(30))
    np.testing.assert_array_equal(view.rows("train"), np.arange(30, 50))
    assert view.depth_names[-2:] == ("softmax", "unresolved")
    assert view.factors == ("size", "noise", "occluded", "rotation_degrees", "source")
    assert view.agree_with == "prediction"


def test_arrays_stay_on_disk_until_they_are_looked_at(run: Path) -> None:
    assert isinstance(read_run(run).thumbnails, np.memmap)


@pytest.mark.parametrize(
    "name", ["neighbors.npy+base.parquet", "thumbnails.npy", "base_thumbnails.npy", "history.parquet", "model.json"]
)
def test_parts_that_are_not_needed_may_be_missing(run: Path, name: str) -> None:
    for file in name.split("+"):
        (run / file).unlink()
    view = read_run(run)
    assert len(view.examples) == 50
    assert view.class_names == ("circle", "square", "rectangle", "right_triangle", "heart", "ellipse")


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        read_run(tmp_path / "no")
    assert str(caught.value) == (
        f"no run folder {tmp_path / 'no'}.\n    Make one: layerwise train MODEL DATA -o {tmp_path / 'no'}"
    )


def test_a_folder_in_which_nothing_was_measured_says_how_to_measure(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        read_run(tmp_path)
    assert str(caught.value) == (
        f"nothing measured in {tmp_path}: no examples.parquet, no taps.parquet, no votes.npy.\n"
        f"    Measure it first: layerwise difficulty {tmp_path}"
    )


@pytest.mark.parametrize("name", ["votes.npy", "neighbors.npy", "thumbnails.npy", "examples.parquet", "base.parquet"])
@pytest.mark.parametrize("kept", [0, 40, -7])
def test_truncated_files_are_named_with_what_to_do(run: Path, name: str, kept: int) -> None:
    (run / name).write_bytes((run / name).read_bytes()[:kept])
    with pytest.raises(FileError) as caught:
        read_run(run)
    kind = "a NumPy array" if name.endswith(".npy") else "a Parquet table"
    message = str(caught.value)
    assert message.startswith(f"{run / name} is not {kind}, or is truncated (")
    assert message.endswith(f").\n    Measure it again: layerwise difficulty {run}")


@pytest.mark.parametrize("kept", [0, 40, -7])
def test_a_history_that_cannot_be_read_is_left_out_with_the_reason(run: Path, kept: int) -> None:
    path = run / "history.parquet"
    path.write_bytes(path.read_bytes()[:kept])
    view = read_run(run)
    assert view.history is None
    assert view.history_fault.startswith(f"{path} is not a Parquet table, or is truncated (")


def test_a_history_of_other_columns_is_left_out_with_the_reason(run: Path) -> None:
    write_table(run / "history.parquet", pd.DataFrame({"epoch": [1], "loss": [0.5]}))
    view = read_run(run)
    assert view.history is None
    assert view.history_fault == f"{run / 'history.parquet'} has no column split, accuracy."


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("loss", "low", "holds no numbers in loss"),
        ("split", 7, "has rows of no split"),
        ("epoch", None, "holds no numbers in epoch"),
    ],
)
def test_a_history_that_was_edited_is_left_out_with_the_reason(
    run: Path, column: str, value: object, fault: str
) -> None:
    history = read_table(run / "history.parquet")
    write_table(run / "history.parquet", history.assign(**{column: value}))
    view = read_run(run)
    assert (view.history, view.history_fault) == (None, f"{run / 'history.parquet'} {fault}.")


def test_a_history_that_is_there_or_never_was_has_no_fault(run: Path) -> None:
    assert read_run(run).history_fault == ""
    (run / "history.parquet").unlink()
    assert read_run(run).history_fault == ""


def test_an_array_that_would_have_to_execute_code_is_refused(run: Path) -> None:
    np.save(run / "votes.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match=r"votes\.npy is not a NumPy array"):
        read_run(run)


def test_a_truncated_description_says_that_the_run_has_to_be_made_anew(run: Path) -> None:
    (run / "run.json").write_text('{"format": 1, "ste')
    with pytest.raises(FileError) as caught:
        read_run(run)
    first, advice = str(caught.value).splitlines()
    assert "run.json is not JSON, or is truncated" in first
    assert advice == "    Restore it, or make the run anew in another folder: layerwise train MODEL DATA -o NEW"


def test_json_that_is_no_object_is_refused(run: Path) -> None:
    write_json(run / "run.json", [1])
    with pytest.raises(FileError) as caught:
        read_run(run)
    assert str(caught.value) == f"{run / 'run.json'} holds a list; a JSON object is expected."


def test_all_faults_of_size_are_told_at_once(run: Path) -> None:
    write_array(run / "votes.npy", np.zeros((50, 3), np.int64))
    write_array(run / "thumbnails.npy", np.zeros((4, 1, 8, 8), np.uint8))
    write_array(run / "base_thumbnails.npy", np.zeros((120, 2, 8, 8), np.uint8))
    with pytest.raises(RunError) as caught:
        read_run(run)
    assert str(caught.value) == (
        f"{run} holds parts of different measurements:\n"
        "    - votes.npy is int64 (50, 3); 50 examples and 11 taps need whole numbers (50, 11)\n"
        "    - thumbnails.npy is uint8 (4, 1, 8, 8); bytes (50, C, h, w) are expected\n"
        "    - base_thumbnails.npy has 2 channels; 1 or 3 can be shown\n"
        f"    Measure it again: layerwise difficulty {run}"
    )


def test_depths_that_do_not_follow_from_the_votes_are_refused(run: Path) -> None:
    examples = pd.read_parquet(run / "examples.parquet")
    examples.loc[:2, "depth"] = (examples.loc[:2, "depth"] + 1) % 12
    write_table(run / "examples.parquet", examples)
    with pytest.raises(RunError, match=r"the depth of 3 of 50 examples does not follow from votes\.npy"):
        read_run(run)


def test_classes_and_neighbors_out_of_range_are_refused(run: Path) -> None:
    neighbors = np.load(run / "neighbors.npy")
    neighbors[0, 0, 0] = 120
    write_array(run / "neighbors.npy", neighbors)
    write_json(run / "model.json", {"class_names": ["circle", "square"]})
    with pytest.raises(RunError) as caught:
        read_run(run)
    message = str(caught.value)
    assert "votes.npy has classes outside 0 to 1, for which there are 2 names" in message
    assert "neighbors.npy points outside the 120 rows of base.parquet" in message


def test_units_that_are_shown_images_of_no_class_are_refused(run: Path) -> None:
    write_units(run)
    shown = pd.read_parquet(run / "units" / "shown.parquet")
    write_table(run / "units" / "shown.parquet", shown.assign(label=10**18))
    with pytest.raises(RunError, match=r"units/shown\.parquet has classes outside 0 to \d"):
        read_run(run)


def test_missing_columns_are_named(run: Path) -> None:
    write_table(
        run / "examples.parquet", pd.read_parquet(run / "examples.parquet").drop(columns=["depth", "reference"])
    )
    with pytest.raises(RunError, match=r"examples\.parquet has no column depth, reference"):
        read_run(run)


def test_a_split_that_was_not_measured_is_refused(run: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_run(run).rows("tset")
    assert str(caught.value) == (f'split "tset" was not measured in {run} (train, test were). Did you mean "test"?')


def test_a_run_of_a_newer_format_is_refused(run: Path) -> None:
    write_json(run / "run.json", {"format": 2, "steps": {}})
    with pytest.raises(RunError) as error:
        read_run(run)
    assert str(error.value) == f"{run} was written in format 2; this layerwise reads 1. Update layerwise."


def test_steps_that_are_no_steps_are_refused(run: Path) -> None:
    write_json(run / "run.json", {"format": 1, "steps": []})
    with pytest.raises(FileError, match=r"run\.json does not describe a run"):
        read_run(run)


@pytest.mark.parametrize("name", ["label", "prediction", "reference", "confidence", "depth"])
def test_words_where_numbers_belong_are_named(run: Path, name: str) -> None:
    examples = read_table(run / "examples.parquet").assign(**{name: "x"})
    write_table(run / "examples.parquet", examples)
    with pytest.raises(RunError) as error:
        read_run(run)
    assert f"\n    - {name} of examples.parquet holds {examples[name].dtype}; numbers are expected\n" in str(
        error.value
    )


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("features", np.inf, "features holds NaN or infinity"),
        ("features", "many", "features holds no numbers"),
        ("features", -1, "features lies outside 0 and above"),
        ("macs", np.inf, "macs holds infinity"),
        ("parameters", "many", "parameters holds no numbers"),
    ],
)
def test_taps_that_were_edited_are_refused_where_they_are_read(
    run: Path, column: str, value: object, fault: str
) -> None:
    write_table(run / "taps.parquet", read_table(run / "taps.parquet").assign(**{column: value}))
    with pytest.raises(RunError) as edited:
        read_run(run)
    assert str(edited.value) == (
        f"{run} holds parts of different measurements:\n"
        f"    - taps.parquet: {fault}\n"
        f"    Measure it again: layerwise difficulty {run}"
    )
