"""What `layerwise exits` prints: tables for people, and the same numbers for `--json`."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from layerwise.cli.console import print_table, say, share_with_interval

if TYPE_CHECKING:
    from layerwise.exits.budgets import ChosenPolicy
    from layerwise.exits.evaluation import ExitCurve, ExitSummary
    from layerwise.exits.recorded import RecordedExits


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


def print_exits(recorded: RecordedExits) -> None:
    """Each exit on its own."""
    from layerwise.arrays.intervals import wilson_interval

    right = (recorded.predictions == recorded.labels).sum(axis=1)
    low, high = wilson_interval(right, len(recorded))
    shares = zip(right / len(recorded), low, high, strict=True)
    heads = [*recorded.costs.heads.tolist(), 0]
    print_table(
        f"{recorded.split}: {len(recorded)} images, each exit on its own",
        ("exit", "accuracy (95 % interval)", "MACs of the network so far", "of its head"),
        [
            (name, share_with_interval(*share), f"{macs:,}", f"{head:,}")
            for name, share, macs, head in zip(recorded.names, shares, recorded.costs.network, heads, strict=True)
        ],
    )


def print_curve(curve: ExitCurve, policy: str) -> None:
    """The curve at round shares of the MACs, and the oracles."""
    wanted = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
    plain = curve.plain_macs
    rows = []
    for share in wanted:
        fits = [row for row in curve.table().to_dict("records") if row["macs"] <= share * plain]
        if fits:
            best = max(fits, key=itemgetter("accuracy"))
            rows.append((f"{best['threshold']:.4g}", f"{best['macs'] / plain:.3f}", f"{best['accuracy']:.4f}"))
    rows += [
        (f"oracle: {name}", f"{1 - one.mac_cut:.3f}", f"{one.accuracy:.4f}") for name, one in curve.oracles.items()
    ]
    print_table(f"One threshold of {policy} for all exits", ("threshold", "share of the MACs", "accuracy"), rows)


def budget_summary(chosen: ChosenPolicy, summary: ExitSummary, policy: str, *, ensemble: bool) -> dict[str, Any]:
    """What was chosen, and what it gives."""
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
        "shares": dict(zip(summary.names, summary.table()["share"].tolist(), strict=True)),
    }


def print_budget(chosen: ChosenPolicy, summary: ExitSummary) -> None:
    """What was chosen, and what it gives."""
    print_table(
        f"{summary.examples} test images; thresholds chosen on {len(chosen.chosen_on)} {chosen.split} images",
        ("exit", "threshold", "leave there", "share", "right of those"),
        [
            (
                row["exit"],
                f"{threshold:.4g}",
                str(row["examples"]),
                f"{row['share']:.3f}",
                share_with_interval(row["accuracy"], row["accuracy_low"], row["accuracy_high"]),
            )
            for row, threshold in zip(
                summary.table().to_dict("records"), [*chosen.policy.thresholds, float("nan")], strict=True
            )
        ],
    )
    low, high = summary.gain_interval
    say(
        f"Accuracy {summary.accuracy:.4f} against {summary.plain_accuracy:.4f} without exits: {summary.gain:+.4f} "
        f"({low:+.4f} to {high:+.4f}). MACs {summary.macs:,.0f} against {summary.plain_macs:,}: "
        f"{summary.mac_cut:.1%} less."
    )
    chosen_gain = chosen.on_calibration.gain
    say(f"On the images that chose the thresholds it was {chosen_gain:+.4f}: what is chosen looks better where it was.")
    if chosen.promise:
        say(f"Promised: {chosen.promise}.")
