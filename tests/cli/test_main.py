"""`layerwise`: how commands end, whatever is typed."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

COMMANDS = ("demo", "data", "taps", "train", "difficulty", "report")

# `layerwise.cli.report` as an attribute is the command; the module has to be asked for.
report_module = importlib.import_module("layerwise.cli.report")
page_module = importlib.import_module("layerwise.report.page")


def test_help_names_every_command_and_exits_with_0(cli: Any) -> None:
    outcome = cli("--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert all(f" {command} " in outcome.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(cli: Any, command: str) -> None:
    outcome = cli(command, "--help")
    assert outcome.code == 0
    assert f"layerwise {command}" in outcome.out.partition("Usage")[2].partition("\n")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "No such command 'frobnicate'."),
        (["taps", "resnet20", "--plaec", "blocks"], "No such option: --plaec"),
        (["difficulty", "run", "--k", "many"], "Invalid value for '--k'"),
        (["train", "resnet20", "digits"], "Missing option '-o' / '--output'."),
    ],
)
def test_what_cannot_be_parsed_exits_with_2_and_says_so(
    cli: Any, toys: Path, arguments: list[str], message: str
) -> None:
    assert message in cli.refusal(*arguments)


def test_a_command_without_its_arguments_shows_its_help_and_exits_with_2(cli: Any) -> None:
    outcome = cli("difficulty")
    assert outcome.code == 2
    assert "layerwise difficulty runs/shapes --taps blocks" in outcome.out + outcome.err


def test_ctrl_c_exits_with_130_and_says_how_to_go_on(cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(_: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(page_module, "write_report", press)
    outcome = cli("report", "measured")
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err.endswith("Interrupted. Finished parts are kept: run the same command again to go on.\n")


def test_a_fault_of_ours_exits_with_1_and_shows_where_it_is(
    cli: Any, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> Path:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(page_module, "write_report", fail)
    outcome = cli("report", "measured")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("Traceback")
    assert outcome.err.endswith(
        "ZeroDivisionError: a fault\n"
        "This is a fault of layerwise, not of your input. Please report it with the lines above.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["data", "npz:small.npz"], {"name", "image_shape", "counts", "mean", "std"}),
        (["taps", "net.py:net", "--channels", "1", "--image-size", "8"], {"model", "taps", "skipped"}),
        (["difficulty", "trained", "--trust-code", "--k", "5"], {"run", "taps", "seconds", "splits"}),
        (["report", "measured"], {"run", "report", "size_bytes"}),
    ],
)
def test_json_is_one_object_on_the_last_line_with_numbers_as_numbers(
    cli: Any, toys: Path, arguments: list[str], keys: set[str]
) -> None:
    outcome = cli(*arguments, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    printed = json.loads(outcome.out.splitlines()[-1], parse_constant=pytest.fail)  # NaN is not JSON
    assert keys <= set(printed)
    assert outcome.out.count("\n") == 1


def test_two_faults_of_one_command_line_do_not_hide_behind_a_traceback(cli: Any, toys: Path) -> None:
    assert cli.refusal("difficulty", "--model", "net.py:net") == (
        "InputError: what to measure? Give a run folder: layerwise difficulty RUN\n"
        "    or a network and images: layerwise difficulty --model MODEL --data DATA -o RUN\n"
    )
