"""`approximation`: what has to be said beside every number of a measurement on projected activations."""

from __future__ import annotations

import numpy as np
import pandas as pd


def approximation(taps: pd.DataFrame) -> str:
    """A sentence, or nothing for an exact measurement.

    Args:
        taps: the table of taps; of an approximate measurement with `projected_to`, `exact_votes` and its interval, and
            `exact_votes_of`.

    >>> approximation(pd.DataFrame({"name": ["input"]}))
    ''
    """
    if "projected_to" not in taps:
        return ""
    projected = taps[taps["projected_to"].notna()]
    worst = projected.iloc[int(projected["exact_votes"].to_numpy(np.float64).argmin())]
    return (
        f"Approximate: {len(projected)} of {len(taps)} taps were projected to {int(worst['projected_to'])} numbers. "
        f"Votes agree with the exact ones on {_percent(worst['exact_votes'])} % "
        f"({_percent(worst['exact_votes_low'])} – {_percent(worst['exact_votes_high'])}) "
        f"of {int(worst['exact_votes_of'])} examples at {worst['name']}, the least of all taps."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
