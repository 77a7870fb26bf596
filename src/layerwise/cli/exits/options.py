"""What the commands of `layerwise exits` share: options, the network of a run, and a policy by its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from layerwise.arrays.policies import ExitPolicy
    from layerwise.cli.sources import Source

POLICIES = ("entropy", "probability", "margin", "patience")

Run = Annotated[Path, typer.Argument(help="A run folder that `layerwise train` made.")]
TrustCode = Annotated[bool, typer.Option("--trust-code", help="Run the FILE.py that the run names as its network.")]
Threads = Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")]
Ensemble = Annotated[bool, typer.Option("--ensemble", help="Judge and answer by the mean of the exits so far.")]
Policy = Annotated[str, typer.Option(help=f"Who leaves: by {', '.join(POLICIES)}.")]


def source_of(run: Path, *, trust_code: bool, may_ask: bool) -> Source:
    """The network of a run, and its images."""
    from layerwise.cli.sources import source_of_run

    return source_of_run(run, None, seed=0, model=None, trust_code=trust_code, may_ask=may_ask)


def policy_named(name: str, *, ensemble: bool) -> ExitPolicy:
    """A policy with no thresholds yet.

    Raises:
        UnknownNameError: no policy is called so.
    """
    from layerwise.arrays.policies import EntropyBelow, GeometricEnsemble, MarginAbove, MaxProbabilityAbove, Patience
    from layerwise.errors import UnknownNameError, did_you_mean

    made: tuple[ExitPolicy, ...] = (EntropyBelow(0.0), MaxProbabilityAbove(0.0), MarginAbove(0.0), Patience(0.0))
    name_to_policy = dict(zip(POLICIES, made, strict=True))
    if name not in name_to_policy:
        raise UnknownNameError(
            f'--policy "{name}" is not known.{did_you_mean(name, POLICIES)}\n    Choose one of: {", ".join(POLICIES)}.'
        )
    return GeometricEnsemble(name_to_policy[name]) if ensemble else name_to_policy[name]
