"""`layerwise study`: experiments over many seeds, with statistics and a verdict."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from layerwise.cli.console import AsJson, bars, print_json, print_table, say
from layerwise.cli.study_words import print_checks, print_checks_that_ask, print_summary

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
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="First look at images, networks and plan, as study check does.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Train every cell in every block, and say whether the claims came true.

    What was run before is not run again: after a kill the same command goes on, and with more seeds only these are run.

    layerwise study run inductive-bias/q2-images

    layerwise study run mine.toml --seeds 12 -o results
    """
    from layerwise.report.study.tables import as_json as as_facts
    from layerwise.study.checks.noted import note_checks
    from layerwise.study.engines import find_engine
    from layerwise.study.named import find_studies
    from layerwise.study.running import run_study
    from layerwise.study.store import Store
    from layerwise.study.summary import summarize

    runner = find_engine(engine)
    chosen = [one if seeds is None else one.with_seeds(seeds) for one in find_studies(name)]
    told = []
    for one in chosen:
        store = Store(output / one.name)
        store.begin(one)
        if check:
            print_checks_that_ask(note_checks(one, store))
        run_study(one, store.folder, runner, retry=retry, progress=bars)
        summary = summarize(one, store)
        told.append({**as_facts(summary), "folder": str(store.folder)})
        if not as_json:
            print_summary(summary, store.folder)
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
    from layerwise.study.checks import check_before
    from layerwise.study.checks.results import check_results
    from layerwise.study.named import find_studies

    told = []
    for one in find_studies(name):
        found = {"before": check_before(one), "after": check_results(one, output / one.name)}
        told.append({"study": one.name, **{when: [asdict(check) for check in some] for when, some in found.items()}})
        if not as_json:
            print_checks(one, [check for some in found.values() for check in some])
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
    from layerwise.report.study.page import write_study_report
    from layerwise.runs import read_json
    from layerwise.study.store import find_stores

    path = write_study_report(folder, progress=bars)
    told = [{**read_json(store.folder / "summary.json"), "folder": str(store.folder)} for store in find_stores(folder)]
    if as_json:
        print_json({"studies": told, "report": str(path)})
        return
    print_table(
        "Studies",
        ("study", "folder", "seeds", "verdict", "hypothesis"),
        [(one["study"], one["folder"], f"{one['used']}", one["verdict"], one["hypothesis"]) for one in told],
    )
    for one in told:
        for departure in one["departures"]:
            say(f"{one['study']}: {departure}")
    say(f"Report: {path}")
