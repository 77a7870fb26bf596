"""`layerwise study`: what it lists, runs, prints and refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import CommandLine
from layerwise.errors import InputError, UnknownNameError
from layerwise.study.checks.check import Check
from layerwise.study.named import find_studies, list_studies
from study_files import SMALL, made_up, small


@pytest.fixture(autouse=True)
def _file(toys: Path) -> None:
    Path("small.toml").write_text(SMALL)


def test_the_built_in_studies_are_listed_and_can_be_read(cli: CommandLine) -> None:
    listed = json.loads(cli("study", "list", "--json").out)["studies"]
    assert [one["name"] for one in listed] == list(list_studies())
    assert {"inductive-bias/q1-overfit", "mnist-1d/shuffled-features"} <= set(list_studies())
    assert all(one["cells"] > 1 and one["seeds"] >= 30 for one in listed)
    assert "How many images does each network need?" in cli("study", "list").out


def test_all_of_a_group_are_found_and_near_names_told() -> None:
    found = [f"inductive-bias/{one.name}" for one in find_studies("inductive-bias/all")]
    assert found == [name for name in list_studies() if name.startswith("inductive-bias/")]
    with pytest.raises(UnknownNameError, match=r'no study is called "inductive-bias/q1"\. Did you mean'):
        find_studies("inductive-bias/q1")


def test_a_study_is_run_once_and_told_in_json(cli: CommandLine) -> None:
    first = cli("study", "run", "small.toml", "--engine", "loop", "-o", "results", "--json")
    assert first.code == 0, first.err
    (told,) = json.loads(first.out.splitlines()[-1])["studies"]
    assert (told["study"], told["folder"], told["blocks"], told["failures"]) == ("small", "results/small", 3, 0)
    assert [one["kind"] for one in told["claims"]] == ["difference", "difference", "needed"]
    assert [one["value"] for one in told["references"]] == [0.3, 0.4]
    assert len(told["cells"]) == 4
    chunks = sorted(Path("results/small/chunks").iterdir())
    again = cli("study", "run", "small.toml", "--engine", "loop", "-o", "results", "--json")
    assert again.out == first.out
    assert sorted(Path("results/small/chunks").iterdir()) == chunks


def test_for_people_there_are_tables_and_a_verdict(cli: CommandLine) -> None:
    shown = cli("study", "run", "small.toml", "--engine", "loop", "-o", "results", "--seeds", "2")
    assert shown.code == 0
    assert "mean over 2 blocks (95 % interval)" in shown.out
    assert "simple-cnn above two-layer-mlp (train_per_class = 2)" in shown.out
    assert "[secondary]" in shown.out
    assert "2 of 3 planned blocks are done, and the plan was to judge the results only after 3, so p" in shown.err
    assert "p (exploratory)" in shown.out
    assert "The hypothesis is open: With few images" in shown.err
    assert "Results: results/small. Next: layerwise study report results/small\n" in shown.err
    assert "Of 2 numbers of others," in shown.err


@pytest.mark.slow
def test_a_report_is_written_of_one_study_and_of_a_folder_with_some(cli: CommandLine) -> None:
    made_up(small(), Path("results/small"))
    shown = cli("study", "report", "results/small")
    assert shown.code == 0, shown.err
    assert "Report: results/small/report.html" in shown.err
    assert "│ results/small │" in shown.out
    assert {"report.html", "summary.json", "cells.csv", "claims.csv", "runs.csv"} <= {
        path.name for path in Path("results/small").iterdir()
    }
    made_up(replace(small().with_seeds(2), name="other"), Path("results/other"))
    told = json.loads(cli("study", "report", "results", "--json").out)
    assert told["report"] == "results/report.html"
    assert [(one["study"], one["folder"]) for one in told["studies"]] == [
        ("other", "results/other"), ("small", "results/small")
    ]  # fmt: skip
    departed = cli("study", "report", "results")
    assert "small: " not in departed.err
    assert "other: 2 of 3 planned blocks are done, and the plan was to judge the results only after 3" in departed.err
    assert "digits holds no results of a study. Run one:" in cli.refusal("study", "report", "digits")


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_checks_that_ask_for_something_are_told_before_the_first_run(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, as_json: tuple[str, ...]
) -> None:
    asking = Check("kernels moved", fine=False, saw="none does", do="look for dead ReLUs")
    monkeypatch.setattr("layerwise.study.checks.noted.check_before", lambda _: (asking,))

    def stop(*_: object, **__: object) -> None:
        raise InputError("trained")

    monkeypatch.setattr("layerwise.study.running.run_study", stop)
    stopped = cli("study", "run", "small.toml", "-o", "results", *as_json)
    assert stopped.err == (
        "Check, kernels moved: none does. Look for dead ReLUs.\n"
        "Check, seeds enough: 3 seeds can decide none of 2 claims: even where all seeds agree, p is 0.25, and one of "
        "them needs 0.025. Run 7 or more, better twice as many.\nInputError: trained\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("gone.toml",), "FileError: no file gone.toml."),
        (("inductive-bais/all",), 'no study is called "inductive-bais/all". Did you mean "inductive-bias/all"'),
        (("small.toml", "--engine", "lop"), 'no engine is called "lop". Did you mean "loop"?'),
        (("small.toml", "--seeds", "0"), "StudyError: seeds must be a whole number of at least 1; got 0."),
        (("small.toml", "-o", "small.toml"), "NotADirectoryError"),
    ],
)
def test_what_cannot_be_run_is_refused(cli: CommandLine, options: tuple[str, ...], message: str) -> None:
    assert message in cli.refusal("study", "run", *options)


def test_checks_are_told_before_a_run_and_after_it(cli: CommandLine) -> None:
    before = cli("study", "check", "small.toml", "-o", "results", "--json")
    assert before.code == 0, before.err
    (told,) = json.loads(before.out.splitlines()[-1])["studies"]
    assert (told["study"], len(told["before"]), told["after"]) == ("small", 9, [])
    assert set(told["before"][0]) == {"name", "fine", "saw", "do"}
    cli("study", "run", "small.toml", "--engine", "loop", "-o", "results")
    after = cli("study", "check", "small.toml", "-o", "results")
    assert after.code == 0
    assert "classes balanced" in after.out
    assert "curves flattened" in after.out
    assert "of 16 checks ask for something." in after.err
