"""`layerwise exits evaluate`: what leaving early gives and costs, and whether a smaller network would do as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.cli.console import AsJson, bars, print_json, say
from layerwise.cli.exits.options import Ensemble, Policy, Run, Threads, TrustCode, policy_named, source_of
from layerwise.cli.exits.tables import exits_summary, print_comparisons, print_curve, print_exits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layerwise.exits.recorded import RecordedExits

BATCH = 64
"""Images that start together, where time is measured; there is one at a time, too."""


def evaluate(
    run: Run,
    *,
    policy: Policy = "probability",
    ensemble: Ensemble = False,
    smaller: Annotated[
        str,
        typer.Option(
            help="Plain networks to compare with, trained the same way: shares of the channels, names; or none."
        ),
    ] = "0.75,0.5",
    batch_size: Annotated[int, typer.Option(help="Images in one forward pass.")] = 256,
    threads: Threads = None,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Run all exits on the validation and test images: what does leaving early give and cost, in MACs and milliseconds?

    Would a smaller network do as well? Some are trained the way this one was, which takes as long; once for a run.

    layerwise exits evaluate runs/shapes --policy entropy

    layerwise exits evaluate runs/cifar10 --smaller 0.75,resnet14
    """
    from layerwise.cli.exits.smaller import read_wanted, smaller_networks
    from layerwise.cli.threads import use_threads
    from layerwise.exits.comparison import compare_with
    from layerwise.exits.evaluation import exit_curve
    from layerwise.exits.folder import exits_folder, load_exits, save_recorded
    from layerwise.exits.latency import BATCH_SIZES, time_segments
    from layerwise.exits.recorded import record_exits
    from layerwise.runs import write_all

    chosen, wanted = policy_named(policy, ensemble=ensemble), read_wanted(smaller)
    if threads is not None:
        use_threads(threads)
    source = source_of(run, trust_code=trust_code, may_ask=not as_json)
    net = load_exits(run, source.model, source.data.image_shape, source.description.preprocessing)
    splits = [split for split in ("validation", "test") if split in source.data.split_names]
    recordings = {
        split: record_exits(net, source.data.split(split), batch_size=batch_size, progress=bars) for split in splits
    }
    for recorded in recordings.values():
        save_recorded(run, recorded)
    recorded = recordings[splits[-1]]
    shown = source.data.split(splits[-1])
    sizes = [size for size in BATCH_SIZES if size <= min(len(shown), BATCH)]
    times = time_segments(net, shown, chosen, batch_sizes=sizes, progress=bars)
    curve = exit_curve(recorded, chosen)
    others, note = smaller_networks(run, source, wanted, shown, batch_sizes=(1, sizes[-1]), progress=bars)
    calibration, report = _halves(recordings)
    compared = [
        comparison
        for other in others
        for comparison in compare_with(other, calibration, report, chosen, times, batch_size=sizes[-1])
    ]
    facts: dict[str, Any] = {
        "split": curve.split,
        **exits_summary(recorded, curve),
        "policy": policy,
        "ensemble": ensemble,
        "times": times.to_dict(),
        "comparisons": [one.to_dict() for one in compared],
        "smaller": [
            {"name": one.name, "macs": one.macs, "accuracy": float(one.right.mean()), "seconds": one.seconds}
            for one in others
        ],
        "compared": note
        or f"thresholds chosen on {len(calibration)} {calibration.split} images, "
        f"compared on {len(report)} {report.split} images",
    }
    table = curve.table()
    for size in (1, sizes[-1]):
        table[f"ms_batch_{size}"] = 1e3 * curve.seconds(times, batch_size=size)
    write_all(exits_folder(run), {"summary.json": facts, "curve.parquet": table})
    if as_json:
        print_json({"run": str(run), **facts})
        return
    print_exits(recorded, times)
    print_curve(table, curve, policy)
    print_comparisons(compared, facts["compared"])
    say(f"Written to {exits_folder(run)}. Thresholds for a budget: layerwise exits budget {run} --loss 0.005")


def _halves(recordings: Mapping[Any, RecordedExits]) -> tuple[RecordedExits, RecordedExits]:
    """The examples that choose thresholds for a comparison, and others that it is reported on."""
    from layerwise.exits.recorded import split_recorded

    if len(recordings) == 2:
        return recordings["validation"], recordings["test"]
    (only,) = recordings.values()
    return split_recorded(only, 0.5, seed=0)
