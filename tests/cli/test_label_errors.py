"""`layerwise difficulty RUN --label-errors`: what is ranked, what is left in the run, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from command_line import CommandLine
from layerwise.runs import read_table, write_table
from layerwise.training.dynamics import load_dynamics

TRAIN = ("train", "net.py:net", "npz:small.npz", "-o", "noted", "--epochs", "3", "--validation", "0", "--log-dynamics")
RANK = ("difficulty", "noted", "--trust-code", "--label-errors", "--k", "5")


@pytest.fixture
def noted(cli: CommandLine, toys: Path) -> Path:
    assert cli(*TRAIN).code == 0
    return Path("noted")


@pytest.mark.slow
def test_all_labels_are_ranked_and_the_most_suspect_have_evidence(cli: CommandLine, noted: Path) -> None:
    before = cli.files(noted)
    told = json.loads(cli(*RANK, "--suspects", "6", "--json").out.splitlines()[-1])
    after = cli.files(noted)
    assert {name: after[name] for name in before} == before
    labels = pd.read_parquet(noted / "labels" / "labels.parquet")
    assert sorted(labels["id"]) == sorted(load_dynamics(noted)[0].tolist())
    suspects = pd.read_parquet(noted / "labels" / "suspects.parquet")
    assert suspects["id"].tolist() == labels["id"].head(6).tolist()
    assert [one["id"] for one in told["most_suspect"]] == labels["id"].head(10).tolist()
    assert told["images"] == 40
    assert told["mislabelled"] == (labels["kind"] == "mislabelled").sum()
    assert told["most_suspect"][6]["lost_at_tap"] is None


@pytest.mark.slow
def test_for_people_there_is_a_table_and_what_is_there_is_not_overwritten(cli: CommandLine, noted: Path) -> None:
    shown = cli(*RANK, "--suspects", "4")
    assert shown.code == 0, shown.err
    assert "40 labels:" in shown.err + shown.out
    assert "neighbours of the suggested class" in shown.out
    named = "noted --model net.py:net"
    next_steps = (
        f"layerwise difficulty {named} --split all && layerwise report noted, or then layerwise explore {named}"
    )
    assert f"Look at them: {next_steps}" in shown.err
    assert cli("difficulty", *named.split(), "--k", "5").code == 0
    shown = cli(*RANK, "--suspects", "4", "--again")
    assert (
        "Look at them: layerwise report noted. For the story of each training image: "
        f"layerwise difficulty {named} --split all --again, then layerwise explore {named}\n" in shown.err
    )
    assert cli("difficulty", *named.split(), "--k", "5", "--split", "all", "--again").code == 0
    shown = cli(*RANK, "--suspects", "4", "--again")
    assert f"Look at them: layerwise report noted, or layerwise explore {named}\n" in shown.err
    said = cli.refusal(*RANK)
    assert "noted holds suspect labels already." in said
    assert "To export them, add --csv FILE; to rank them again, --again." in said


@pytest.mark.slow
def test_labels_are_exported_when_they_are_ranked_and_afterwards(cli: CommandLine, noted: Path) -> None:
    assert cli(*RANK, "--suspects", "4", "--csv", "first.csv").code == 0
    plain = pd.read_csv("first.csv", dtype={"id": str})
    assert plain["id"].tolist() == load_dynamics(noted)[0].tolist()
    before = cli.files(noted)
    outcome = cli("difficulty", noted, "--label-errors", "--csv", "new/then.csv", "--csv-for", "datalab", "--json")
    assert json.loads(outcome.out) == {"run": "noted", "images": 40, "csv": "new/then.csv"}
    assert "Exported 40 labels, in the order of the training images: new/then.csv" in outcome.err
    assert cli.files(noted) == before
    datalab = pd.read_csv("new/then.csv", dtype={"id": str})
    assert datalab.columns.tolist() == ["id", "is_label_issue", "label_score", "given_label", "predicted_label"]
    np.testing.assert_allclose(datalab["label_score"], 1 - plain["suspicion"])
    assert cli.refusal("difficulty", noted, "--label-errors", "--csv", "first.csv") == (
        "FileError: first.csv is there already: it would be lost. Give another name, or remove it.\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--csv", "a.csv"), "--csv exports what --label-errors finds."),
        (("--label-errors", "--csv-for", "datalab"), "--csv-for datalab says for which tool, and not where to."),
        (("--label-errors", "--csv", "a.csv", "--csv-for", "datalap"), 'Did you mean "datalab"'),
    ],
)
def test_an_export_that_says_too_little_is_refused(
    cli: CommandLine, toys: Path, options: tuple[str, ...], said: str
) -> None:
    assert said in cli.refusal("difficulty", "trained", *options)


def test_a_run_without_dynamics_says_how_to_get_them(cli: CommandLine, toys: Path) -> None:
    said = cli.refusal("difficulty", "trained", "--trust-code", "--label-errors")
    assert "trained holds no training dynamics." in said
    assert "layerwise train MODEL DATA -o RUN --log-dynamics" in said


def test_labels_of_no_run_are_refused(cli: CommandLine, toys: Path) -> None:
    said = cli.refusal("difficulty", "--model", "resnet8", "--data", "npz:small.npz", "-o", "new", "--label-errors")
    assert "--label-errors is of the images that a run was trained on" in said
    assert "--label-errors is of the images" in cli.refusal("difficulty", "trained", "-o", "new", "--label-errors")


@pytest.mark.slow
def test_dynamics_of_other_images_and_odd_numbers_are_refused(cli: CommandLine, noted: Path) -> None:
    assert "--suspects is how many labels" in cli.refusal(*RANK, "--suspects", "0")
    table = read_table(noted / "dynamics.parquet")
    (noted / "dynamics.npy").unlink()
    write_table(noted / "dynamics.parquet", table.iloc[:-1])
    assert "noted the dynamics of 39 images, and these are 40 others." in cli.refusal(*RANK)
    write_table(noted / "dynamics.parquet", table.drop(columns="learning_aum"))
    assert "there is no learning_aum" in cli.refusal(*RANK)
    write_table(noted / "dynamics.parquet", table.assign(label=(table["label"] + 1) % 3))
    assert cli.refusal(*RANK) == (
        "RunError: noted noted the dynamics of other labels than these: 40 of 40 differ.\n"
        "    Give the images with the labels that it was trained on: leave --data out. Or train on these.\n"
    )
    write_table(noted / "dynamics.parquet", table.assign(rival=7))
    assert cli.refusal(*RANK) == (
        "DataError: class 7 of the log has no name: 3 class names were given.\n"
        "    Give the names of all classes, in the order of the logits.\n"
    )
    write_table(noted / "dynamics.parquet", table.assign(learning_aum=np.nan))
    assert cli.refusal(*RANK) == (
        "FileError: noted/dynamics.parquet is damaged: learning_aum holds NaN or infinity.\n"
        "    Write it again: the same layerwise train … --log-dynamics does so from the run's checkpoint.\n"
        "    Where that is gone, or the loop was your own, train again.\n"
    )
    (noted / "dynamics.parquet").write_bytes(b"PAR1 and no more")
    assert "is not a Parquet table, or is truncated" in cli.refusal(*RANK)


@pytest.mark.slow
def test_images_that_lie_elsewhere_are_named_and_others_are_refused(cli: CommandLine, noted: Path) -> None:
    Path("small.npz").rename("moved.npz")
    with np.load("moved.npz") as arrays:
        np.savez("other.npz", **{**arrays, "y_train": (arrays["y_train"] + 1) % 3})
    assert "npz:other.npz are not those that noted was made with" in cli.refusal(*RANK, "--data", "npz:other.npz")
    assert cli(*RANK, "--data", "npz:moved.npz").code == 0


@pytest.mark.slow
def test_evidence_that_was_stopped_goes_on_and_leaves_nothing_but_the_labels(
    cli: CommandLine, noted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("layerwise.difficulty.measuring._circumstances", _interrupted)
        assert cli(*RANK).code == 130
    assert (noted / "labels" / "partial" / "plan.json").exists()
    assert not (noted / "labels" / "labels.json").exists()
    assert cli(*RANK).code == 0
    assert not (noted / "labels" / "partial").exists()


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_suspects_without_label_errors_are_refused(cli: CommandLine, toys: Path) -> None:
    assert cli.refusal("difficulty", "trained", "--trust-code", "--suspects", "5") == (
        "InputError: --suspects 5 is of --label-errors, which is not asked for. Add it, or leave both out.\n"
    )
