"""How `layerwise study` tells what it found: tables on the output, the verdict last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.cli.console import print_table, say

if TYPE_CHECKING:
    from layerwise.arrays.blocks import Estimate
    from layerwise.study.checks.check import Check
    from layerwise.study.file import Study
    from layerwise.study.summary import StudySummary


def print_checks(one: Study, checks: Sequence[Check]) -> None:
    """All checks as a table."""
    print_table(
        f"{one.name}: {one.title}", ("check", "saw", "do"), [(check.name, check.saw, check.do) for check in checks]
    )
    asking = sum(not check.fine for check in checks)
    say(f"{asking} of {len(checks)} checks ask for something." if asking else f"All {len(checks)} checks are fine.")


def print_checks_that_ask(checks: Sequence[Check]) -> None:
    """A line for each check that is not fine."""
    for one in checks:
        if not one.fine:
            say(f"Check, {one.name}: {one.saw}. {one.do[:1].upper()}{one.do[1:]}.")


def print_summary(summary: StudySummary, folder: Path) -> None:
    """Means of the cells, claims, and the verdict."""
    table = summary.table()
    one = summary.study
    print_table(
        f"{one.title} {one.measure}, mean over {summary.used} blocks (95 % interval)",
        [*(name.partition(".")[2] or name for name in table.columns[:-4]), "mean"],
        [
            (*("–" if value != value or value is None else value for value in row[:-4]), _number(*row[-4:-1]))
            for row in table.itertuples(index=False)
        ],
    )
    print_table(
        "Claims",
        ("claim", "found", "p" if summary.planned_look else "p (exploratory)", "verdict"),
        [
            (
                claim.claim + ("" if judged.planned else " [exploratory]") + ("" if claim.primary else " [secondary]"),
                _effect(judged.finding.effect),
                "–" if judged.p_adjusted != judged.p_adjusted else f"{judged.p_adjusted:.3g}",
                judged.verdict,
            )
            for judged in summary.judged
            for claim in (judged.finding.comparison,)
        ],
    )
    if summary.beside:
        inside = sum(one.inside for one in summary.beside)
        among = sum(one.among_runs for one in summary.beside)
        say(
            f"Of {len(summary.beside)} numbers of others, {inside} lie in our intervals, and {among} where 95 % of our "
            "single runs do."
        )
    if len(summary.failures):
        say(f"{len(summary.failures)} runs came to nothing; the first: {summary.failures['error'].iloc[0]}")
    for departure in summary.departures:
        say(departure)
    say(f"The hypothesis is {summary.verdict}: {one.hypothesis}")
    say(f"Results: {folder}. Next: layerwise study report {folder}")


def _number(mean: float, low: float, high: float) -> str:
    ends = "one seed" if low != low else f"{low:.3f} – {high:.3f}"
    return "–" if mean != mean else f"{mean:.3f} ({ends})"


def _effect(effect: Estimate) -> str:
    ends = "one seed" if effect.low != effect.low else f"{effect.low:.3g} – {effect.high:.3g}"
    return "–" if effect.value != effect.value else f"{effect.value:.3g} ({ends})"
