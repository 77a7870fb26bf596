"""`layerwise study`: experiments over many seeds, with statistics and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise.cli.console import AsJson, bars, print_json, print_table, say

if TYPE_CHECKING:
    from layerwise.arrays.blocks import Estimate
    from layerwise.study.checks.check import Check
    from layerwise.study.file import Study
    from layerwise.study.store import Store
    from layerwise.study.summary import StudySummary

study = typer.Typer(
    help="Systematic experiments: a hypothesis, a design, many seeds, statistics, a verdict.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@study.command("list")
def list_command(*, as_json: AsJson = False) -> None:
    """The built-in studies.

    layerwise study list
    """
    from layerwise.study.named import find_studies, list_studies

    rows = [(name, one, len(one.cells), one.seeds) for name in list_studies() for one in find_studies(name)]
    if as_json:
        facts = [{"name": name, "title": one.title, "cells": cells, "seeds": seeds} for name, one, cells, seeds in rows]
        print_json({"studies": facts})
        return
    print_table(
        "Studies", ("name", "asks", "cells", "seeds"), [(name, one.title, *counts) for name, one, *counts in rows]
    )
    say("Run one: layerwise study run NAME. All of a group: layerwise study run inductive-bias/all")


@study.command("run", no_args_is_help=True)
def run_command(
    name: Annotated[str, typer.Argument(help="A built-in study (layerwise study list), GROUP/all, or FILE.toml.")],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where results are kept, in a folder for each study.")
    ] = Path("studies"),
    seeds: Annotated[int | None, typer.Option(help="How many; by default what the study says.")] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="stacked (many networks at once), ray (stacks on a cluster), processes (one a core), or loop."
        ),
    ] = "stacked",
    retry: Annotated[bool, typer.Option("--retry", help="Run what failed once more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train every cell in every block, and say whether the claims came true.

    What was run before is not run again: after a kill the same command goes on, and with more seeds only these are run.

    layerwise study run inductive-bias/q2-images

    layerwise study run mine.toml --seeds 5 -o results
    """
    from layerwise.report.study.tables import as_json as as_facts
    from layerwise.study.engines import find_engine
    from layerwise.study.named import find_studies
    from layerwise.study.running import run_study
    from layerwise.study.summary import summarize

    runner = find_engine(engine)
    chosen = [_with_seeds(one, seeds) for one in find_studies(name)]
    told = []
    for one in chosen:
        store = run_study(one, output / one.name, runner, retry=retry, progress=bars)
        summary = summarize(one, store)
        told.append({**as_facts(summary), "folder": str(store.folder)})
        if not as_json:
            _print(summary, store.folder)
    if as_json:
        print_json({"studies": told})


@study.command("check", no_args_is_help=True)
def check_command(
    name: Annotated[str, typer.Argument(help="A built-in study (layerwise study list), GROUP/all, or FILE.toml.")],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where results are kept; those that are there are checked, too.")
    ] = Path("studies"),
    as_json: AsJson = False,
) -> None:
    """What a careful experimenter looks at before and after a run: what is seen, and what to do about it.

    Before: classes, copies, borders and specks of the images; whether each network can learn a handful of them by
    heart; whether one run depends on another; whether something is tuned on what is reported. After, where there are
    results: failures, losses, kernels, curves that still fall, measures at their end, enough seeds.

    layerwise study check inductive-bias/q2-images
    """
    from layerwise.study.named import find_studies

    told = []
    for one in find_studies(name):
        found = {"before": _checks_before(one), "after": _checks_after(one, output / one.name)}
        told.append({"study": one.name, **{when: [asdict(check) for check in some] for when, some in found.items()}})
        if not as_json:
            _print_checks(one, [check for some in found.values() for check in some])
    if as_json:
        print_json({"studies": told})


def _checks_before(one: Study) -> Sequence[Check]:
    from layerwise.study.checks import check_before

    return check_before(one)


def _checks_after(one: Study, folder: Path) -> Sequence[Check]:
    """Nothing where there are no results."""
    from layerwise.study.checks import check_after
    from layerwise.study.store import Store
    from layerwise.study.summary import summarize

    if not (folder / "plan.json").exists():
        return ()
    store = Store(folder)
    findings = [judged.finding for judged in summarize(one, store).judged]
    return check_after(one, store.table(series=True), findings)


def _print_checks(one: Study, checks: Sequence[Check]) -> None:
    print_table(
        f"{one.name}: {one.title}", ("check", "saw", "do"), [(check.name, check.saw, check.do) for check in checks]
    )
    asking = sum(not check.fine for check in checks)
    say(f"{asking} of {len(checks)} checks ask for something." if asking else f"All {len(checks)} checks are fine.")


def _with_seeds(one: Study, seeds: int | None) -> Study:
    from dataclasses import replace

    from layerwise.errors import InputError

    if seeds is None:
        return one
    if seeds < 1:
        raise InputError(f"--seeds must be at least 1; got {seeds}.")
    return replace(one, seeds=seeds, looks=(*(look for look in one.looks if look < seeds), seeds))


def _print(summary: StudySummary, folder: Path) -> None:
    table = summary.table()
    one = summary.study
    print_table(
        f"{one.title} {one.measure}, mean over {summary.used} blocks (95 % interval)",
        [*(name.partition(".")[2] for name in table.columns[:-4]), "mean"],
        [
            (*("–" if value != value or value is None else value for value in row[:-4]), _number(*row[-4:-1]))
            for row in table.itertuples(index=False)
        ],
    )
    print_table(
        "Claims",
        ("claim", "found", "p", "verdict"),
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
        say(f"Of {len(summary.beside)} numbers of others, {inside} lie in our intervals.")
    if len(summary.failures):
        say(f"{len(summary.failures)} runs came to nothing; the first: {summary.failures['error'].iloc[0]}")
    if not summary.same_hypothesis:
        say("The hypothesis was changed after the first run: its verdict is exploratory.")
    say(f"The hypothesis is {summary.verdict}: {one.hypothesis}")
    say(f"Results: {folder}")


def _number(mean: float, low: float, high: float) -> str:
    return "–" if mean != mean else f"{mean:.3f} ({low:.3f} – {high:.3f})"


def _effect(effect: Estimate) -> str:
    return "–" if effect.value != effect.value else f"{effect.value:.3g} ({effect.low:.3g} – {effect.high:.3g})"
