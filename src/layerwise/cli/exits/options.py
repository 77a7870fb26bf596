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
Model = Annotated[str | None, typer.Option(help="The run's network, if its FILE.py:NAME lies elsewhere now.")]
Data = Annotated[str | None, typer.Option(help="The run's images, if they lie elsewhere now.")]
Threads = Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")]
Ensemble = Annotated[bool, typer.Option("--ensemble", help="Judge and answer by the mean of the exits so far.")]
Policy = Annotated[str, typer.Option(help=f"Who leaves: by {', '.join(POLICIES)}.")]


def source_of(run: Path, data: str | None, model: str | None, *, trust_code: bool, may_ask: bool) -> Source:
    """The network of a run, and its images; wherever they lie, they must be those that it was trained on.

    Raises:
        RunError: other images were given.
        The errors of `source_of_run`.
    """
    from layerwise.cli.sources import source_of_run

    return source_of_run(run, data, seed=0, model=model, trust_code=trust_code, may_ask=may_ask, same_images=True)


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
