"""`layerwise difficulty RUN --with RUN2`: what is left in the run, what its report shows, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from command_line import CommandLine

WITH = ("difficulty", "seed0", "--with", "seed1")


@pytest.fixture
def seeds(cli: CommandLine, toys: Path) -> Path:
    """Two runs of the same images, noted and measured."""
    for seed in (0, 1):
        train = ("train", "net.py:net", "npz:small.npz", "-o", f"seed{seed}", "--epochs", "2", "--seed", seed)
        assert cli(*train, "--validation", "0", "--log-dynamics").code == 0
        assert cli("difficulty", f"seed{seed}", "--trust-code", "--k", "5").code == 0
    return toys


@pytest.mark.slow
def test_depths_and_scores_over_runs_are_kept_and_reported(cli: CommandLine, seeds: Path) -> None:
    told = json.loads(cli(*WITH, "--json").out.splitlines()[-1])
    table = pd.read_parquet("seed0/over_runs.parquet")
    assert len(table) == told["examples"] == 20
    assert told["runs"] == ["seed0", "seed1"]
    assert {"depth", "soft_depth", "aum", "learning_error"} <= {row["name"] for row in told["reliability"]}
    assert len(pd.read_parquet("seed0/scores_over_runs.parquet")) == 40
    assert cli.refusal(*WITH) == (
        "RunError: seed0 holds depths over several runs already, in seed0/over_runs.parquet.\n"
        "    To combine runs again, add --again.\n"
    )
    shown = cli(*WITH, "--again")
    assert (shown.code, "20 examples over 2 runs" in shown.out) == (0, True), shown.err
    assert cli("report", "seed0").code == 0
    assert "How far one run can be trusted" in Path("seed0/report.html").read_text()


@pytest.mark.slow
def test_what_is_of_other_images_or_says_something_else_is_refused(cli: CommandLine, seeds: Path) -> None:
    assert cli.refusal(*WITH, "--k", "7", "--split", "train", "--batch-size", "4", "--no-cache") == (
        "InputError: --with cannot be used together with --k, --split, --batch-size, --no-cache: it measures nothing.\n"
        "    Measure each run first, then combine them: layerwise difficulty RUN --with RUN2\n"
    )
    assert "--with adds to a run. Name it first" in cli.refusal("difficulty", "--with", "seed1")
    assert "seed0 is named twice" in cli.refusal("difficulty", "seed0", "--with", "seed0")
    assert "nothing measured in trained" in cli.refusal("difficulty", "seed0", "--with", "trained")
    assert cli("difficulty", "seed1", "--trust-code", "--k", "5", "--taps", "0", "--again").code == 0
    assert "seed1 has other taps" in cli.refusal(*WITH)
