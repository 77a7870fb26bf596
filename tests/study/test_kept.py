"""A folder of results that is damaged, or somebody else's, is refused with the file's name, and nothing is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from layerwise.errors import FileError
from layerwise.report.study.view import read_study_view
from layerwise.study.checks.noted import note_checks
from layerwise.study.store import Store
from layerwise.study.summary import load_study
from study_files import made_up, small


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up(small(), tmp_path_factory.mktemp("study") / "sound").folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "small"))


AGAIN = "Run the study again, and it is written anew."
LOST = "What was planned is lost: choose another folder."


@pytest.mark.parametrize(
    ("file", "key", "value", "do"),
    [
        *(("asked.json", "name", value, AGAIN) for value in ("/tmp/x", "../../x", "", ".", "..", "a/b", 3, None)),
        *(("asked.json", "seeds", value, AGAIN) for value in (0, -1, 2.0, "3", True, None, 10**20)),
        *(("asked.json", "looks", value, AGAIN) for value in (3, [], ["3"], [0, 3], [3, 1], [1.0], None)),
        *(("plan.json", "comparisons", value, LOST) for value in (3, [3], ["x"], ["[]"], ['{"kind": 3}'], "[]")),
        ("plan.json", "looks", "x", LOST), ("plan.json", "alpha", "0.05", LOST), ("plan.json", "hypothesis", 3, LOST),
    ],
)  # fmt: skip
def test_what_cannot_have_been_written_is_refused_with_its_key(
    folder: Path, file: str, key: str, value: Any, do: str
) -> None:
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(FileError) as caught:
        load_study(folder)
    assert str(caught.value) == f'{path} is damaged: "{key}" cannot be {value!r}. {do}'


@pytest.mark.parametrize("text", ["[1, 2]", "3", '"x"', "null", "{", ""])
def test_json_of_another_shape_is_refused_and_notes_are_made_anew(folder: Path, text: str) -> None:
    view = read_study_view(Store(folder))
    (folder / "described.json").write_text(text)
    (folder / "checks.json").write_text(text)
    assert read_study_view(Store(folder)).described == view.described
    for name in ("asked.json", "cells.json"):
        kept = (folder / name).read_text()
        (folder / name).write_text(text)
        with pytest.raises(FileError, match=rf"{name} is (damaged|not JSON)"):
            Store(folder).study() if name == "asked.json" else Store(folder).cells()
        (folder / name).write_text(kept)


def test_checks_that_cannot_be_read_are_made_again(folder: Path) -> None:
    before = note_checks(small(), Store(folder))
    noted = json.loads((folder / "checks.json").read_text())
    (folder / "checks.json").write_text(json.dumps({**noted, "checks": [{"name": 3}]}))
    assert note_checks(small(), Store(folder)) == before


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("block", "0"), ("block", -1), ("block", 0.5), ("status", "fine"), ("cell", 3), ("test_accuracy", "0.5"),
        ("confusion", 3.0), ("confusion", [1.0, 2.0]), ("confusion", ["a"]), ("reliability_counts", [1.0]),
        ("train_loss_curve", "x"), ("kernels_after", None),
    ],
)  # fmt: skip
def test_a_file_whose_columns_hold_something_else_is_named(folder: Path, column: str, value: Any) -> None:
    (path,) = (folder / "chunks").iterdir()
    rows = pd.read_parquet(path)
    rows[column] = pd.Series([value] * len(rows))
    rows.to_parquet(path)
    with pytest.raises(FileError) as caught:
        read_study_view(Store(folder))
    words = f"{path} is damaged ({column}: not what a run gives). Remove it; its part is run again."
    assert str(caught.value) == words
