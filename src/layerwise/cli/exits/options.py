"""What the commands of `layerwise exits` share: options, and the network of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
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
