"""What `layerwise exits` prints: tables for people, and the same numbers for `--json`."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import print_table, say, share_with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from layerwise.exits.comparison import Comparison
    from layerwise.exits.evaluation import ExitCurve, ExitSummary
    from layerwise.exits.latency import SegmentTimes
    from layerwise.exits.recorded import RecordedExits
    from layerwise.exits.tried import ChosenPolicy


def exits_summary(recorded: RecordedExits, curve: ExitCurve) -> dict[str, Any]:
    """Each exit on its own, the network without exits, and the oracles."""
    accuracies = (recorded.predictions == recorded.labels).mean(axis=1).tolist()
    macs = recorded.costs.network.tolist()
    heads = [*recorded.costs.heads.tolist(), 0]
    return {
        "examples": len(recorded),
        "plain_accuracy": curve.plain_accuracy,
        "plain_macs": curve.plain_macs,
        "exits": [
            {"exit": name, "accuracy": accuracy, "network_macs": network, "head_macs": head}
            for name, accuracy, network, head in zip(recorded.names, accuracies, macs, heads, strict=True)
        ],
        "oracles": {name: {"accuracy": one.accuracy, "mac_cut": one.mac_cut} for name, one in curve.oracles.items()},
    }


def print_exits(recorded: RecordedExits, times: SegmentTimes) -> None:
    """Each exit on its own."""
    from layerwise.arrays.intervals import wilson_interval

    right = (recorded.predictions == recorded.labels).sum(axis=1)
    low, high = wilson_interval(right, len(recorded))
    shares = zip(right / len(recorded), low, high, strict=True)
    heads = [*recorded.costs.heads.tolist(), 0]
    size = times.batch_sizes[-1]
    taken = [1e3 * times.segments[row].cumsum() / times.batch_sizes[row] for row in (-1, 0)]
    print_table(
        f"{recorded.split}: {len(recorded)} images, each exit on its own",
        ("exit", "accuracy (95 % interval)", "MACs so far", "of its head", f"ms so far, batch {size}", "batch 1"),
        [
            (name, share_with_interval(*share), f"{macs:,}", f"{head:,}", f"{many:.3f}", f"{alone:.2f}")
            for name, share, macs, head, many, alone in zip(
                recorded.names, shares, recorded.costs.network, heads, *taken, strict=True
            )
        ],
    )


def print_curve(table: pd.DataFrame, curve: ExitCurve, policy: str) -> None:
    """The curve at round shares of the MACs, and the oracles."""
    wanted = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
    plain = curve.plain_macs
    columns = [name for name in table.columns if name.startswith("ms_batch_")]
    rows = []
    for share in wanted:
        fits = [row for row in table.to_dict("records") if row["macs"] <= share * plain]
        if fits:
            best = max(fits, key=itemgetter("accuracy"))
            rows.append(
                (
                    f"{best['threshold']:.4g}",
                    f"{best['macs'] / plain:.3f}",
                    *(f"{best[name]:.3f}" for name in columns),
                    f"{best['accuracy']:.4f}",
                )
            )
    blank = [""] * len(columns)
    rows += [
        (f"oracle: {name}", f"{1 - one.mac_cut:.3f}", *blank, f"{one.accuracy:.4f}")
        for name, one in curve.oracles.items()
    ]
    sizes = [f"ms, batch {name.removeprefix('ms_batch_')}" for name in columns]
    print_table(
        f"One threshold of {policy} for all exits", ("threshold", "share of the MACs", *sizes, "accuracy"), rows
    )


def print_comparisons(compared: Sequence[Comparison], how: str) -> None:
    """Early exit against smaller networks."""
    if not compared:
        say(f"Early exit or a smaller network? Not compared: {how}.")
        return
    print_table(
        "Early exit or a smaller network? Costs in shares of the whole network's",
        ("smaller network", "its accuracy", "its cost", "early exit", "cost", "difference (95 %)", "p", "better"),
        [
            (
                one.smaller,
                share_with_interval(one.smaller_accuracy, *one.smaller_interval),
                f"{one.smaller_cost / one.plain_cost:.3f} ({one.cost})",
                *_with_exits(one),
                one.verdict,
            )
            for one in compared
        ],
    )
    say(
        f"{how[0].upper()}{how[1:]}. Interval and p (McNemar, corrected by Holm) are over images; another training "
        "would differ, too."
    )


def _with_exits(one: Comparison) -> tuple[str, ...]:
    if one.exits_cost is None or one.gain is None or one.gain_interval is None:
        return ("–",) * 4
    low, high = one.gain_interval
    cost = f"{one.exits_cost / one.plain_cost:.3f}"
    return f"{one.exits_accuracy:.4f}", cost, f"{one.gain:+.4f} ({low:+.4f} to {high:+.4f})", f"{one.p_value:.2g}"


def budget_summary(
    chosen: ChosenPolicy, summary: ExitSummary, times: SegmentTimes, policy: str, *, ensemble: bool, batch_size: int = 1
) -> dict[str, Any]:
    """What was chosen, and what it gives; milliseconds of an image are predicted from those of the network's parts."""
    sizes = sorted({int(times.batch_sizes[0]), int(times.batch_sizes[-1]), batch_size})
    return {
        "policy": policy,
        "ensemble": ensemble,
        "thresholds": [str(one) if abs(one) == float("inf") else one for one in chosen.policy.thresholds.tolist()],
        "chosen_on": f"{len(chosen.chosen_on)} {chosen.split} examples",
        "promise": chosen.promise,
        "accuracy": summary.accuracy,
        "accuracy_95": summary.accuracy_interval,
        "plain_accuracy": summary.plain_accuracy,
        "gain": summary.gain,
        "gain_95": summary.gain_interval,
        "macs": summary.macs,
        "macs_95": summary.macs_interval,
        "gain_where_chosen": chosen.on_calibration.gain,
        "plain_macs": summary.plain_macs,
        "mac_cut": summary.mac_cut,
        "ms": {
            str(size): {
                "exits": 1e3 * times.per_image(summary.exit, chosen.policy, batch_size=size),
                "plain": 1e3 * times.plain_per_image(size),
            }
            for size in sizes
        },
        "shares": dict(zip(summary.names, summary.table()["share"].tolist(), strict=True)),
    }


def print_budget(chosen: ChosenPolicy, summary: ExitSummary, facts: Mapping[str, Any]) -> None:
    """What was chosen, and what it gives."""
    from layerwise.exits.guarantee import in_percent
    from layerwise.views.exits import saved_in_words

    print_table(
        f"{summary.examples} {facts['split']} images; thresholds chosen on {len(chosen.chosen_on)} others "
        f"({chosen.split})",
        ("exit", "threshold", "leave there", "share", "right of those"),
        [
            (
                row["exit"],
                "–" if threshold != threshold else f"{threshold:.4g}",
                str(row["examples"]),
                f"{row['share']:.3f}",
                share_with_interval(row["accuracy"], row["accuracy_low"], row["accuracy_high"]),
            )
            for row, threshold in zip(
                summary.table().to_dict("records"), [*chosen.policy.thresholds, float("nan")], strict=True
            )
        ],
    )
    if saved := saved_in_words(facts):
        say(f"Chosen for {saved}, at a loss of at most {in_percent(facts['loss'])} where they were chosen.")
    low, high = summary.gain_interval
    say(
        f"Accuracy {summary.accuracy:.4f} against {summary.plain_accuracy:.4f} without exits: {summary.gain:+.4f} "
        f"({low:+.4f} to {high:+.4f}). MACs {summary.macs:,.0f} against {summary.plain_macs:,}: "
        f"{_cut(summary.mac_cut)}."
    )
    for size, ms in facts["ms"].items():
        say(
            f"Milliseconds of an image, batches of {size}: {ms['exits']:.3f} against {ms['plain']:.3f}, "
            f"{_cut(1 - ms['exits'] / ms['plain'])}, as predicted from the times of the network's parts."
        )
    chosen_gain = chosen.on_calibration.gain
    say(f"On the images that chose the thresholds it was {chosen_gain:+.4f}: what is chosen looks better where it was.")
    if chosen.promise:
        say(f"Promised: {chosen.promise}.")


def _cut(share: float) -> str:
    """A saving in words; a negative one is a loss.

    >>> _cut(0.25), _cut(-0.031)
    ('25.0% less', '3.1% more')
    """
    return f"{abs(share):.1%} {'less' if share >= 0 else 'more'}"
