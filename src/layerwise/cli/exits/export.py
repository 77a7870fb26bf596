"""`layerwise exits export`: one ONNX file that stops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layerwise.cli.console import AsJson, print_json, say
from layerwise.cli.exits.options import Data, Model, Run, TrustCode, source_of

EXPORTED = ("entropy", "probability", "margin")


def export(
    run: Run,
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file; by default RUN/exits/net.onnx.")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help=f"With --threshold: {', '.join(EXPORTED)}; by default probability."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="For all exits; by default what `layerwise exits budget` chose.")
    ] = None,
    model: Model = None,
    data: Data = None,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Write one ONNX file that truly stops: an image that may leave early does, and thresholds are an input.

    layerwise exits export runs/shapes
    """
    from layerwise.errors import InputError
    from layerwise.exits.chosen import chosen_policy, policy_named
    from layerwise.exits.export import check_output, export_onnx
    from layerwise.exits.folder import exits_folder, load_exits

    if threshold is None and policy is not None:
        raise InputError(
            f"--policy {policy} needs a --threshold; without one the file gets what was chosen.\n"
            f"    To choose for {policy}: layerwise exits budget {run} --policy {policy} --loss 0.005"
        )
    path = exits_folder(run) / "net.onnx" if output is None else output
    check_output(path)
    if threshold is None:
        chosen = chosen_policy(run)
    else:
        chosen = policy_named(policy or "probability", ensemble=False).with_thresholds(threshold)
    source = source_of(run, data, model, trust_code=trust_code, may_ask=not as_json)
    net = load_exits(run, source.model, source.data.image_shape, source.description.preprocessing)
    export_onnx(net, path, chosen, class_names=source.description.class_names)
    if as_json:
        print_json({"run": str(run), "file": str(path), "size_bytes": path.stat().st_size})
        return
    say(f"Written to {path}. In Python: layerwise.OnnxExits({str(path)!r}).predict(image)")
