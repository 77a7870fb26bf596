"""The policy that `layerwise exits budget` chose for a run (chosen_policy), and one by its name (policy_named)."""

from __future__ import annotations

from pathlib import Path

from layerwise.arrays.policies import (
    EntropyBelow,
    ExitPolicy,
    GeometricEnsemble,
    MarginAbove,
    MaxProbabilityAbove,
    Patience,
)
from layerwise.errors import FileError, RunError, UnknownNameError, did_you_mean
from layerwise.exits.folder import exits_folder, trained_fingerprint
from layerwise.runs import read_json

__all__ = ["chosen_policy", "policy_named"]

NAME_TO_POLICY: dict[str, ExitPolicy] = {
    "entropy": EntropyBelow(0.0),
    "probability": MaxProbabilityAbove(0.0),
    "margin": MarginAbove(0.0),
    "patience": Patience(0.0),
}


def chosen_policy(run: Path) -> ExitPolicy:
    """The policy and thresholds that `layerwise exits budget` chose.

    Raises:
        RunError: it chose none, or for exits that are no longer there.
        FileError: budget.json is damaged.
    """
    path = exits_folder(run) / "budget.json"
    if not path.exists():
        raise RunError(
            f"no thresholds were chosen in {run}.\n"
            f"    Choose some: layerwise exits budget {run} --loss 0.005. Or give one: --threshold 0.9"
        )
    budget = read_json(path)
    try:
        thresholds = [float(threshold) for threshold in budget["thresholds"]]
        chosen = policy_named(str(budget["policy"]), ensemble=bool(budget["ensemble"])).with_thresholds(thresholds)
        made_of = budget["fingerprint"]
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"{path} is not what `layerwise exits budget` writes ({type(error).__name__}: {error})."
        ) from error
    if made_of != trained_fingerprint(run):
        raise RunError(
            f"the exits in {run} were trained anew after their thresholds were chosen.\n"
            f"    Choose again: layerwise exits evaluate {run}, then layerwise exits budget {run} --loss 0.005"
        )
    return chosen


def policy_named(name: str, *, ensemble: bool) -> ExitPolicy:
    """A policy with no thresholds yet.

    Raises:
        UnknownNameError: no policy is called so.
    """
    if name not in NAME_TO_POLICY:
        raise UnknownNameError(
            f'--policy "{name}" is not known.{did_you_mean(name, NAME_TO_POLICY)}\n'
            f"    Choose one of: {', '.join(NAME_TO_POLICY)}."
        )
    return GeometricEnsemble(NAME_TO_POLICY[name]) if ensemble else NAME_TO_POLICY[name]
