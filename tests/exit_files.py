"""What `layerwise exits` leaves in a run folder, made up for a toy run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from layerwise.runs import read_table, write_json, write_table
from layerwise.seeds import stream

FINGERPRINT = "of the toy"
NAMES = ("layer1", "layer2", "softmax")


def write_exits(run: Path, *, budget: bool = True, names: tuple[str, ...] = NAMES) -> Path:
    """Three exits; deeper examples leave later."""
    folder = run / "exits"
    examples = read_table(run / "examples.parquet")
    exits = [
        {"exit": name, "accuracy": accuracy, "network_macs": macs, "head_macs": head}
        for name, accuracy, macs, head in zip(names, (0.6, 0.75, 0.9), (100, 200, 400), (5, 5, 0), strict=True)
    ]
    oracle = {"accuracy": 0.95, "mac_cut": 0.6}
    summary = {
        "fingerprint": FINGERPRINT,
        "split": "test",
        "policy": "entropy",
        "examples": len(examples),
        "plain_accuracy": 0.9,
        "plain_macs": 400,
        "exits": exits,
        "oracles": {"first right": oracle, "first agreeing": oracle | {"accuracy": 0.9}},
        "times": {
            "batch_sizes": [1, 64],
            "segments": [[1e-3, 1e-3, 2e-3], [0.01, 0.01, 0.03]],
            "heads": [[1e-4, 1e-4], [1e-3, 1e-3]],
            "plain": [3.8e-3, 0.048],
            "names": names,
        },
        "smaller": [
            {"name": "0.5 of the channels", "macs": 110, "accuracy": 0.8, "seconds": {"1": 2e-3, "64": 4e-4}},
        ],
        "comparisons": [
            {
                "smaller": "0.5 of the channels",
                "cost": cost,
                "plain_cost": plain,
                "smaller_cost": smaller,
                "smaller_accuracy": 0.8,
                "smaller_interval": [0.74, 0.85],
                "exits_cost": exits,
                "exits_accuracy": exits and 0.83,
                "gain": exits and 0.03,
                "gain_interval": exits and [0.01, 0.05],
                "p_value": exits and 0.02,
                "verdict": "early exit" if exits else "out of reach",
            }
            for cost, plain, smaller, exits in (("MACs", 400, 110, None), ("ms, batch 64", 0.75, 0.4, 0.39))
        ],
        "compared": "thresholds chosen on 80 validation images, compared on 100 test images",
    }
    write_json(folder / "summary.json", summary)
    macs = np.linspace(400, 105, 20)
    curve = pd.DataFrame(
        {"threshold": np.linspace(0, 1.7, 20), "accuracy": 0.9 - (400 - macs) ** 2 / 3e5, "macs": macs}
    )
    curve["ms_batch_64"] = 0.3 + 0.45 * macs / 400
    write_table(folder / "curve.parquet", curve)
    if not budget:
        return run
    noise = stream(0, "exits").random(len(examples))
    left = np.clip((examples["depth"] / examples["depth"].max() * 2 + noise).astype(int), 0, 2)
    write_table(folder / "left.parquet", pd.DataFrame({"id": examples["id"], "exit": left, "right": noise < 0.9}))
    chosen = {
        "fingerprint": FINGERPRINT,
        "policy": "entropy",
        "accuracy": 0.89,
        "accuracy_95": [0.84, 0.93],
        "gain": -0.01,
        "gain_95": [-0.03, 0.01],
        "macs": 250.0,
        "mac_cut": 0.375,
        "ms": {"1": {"exits": 3.0, "plain": 3.8}, "64": {"exits": 0.55, "plain": 0.75}},
        "shares": dict(zip(names, (np.bincount(left, minlength=3) / len(left)).tolist(), strict=True)),
        "thresholds": [0.4, "-inf"],
        "chosen_on": "80 validation examples",
        "promise": "at most 2.00% of new examples are harmed, with probability 90%",
    }
    write_json(folder / "budget.json", chosen)
    return run
