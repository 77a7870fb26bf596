"""Tables and pictures of early exit for a results page: `python docs/results/exits_tables.py RUN NAME`.

Prints Markdown, and writes docs/results/NAME-exits-*.png. The run's exits were evaluated, and a budget chosen.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tables import print_rows, save

from layerwise.plots.exits import plot_exit_curve, plot_exit_shares
from layerwise.views.exits import ExitsView, read_exits, saved_in_words


def print_exits(exits: ExitsView) -> None:
    times, size = exits.summary["times"], exits.batch_size
    many, alone = (1e3 * np.cumsum(times["segments"][row]) / batch for row, batch in ((-1, size), (0, 1)))
    print_rows(
        ["exit", "accuracy", "MACs so far", "of its head", f"ms so far, batch {size}", "batch 1"],
        [
            [
                f"`{one['exit']}`",
                f"{100 * one['accuracy']:.2f} %",
                f"{one['network_macs']:,}",
                f"{one['head_macs']:,}",
                f"{many[index]:.3f}",
                f"{alone[index]:.2f}",
            ]
            for index, one in enumerate(exits.summary["exits"])
        ],
    )
    for name, oracle in exits.summary["oracles"].items():
        print(f"Oracle, {name}: {100 * oracle['accuracy']:.2f} % at {100 * oracle['mac_cut']:.1f} % less MACs\n")


def print_budget(exits: ExitsView) -> None:
    budget = exits.budget
    if budget is None:
        return
    low, high = (100 * end for end in budget["gain_95"])
    saved = saved_in_words(budget)
    print(f"Thresholds of {budget['policy']}, chosen on {budget['chosen_on']}{saved and ' for '}{saved}.\n")
    gain, right = f"{100 * budget['gain']:+.2f} points ({low:+.2f} to {high:+.2f})", 100 * budget["accuracy"]
    print(f"{100 * budget['mac_cut']:.1f} % less MACs, {gain}, {right:.2f} % right.\n")
    for size, ms in budget["ms"].items():
        print(f"Batches of {size}: {ms['exits']:.3f} ms against {ms['plain']:.3f} (predicted)\n")


def print_comparisons(exits: ExitsView) -> None:
    print_rows(
        ["smaller network", "accuracy", "its cost", "early exit", "cost", "difference in points", "better"],
        [
            [
                one["smaller"],
                f"{100 * one['smaller_accuracy']:.2f} %",
                f"{100 * one['smaller_cost'] / one['plain_cost']:.0f} % ({one['cost']})",
                *(
                    ["–"] * 3
                    if one["gain"] is None
                    else [
                        f"{100 * one['exits_accuracy']:.2f} %",
                        f"{100 * one['exits_cost'] / one['plain_cost']:.0f} %",
                        "{:+.2f} ({:+.2f} to {:+.2f})".format(
                            *(100 * end for end in (one["gain"], *one["gain_interval"]))
                        ),
                    ]
                ),
                one["verdict"],
            ]
            for one in exits.summary["comparisons"]
        ],
    )
    print(f"{exits.summary['compared']}\n")


def main() -> None:
    run, name = Path(sys.argv[1]), sys.argv[2]
    exits = read_exits(run)
    if exits is None:
        sys.exit(f"{run} holds no evaluated exits.")
    print_exits(exits)
    print_budget(exits)
    print_comparisons(exits)
    save(plot_exit_curve(exits), f"{name}-exits-macs")
    save(plot_exit_curve(exits, in_time=True), f"{name}-exits-time")
    if exits.left is not None:
        save(plot_exit_shares(exits), f"{name}-exits-shares")


if __name__ == "__main__":
    main()
