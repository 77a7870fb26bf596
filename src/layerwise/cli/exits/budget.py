"""`layerwise exits budget`: thresholds chosen on some images, reported on others."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise.cli.console import AsJson, print_json, say
from layerwise.cli.exits.options import Ensemble, Policy, Run
from layerwise.cli.exits.tables import budget_summary, print_budget

if TYPE_CHECKING:
    from layerwise.exits.recorded import RecordedExits

SAVED = ("macs", "ms")


def budget(
    run: Run,
    *,
    loss: Annotated[float | None, typer.Option(help="Accuracy that may be lost, as a share: 0.005.")] = None,
    macs: Annotated[float | None, typer.Option(help="Mean MACs of an image, heads included.")] = None,
    ms: Annotated[float | None, typer.Option("--ms", help="Mean milliseconds of an image, as predicted.")] = None,
    save: Annotated[str, typer.Option(help="With --loss: what is to be saved, macs or (as predicted) ms.")] = "macs",
    batch_size: Annotated[int, typer.Option(help="With --ms and --save ms: images that start together.")] = 1,
    harm: Annotated[
        float | None, typer.Option(help="With a guarantee: share of new images that leaving early may get wrong.")
    ] = None,
    risk: Annotated[float, typer.Option(help="With --harm: how likely the promise may be broken.")] = 0.1,
    policy: Policy = "probability",
    ensemble: Ensemble = False,
    of_test: Annotated[
        float | None,
        typer.Option(
            help="Choose on this share of the test images (or validation, without test), and report the rest."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="With --harm and --of-test: which images go where.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Choose thresholds on the validation images, and say what they give on the test images.

    layerwise exits budget runs/shapes --loss 0.005

    layerwise exits budget runs/shapes --loss 0.005 --save ms --batch-size 64

    layerwise exits budget runs/shapes --ms 2.5

    layerwise exits budget runs/shapes --harm 0.02 --risk 0.1
    """
    import pandas as pd

    from layerwise.cli.sources import named_model
    from layerwise.errors import InputError, did_you_mean
    from layerwise.exits.budgets import choose_for_accuracy, choose_for_macs, choose_for_seconds, evaluate_on
    from layerwise.exits.chosen import policy_named
    from layerwise.exits.folder import exits_folder, load_times, trained_fingerprint
    from layerwise.exits.guarantee import choose_with_guarantee
    from layerwise.exits.latency import LARGEST_BATCH
    from layerwise.runs import write_all
    from layerwise.views.exits import distrust_of_times

    if sum(given is not None for given in (loss, macs, ms, harm)) != 1:
        raise InputError("give one budget: --loss 0.005, --macs 20e6, --ms 2.5, or --harm 0.02 for a guarantee.")
    if save not in SAVED:
        raise InputError(f'--save is {" or ".join(SAVED)}; got "{save}".{did_you_mean(save, SAVED)}')
    if save == "ms" and loss is None:
        raise InputError("--save ms says what --loss is to save; give it with --loss 0.005.")
    if not 1 <= batch_size <= LARGEST_BATCH:
        raise InputError(f"--batch-size must be from 1 to {LARGEST_BATCH:,}; got {batch_size:,}.")
    for option, given in (("--macs", macs), ("--ms", ms)):
        if given is not None and not (math.isfinite(given) and given > 0):
            raise InputError(f"{option} must be a number above 0; got {given:g}.")
    family = policy_named(policy, ensemble=ensemble)
    calibration, report = _parts(run, of_test, seed=seed)
    times = load_times(run)
    if loss is not None:
        chosen = choose_for_accuracy(
            calibration, family, loss=loss, times=times if save == "ms" else None, batch_size=batch_size
        )
    elif macs is not None:
        chosen = choose_for_macs(calibration, family, macs=macs)
    elif ms is not None:
        chosen = choose_for_seconds(calibration, family, seconds=ms / 1e3, times=times, batch_size=batch_size)
    else:
        chosen = choose_with_guarantee(calibration, family, harm=harm or 0.0, risk=risk, seed=seed)
    summary = evaluate_on(report, chosen)
    facts = budget_summary(chosen, summary, times, policy, ensemble=ensemble, batch_size=batch_size)
    facts |= {"split": report.split, "fingerprint": trained_fingerprint(run)}
    if loss is not None:
        facts |= {"loss": loss, "saved": save} | ({"batch_size": batch_size} if save == "ms" else {})
    left = pd.DataFrame({"id": report.ids, "exit": summary.exit, "right": summary.right})
    write_all(exits_folder(run), {"budget.json": facts, "left.parquet": left})
    if distrust := distrust_of_times(times.to_dict(), f"{run}{named_model(run)}"):
        say(distrust)
    if as_json:
        print_json({"run": str(run), **facts})
        return
    print_budget(chosen, summary, facts)


def _parts(run: Path, of_test: float | None, *, seed: int) -> tuple[RecordedExits, RecordedExits]:
    """The examples that choose the thresholds, and others that they are reported on."""
    from layerwise.errors import InputError
    from layerwise.exits.folder import has_recorded, load_recorded
    from layerwise.exits.recorded import split_recorded

    reported = "test" if has_recorded(run, "test") or not has_recorded(run, "validation") else "validation"
    report = load_recorded(run, reported)
    if of_test is not None:
        return split_recorded(report, of_test, seed=seed)
    if reported == "validation":
        raise InputError(
            f"{run} has no test images, and what is chosen on the validation images may not be reported on them.\n"
            "    Choose on a part of them: --of-test 0.5."
        )
    if not has_recorded(run, "validation"):
        raise InputError(
            f"{run} held out no validation images, and what is chosen on the test images may not be reported on them.\n"
            "    Choose on a part of them: --of-test 0.5. Or train anew with --validation 0.1."
        )
    return load_recorded(run, "validation"), report
