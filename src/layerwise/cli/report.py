"""`layerwise report`: a run folder as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwise.cli.console import AsJson, print_json, say


def report(
    run: Annotated[Path, typer.Argument(help="A run folder in which difficulty was measured.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write RUN/report.html: one file that needs no network and no JavaScript; its charts also as RUN/figures/*.svg.

    layerwise report runs/shapes
    """
    from layerwise.report.page import write_report

    path = write_report(run)
    if as_json:
        print_json({"run": str(run), "report": str(path), "size_bytes": path.stat().st_size})
        return
    say(f"Written to {path}. Open it in a browser.")
