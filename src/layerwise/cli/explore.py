"""`layerwise explore`: a run in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwise.cli.console import AsJson, bars, print_json, say


def explore(
    run: Annotated[Path, typer.Argument(help="A run folder in which difficulty was measured.")],
    *,
    export: Annotated[
        Path | None, typer.Option(help="Write the page into this folder, which opens by double click, and end.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="With --export: replace an earlier page.")] = False,
    neighbors: Annotated[
        int, typer.Option(help="With --export: training images shown at each tap; they are most of the bytes.")
    ] = 5,
    port: Annotated[int, typer.Option(help="Of 127.0.0.1; by default one that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    limit_gb: Annotated[
        float | None,
        typer.Option(help="The most memory for what new images are compared with; by default half of the machine's."),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")] = None,
    model: Annotated[str | None, typer.Option(help="The network, if its FILE.py:NAME lies elsewhere now.")] = None,
    data: Annotated[str | None, typer.Option(help="The run's images, if they lie elsewhere now.")] = None,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Run the FILE.py that the run names as its network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at a run in the browser: maps of every tap, its images, and each one's story. Ctrl-C ends it.

    The page is for this machine only. A picture that is dropped on it gets its votes, depth and place on the maps.

    layerwise explore runs/shapes

    layerwise explore runs/shapes --export pages/shapes
    """
    if export is not None:
        _export(run, export, neighbors=neighbors, again=again, as_json=as_json)
        return
    from layerwise.web.server import explore as open_page
    from layerwise.web.server import serve_run

    if threads is not None:
        from layerwise.cli.threads import use_threads

        use_threads(threads)
    trust_code = trust_code or (model is None and not as_json and _is_trusted(run))
    explorer = open_page(run, port=port, limit_gb=limit_gb, model=model, data=data, trust_code=trust_code)
    if as_json:
        print_json({"run": str(run), "address": explorer.address})
    else:
        print(explorer.address, flush=True)
        say("Open this address in a browser, if none has opened. Ctrl-C ends it.")
    serve_run(explorer, open_browser=not no_browser)


def _export(run: Path, folder: Path, *, neighbors: int, again: bool, as_json: bool) -> None:
    from layerwise.web.export import export_explorer

    written = export_explorer(run, folder, neighbors=neighbors, again=again, progress=bars)
    if as_json:
        print_json(
            {"run": str(run), "page": str(written.page), "files": written.files, "size_bytes": written.size_bytes}
        )
        return
    say(f"Written: {written.files} files, {written.size_bytes / 1e6:.1f} MB. Open this in a browser: {written.page}")


def _is_trusted(run: Path) -> bool:
    """Whether the user lets the FILE.py run that a run names; asked before the page is there."""
    from layerwise.cli.console import confirm
    from layerwise.errors import FileError
    from layerwise.runs import read_object
    from layerwise.web.abilities import is_file_spec

    try:
        spec = read_object(run / "model.json").get("spec")
    except FileError:
        return False
    return is_file_spec(spec) and confirm(
        f"{run} names {spec!r} as its network, which feature maps and new images need. Run this file? "
        "A program can do anything."
    )
