"""`layerwise exits evaluate`: what leaving early gives and costs, and whether a smaller network would do as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.cli.console import AsJson, bars, print_json, say
from layerwise.cli.exits.options import Data, Ensemble, Model, Policy, Run, Threads, TrustCode, source_of
from layerwise.cli.exits.tables import exits_summary, print_comparisons, print_curve, print_exits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from torch import nn

    from layerwise.arrays.policies import ExitPolicy
    from layerwise.data.images import ImageData
    from layerwise.exits.comparison import Comparison
    from layerwise.exits.latency import SegmentTimes
    from layerwise.exits.network import ExitNetwork
    from layerwise.exits.recorded import RecordedExits


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
    model: Model = None,
    data: Data = None,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Run all exits on the validation and test images: what does leaving early give and cost, in MACs and milliseconds?

    Would a smaller network do as well? Some are trained the way this one was, which takes as long; once for a run.

    layerwise exits evaluate runs/shapes --policy entropy

    layerwise exits evaluate runs/cifar10 --smaller 0.75,resnet14
    """
    from layerwise.cli.exits.smaller import draw_smaller, read_wanted, train_smaller
    from layerwise.cli.sources import named_model
    from layerwise.cli.threads import use_threads
    from layerwise.errors import InputError
    from layerwise.exits.chosen import policy_named
    from layerwise.exits.evaluation import exit_curve
    from layerwise.exits.folder import earlier_comparison, exits_folder, load_exits, save_recorded, trained_fingerprint
    from layerwise.exits.latency import BATCH_SIZES, time_segments
    from layerwise.exits.recorded import record_exits
    from layerwise.runs import write_all
    from layerwise.views.exits import distrust_of_times

    chosen, wanted = policy_named(policy, ensemble=ensemble), read_wanted(smaller)
    if threads is not None:
        use_threads(threads)
    source = source_of(run, data, model, trust_code=trust_code, may_ask=not as_json)
    splits = [split for split in ("validation", "test") if split in source.data.split_names]
    if not splits:
        raise InputError(f"{source.data.name} has neither validation nor test images: there are none to report on.")
    net = load_exits(run, source.model, source.data.image_shape, source.description.preprocessing)
    drawn, notes = draw_smaller(run, source, wanted)
    earlier = earlier_comparison(run)
    recordings = [record_exits(net, source.data.split(split), batch_size=batch_size, progress=bars) for split in splits]
    for one in recordings:
        save_recorded(run, one)
    shown, recorded = source.data.split(splits[-1]), recordings[-1]
    sizes = [size for size in BATCH_SIZES if size <= len(shown)]
    curve = exit_curve(recorded, chosen)
    facts: dict[str, Any] = {"split": curve.split, **exits_summary(recorded, curve), "policy": policy}
    facts |= {"ensemble": ensemble, "fingerprint": trained_fingerprint(run)}
    # What an earlier evaluation compared stays until this one has compared anew.
    facts |= {"comparisons": [], "smaller": [], "compared": "stopped before it", **earlier}

    def write() -> pd.DataFrame:
        table = curve.table()
        for size in (1, sizes[-1]):
            table[f"ms_batch_{size}"] = 1e3 * curve.seconds(times, batch_size=size)
        write_all(exits_folder(run), {"summary.json": {**facts, "times": times.to_dict()}, "curve.parquet": table})
        return table

    times = time_segments(net, shown, chosen, batch_sizes=sizes, progress=bars)
    write()  # what is known before hours of training
    networks = train_smaller(run, source, drawn, progress=bars)
    facts |= {"comparisons": [], "smaller": [], "compared": notes}
    compared: list[Comparison] = []
    if networks:
        # The times once more, next to the others': what was measured hours apart is not compared.
        times = time_segments(net, shown, chosen, batch_sizes=sizes, progress=bars)
        compared, found = _compare(networks, net, shown, recordings, chosen, times)
        facts |= {**found, "compared": notes + found["compared"]}
    table = write()
    if distrust := distrust_of_times(times.to_dict(), f"{run}{named_model(run)}"):
        say(distrust)
    if as_json:
        print_json({"run": str(run), **facts, "times": times.to_dict()})
        return
    print_exits(recorded, times)
    print_curve(table, curve, policy)
    print_comparisons(compared, facts["compared"])
    say(f"Written to {exits_folder(run)}. Thresholds for a budget: layerwise exits budget {run} --loss 0.005")


def _compare(
    networks: Mapping[str, nn.Module],
    net: ExitNetwork,
    shown: ImageData,
    recordings: Sequence[RecordedExits],
    policy: ExitPolicy,
    times: SegmentTimes,
) -> tuple[list[Comparison], dict[str, Any]]:
    """The exits against smaller networks at equal cost, and what the summary says of it.

    Thresholds are chosen on the first recording and reported on the second, or on the halves of the only one.
    """
    from layerwise.exits.comparison import compare_with
    from layerwise.exits.recorded import split_recorded
    from layerwise.exits.smaller import measure_smaller

    if len(recordings) == 2:
        calibration, report = recordings
    else:
        calibration, report = split_recorded(recordings[0], 0.5, seed=0)
    size = int(times.batch_sizes[-1])
    others = [
        measure_smaller(name, model, shown, preprocessing=net.preprocessing, batch_sizes=(1, size), progress=bars)
        for name, model in networks.items()
    ]
    compared = compare_with(others, calibration, report, policy, times, batch_size=size)
    return compared, {
        "comparisons": [one.to_dict() for one in compared],
        "smaller": [
            {"name": one.name, "macs": one.macs, "accuracy": float(one.right.mean()), "seconds": one.seconds}
            for one in others
        ],
        "compared": f"thresholds chosen on {len(calibration)} {calibration.split} images, compared on {len(report)} "
        f"other {report.split} images",
    }
