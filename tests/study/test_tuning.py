"""Each block chooses its hyperparameters by its validation images, never by those that are reported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerwise.errors import StudyError
from layerwise.study.cells import Cell
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.file import Study
from layerwise.study.running import run_study
from layerwise.study.summary import summarize
from layerwise.study.tuning import Tuned, runs_of
from study_files import small

SLOW, FAST = Cell({"a": 1, "rate": 1}), Cell({"a": 1, "rate": 2})
EITHER = Tuned({"a": 1}, (SLOW, FAST))


def records(*rows: tuple[Cell, int, float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"cell": cell.address, "block": block, "validation_accuracy": accuracy, "validation_loss": loss}
            for cell, block, accuracy, loss in rows
        ]
    )


def test_each_block_takes_its_best_by_validation_accuracy_then_loss_then_order() -> None:
    given = records(
        (FAST, 0, 0.9, 0.5), (SLOW, 0, 0.8, 0.1),
        (FAST, 1, 0.9, 0.5), (SLOW, 1, 0.9, 0.4),
        (FAST, 2, 0.9, 0.4), (SLOW, 2, 0.9, 0.4),
        (FAST, 3, 0.1, 9.9), (SLOW, 3, np.nan, np.nan),
        (FAST, 4, 0.9, 0.1),
    )  # fmt: skip
    chosen = runs_of(given, EITHER)
    assert chosen["block"].tolist() == [0, 1, 2, 3]  # of block 4 one candidate has not run yet
    assert chosen["cell"].tolist() == [FAST.address, SLOW.address, SLOW.address, FAST.address]
    by_loss = runs_of(given, Tuned({"a": 1}, (SLOW, FAST), by="validation_loss"))
    assert by_loss["cell"].tolist()[0] == SLOW.address


def test_a_tuned_contender_is_known_by_what_its_candidates_share() -> None:
    assert EITHER.matches({"a": 1})
    assert not EITHER.matches({"rate": 1})
    assert EITHER.searched == ("rate",)
    assert EITHER.address == Tuned({"a": 1}, (FAST, SLOW)).address != Tuned({"a": 1}, (SLOW, FAST), "x").address


def test_candidates_are_trained_and_one_of_them_is_reported(tmp_path: Path) -> None:
    study = tuned("model.kernel = 3\ntune = { training.learning_rate = [0.01, 0.1] }")
    assert (len(study.cells), len(study.contenders)) == (6, 4)
    summary = summarize(study, run_study(study, tmp_path / "run", run_in_loop))
    assert summary.blocks == 3
    first = study.contenders[0]
    assert first.settings["tuned"] is True
    runs = summary.runs(first)
    table = summary.records.set_index(["cell", "block"])["validation_accuracy"]
    for row in runs.itertuples():
        assert row.validation_accuracy == max(table[one.address, row.block] for one in first.candidates)  # type: ignore[union-attr]
    assert summary.outcomes(first).tolist() == runs["test_accuracy"].tolist()
    chosen = summary.table()["chosen"]
    assert chosen[0].startswith("learning_rate 0.")
    assert chosen[2] == ""


def tuned(lines: str, *changes: tuple[str, str]) -> Study:
    """The small study; its first cells have other lines than their kernel."""
    first = '[[cells]]\nmodel.name = "simple-cnn"\n'
    return small((f"{first}model.kernel = 3\n", f"{first}{lines}\n"), *changes)


@pytest.mark.parametrize(
    ("tune", "line", "words"),
    [
        ('tune = { training.learning_rate = [0.1, 1.0], by = "test_accuracy" }', 19,
         '"test_accuracy" may not choose: it is of images that are reported. Choose by validation_accuracy or'),
        ("tune = { training.learning_rate = 0.1 }", 17, "there is nothing to choose: give a list"),
        ("tune = 3", 19, '"tune" must be a table of levels; got 3.'),
        ("tune = { training.rate = [0.1, 1.0] }", 19, 'training has no setting "rate"'),
    ],
)  # fmt: skip
def test_a_search_that_cannot_be_reported_is_refused(tune: str, line: int, words: str) -> None:
    with pytest.raises(StudyError) as caught:
        tuned(tune)
    assert f"line {line}: {words}" in str(caught.value)


def test_a_claim_of_the_images_that_chose_is_refused() -> None:
    with pytest.raises(StudyError, match=r'line \d+: "validation_accuracy" cannot be reported of cells that are tuned'):
        tuned(
            "tune = { training.learning_rate = [0.1, 1.0] }",
            ('higher.model.name = "simple-cnn"', 'measure = "validation_accuracy"\nhigher.model.name = "simple-cnn"'),
        )
