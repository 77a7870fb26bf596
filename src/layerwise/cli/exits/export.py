"""`layerwise exits export`: one ONNX file that stops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise.cli.console import AsJson, print_json, say
from layerwise.cli.exits.options import Policy, Run, TrustCode, policy_named, source_of

if TYPE_CHECKING:
    from layerwise.arrays.policies import ExitPolicy


def export(
    run: Run,
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file; by default RUN/exits/net.onnx.")
    ] = None,
    policy: Policy = "probability",
    threshold: Annotated[
        float | None, typer.Option(help="For all exits; by default what `layerwise exits budget` chose.")
    ] = None,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Write one ONNX file that truly stops: an image that may leave early does, and thresholds are an input.

    layerwise exits export runs/shapes
    """
    from layerwise.exits.export import export_onnx
    from layerwise.exits.folder import exits_folder, load_exits

    chosen = (
        _chosen_policy(run) if threshold is None else policy_named(policy, ensemble=False).with_thresholds(threshold)
    )
    source = source_of(run, trust_code=trust_code, may_ask=not as_json)
    net = load_exits(run, source.model, source.data.image_shape, source.description.preprocessing)
    path = output or exits_folder(run) / "net.onnx"
    export_onnx(net, path, chosen, class_names=source.description.class_names)
    if as_json:
        print_json({"run": str(run), "file": str(path), "size_bytes": path.stat().st_size})
        return
    say(f"Written to {path}. In Python: layerwise.OnnxExits({str(path)!r}).predict(image)")


def _chosen_policy(run: Path) -> ExitPolicy:
    """The policy and thresholds that `layerwise exits budget` chose."""
    from layerwise.errors import FileError, RunError
    from layerwise.exits.folder import exits_folder
    from layerwise.runs import read_json

    path = exits_folder(run) / "budget.json"
    if not path.exists():
        raise RunError(
            f"no thresholds were chosen in {run}.\n"
            f"    Choose some: layerwise exits budget {run} --loss 0.005. Or give one: --threshold 0.9"
        )
    budget = read_json(path)
    try:
        thresholds = [float(threshold) for threshold in budget["thresholds"]]
        return policy_named(str(budget["policy"]), ensemble=bool(budget["ensemble"])).with_thresholds(thresholds)
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"{path} is not what `layerwise exits budget` writes ({type(error).__name__}: {error})."
        ) from error
