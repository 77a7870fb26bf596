"""`layerwise difficulty RUN --with RUN2`: depth and training scores over several runs, and how many are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import print_json, print_table, say

if TYPE_CHECKING:
    from layerwise.difficulty.over_runs import OverRuns

TABLE_FILE, FACTS_FILE, SCORES_FILE = "over_runs.parquet", "over_runs.json", "scores_over_runs.parquet"


def combine(
    run: Path | None, others: Sequence[Path], *, unused: Mapping[str, bool], again: bool, as_json: bool
) -> None:
    """Combine what was measured in several runs, save it into the first, and print how far one can be trusted."""
    from layerwise.difficulty.over_runs import combine_runs
    from layerwise.errors import InputError
    from layerwise.runs import write_all

    given = [option for option, is_given in unused.items() if is_given]
    if given:
        raise InputError(
            f"--with cannot be used together with {', '.join(given)}: it measures nothing.\n"
            "    Measure each run first, then combine them: layerwise difficulty RUN --with RUN2"
        )
    if run is None:
        raise InputError("--with adds to a run. Name it first: layerwise difficulty RUN --with RUN2")
    if not again:
        _check_not_combined(run)
    found = combine_runs([run, *others])
    scores = {} if found.scores is None else {SCORES_FILE: found.scores.table()}
    write_all(run, {FACTS_FILE: found.facts(), TABLE_FILE: found.table(), **scores})
    if not scores:
        (run / SCORES_FILE).unlink(missing_ok=True)
    _report(run, found, as_json=as_json)


def _check_not_combined(run: Path) -> None:
    from layerwise.errors import RunError

    if (run / FACTS_FILE).exists():
        raise RunError(
            f"{run} holds depths over several runs already, in {run / TABLE_FILE}.\n"
            "    To combine runs again, add --again."
        )


def _report(run: Path, found: OverRuns, *, as_json: bool) -> None:
    if as_json:
        print_json({"run": str(run), "examples": len(found), **found.facts()})
        return
    rows = [
        (
            row["name"].replace("_", " "),
            *(f"{row[name]:.2f}" for name in ("one_run", "mean")),
            _runs_in_words(row["runs_needed"]),
            f"{row['half_width']:.3g}",
        )
        for row in found.reliabilities().to_dict("records")
    ]
    print_table(
        f"{len(found)} examples over {len(found.runs)} runs{_left_out(found)}",
        (
            "score", "reliability of one run", f"of the mean of {len(found.runs)}",
            "runs for 0.9", "± of an example's mean (95 %, on average)",
        ),
        rows,
    )  # fmt: skip
    say(f"Written to {run / TABLE_FILE}. Look at it: layerwise report {run}")


def _left_out(found: OverRuns) -> str:
    return f"; {found.left_out} that not all of them measured are left out" if found.left_out else ""


def _runs_in_words(needed: Any) -> str:
    return "no number" if needed is None or needed != needed else str(int(needed))
