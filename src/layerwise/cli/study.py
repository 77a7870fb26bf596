"""`layerwise study`: experiments over many seeds, with statistics and a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise.cli.console import AsJson, bars, print_json, print_table, say

if TYPE_CHECKING:
    from layerwise.arrays.blocks import Estimate
    from layerwise.report.study.view import StudyView
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


@study.command("report", no_args_is_help=True)
def report_command(
    folder: Annotated[Path, typer.Argument(help="Results of a study, or a folder with those of several.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write report.html: the verdict, the picture that carries it, and everything behind it; with JSON and CSV beside.

    Of a folder with several studies, each gets its report, and report.html there shows them side by side.

    layerwise study report studies/q2-images
    """
    from layerwise.report.study.page import write_study_index, write_study_report
    from layerwise.report.study.tables import as_json as as_facts
    from layerwise.study.store import find_stores

    views = []
    stores = find_stores(folder)
    for store in bars(stores, total=len(stores), what="reports"):
        view = _view(store)
        views.append((view, write_study_report(view, store.folder)))
    last = views[0][1] if views[0][1].parent == folder else write_study_index(views, folder)
    if as_json:
        print_json({"studies": [as_facts(view.summary) for view, _ in views], "report": str(last)})
        return
    print_table(
        "Studies",
        ("study", "seeds", "verdict", "hypothesis"),
        [
            (view.summary.study.name, f"{view.summary.used}", view.summary.verdict, view.summary.study.hypothesis)
            for view, _ in views
        ],
    )
    say(f"Report: {last}")


def _view(store: Store) -> StudyView:
    from layerwise.report.study.view import StudyView
    from layerwise.study.described import describe
    from layerwise.study.summary import summarize

    one = store.study()
    summary = summarize(one, store)
    return StudyView(summary, store.table(series=True), describe(one, store))


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
