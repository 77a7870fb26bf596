"""`layerwise exits`: heads at taps of a trained network, what leaving gives and costs, thresholds for a budget."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.cli.console import AsJson, bars, print_json, say
from layerwise.cli.exits_tables import (
    budget_summary,
    exits_summary,
    print_budget,
    print_curve,
    print_exits,
)

if TYPE_CHECKING:
    from layerwise.arrays.policies import ExitPolicy
    from layerwise.cli.sources import Source

POLICIES = ("entropy", "probability", "margin", "patience")

# Heads alone are a convex problem: large steps are safe, and few epochs have to do.
JOINT_RATE, FROZEN_RATE = 1e-3, 0.02

Run = Annotated[Path, typer.Argument(help="A run folder that `layerwise train` made.")]
TrustCode = Annotated[bool, typer.Option("--trust-code", help="Run the FILE.py that the run names as its network.")]
Threads = Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")]
Ensemble = Annotated[bool, typer.Option("--ensemble", help="Judge and answer by the mean of the exits so far.")]
Policy = Annotated[str, typer.Option(help=f"Who leaves: by {', '.join(POLICIES)}.")]

exits = typer.Typer(
    help="How much of the network each image needs: heads at taps, early exit that truly stops, a budget.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@exits.command(no_args_is_help=True)
def train(
    run: Run,
    *,
    at: Annotated[str, typer.Option(help="Names of taps with commas between; or blocks, children, leaves.")] = "blocks",
    heads: Annotated[str, typer.Option(help="linear, pooled, mixed or conv; one, or one for each exit.")] = "pooled",
    weights: Annotated[
        str | None, typer.Option(help="Of the exits' losses, the last included; by default 1, then 0.3 for each.")
    ] = None,
    frozen: Annotated[bool, typer.Option("--frozen", help="Train the heads alone, the network stays.")] = False,
    distill: Annotated[float, typer.Option(help="Share of the loss that imitates the last exit, 0 to 1.")] = 0.0,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Images in one step.")] = 128,
    optimizer: Annotated[str, typer.Option(help="adam, adamw or sgd.")] = "adam",
    learning_rate: Annotated[
        float | None, typer.Option("--lr", "--learning-rate", help="By default 0.001, or 0.02 for the heads alone.")
    ] = None,
    weight_decay: Annotated[float, typer.Option(help="0 for none.")] = 0.0,
    schedule: Annotated[str, typer.Option(help="Of the learning rate: none, cosine or onecycle.")] = "cosine",
    augment: Annotated[str, typer.Option(help="none, or flip-crop.")] = "none",
    seed: Annotated[int, typer.Option(help="Of the heads' first weights, order and augmentation.")] = 0,
    threads: Threads = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    again: Annotated[bool, typer.Option("--again", help="Replace the exits of an earlier training.")] = False,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Train heads at taps of a run's network, resumably; with the network, or on top of it as it is.

    layerwise exits train runs/shapes --at layer1,layer2,layer3 --heads linear
    """
    from layerwise.cli.sources import read_place
    from layerwise.cli.threads import use_threads
    from layerwise.training.settings import TrainSettings

    if threads is not None:
        use_threads(threads)
    rate = (FROZEN_RATE if frozen else JOINT_RATE) if learning_rate is None else learning_rate
    settings: dict[str, Any] = {
        "epochs": epochs, "batch_size": batch_size, "optimizer": optimizer, "learning_rate": rate,
        "weight_decay": weight_decay, "schedule": schedule, "augment": augment, "seed": seed, "device": device,
    }  # fmt: skip
    TrainSettings(**settings)  # faults of the settings are told before anything is loaded
    loss = {"weights": None if weights is None else _numbers(weights), "frozen": frozen, "distill": distill}
    designs = [design.strip() for design in heads.split(",")]
    facts = _train_into(
        run,
        _source(run, trust_code=trust_code, may_ask=not as_json),
        place=read_place(at),
        heads=designs if len(designs) > 1 else designs[0],
        loss=loss,
        settings=settings,
        again=again,
    )
    if as_json:
        print_json({"run": str(run), "exits": [*facts["at"], "softmax"], "seconds": facts["seconds"]})
        return
    say(f"Exits at {', '.join(facts['at'])}, before the last. Next: layerwise exits evaluate {run}")


def _train_into(
    run: Path,
    source: Source,
    *,
    place: str | list[str],
    heads: str | list[str],
    loss: dict[str, Any],
    settings: dict[str, Any],
    again: bool,
) -> dict[str, Any]:
    """Train, and save the exits and what was done into the run folder; gives what was done."""
    from layerwise.exits.folder import exits_folder, save_exits
    from layerwise.exits.network import ExitNetwork
    from layerwise.exits.training import exits_objective, train_exits
    from layerwise.models.saved import fingerprint
    from layerwise.runs import note_step
    from layerwise.training.settings import TrainSettings

    data, preprocessing = source.data, source.description.preprocessing
    own = fingerprint(source.model)
    seed = settings["seed"]
    net = ExitNetwork(source.model, data.train, place, heads=heads, preprocessing=preprocessing, seed=seed)
    chosen = TrainSettings(**settings, preprocessing=preprocessing)
    # What cannot be trained for is refused before anything is removed.
    exits_objective(net, chosen, **loss)
    if again:
        shutil.rmtree(exits_folder(run), ignore_errors=True)
    history = train_exits(net, data, chosen, **loss, run=exits_folder(run), progress=bars)
    save_exits(run, net)
    facts = {
        "at": net.names[:-1], "heads": net.designs, **loss, "settings": settings,
        "data_fingerprint": data.fingerprint, "model_fingerprint": own,
        "seconds": round(sum(record.time_s for record in history.records), 3),
    }  # fmt: skip
    note_step(run, "exits", facts)
    return facts


@exits.command(no_args_is_help=True)
def evaluate(
    run: Run,
    *,
    policy: Policy = "probability",
    ensemble: Ensemble = False,
    batch_size: Annotated[int, typer.Option(help="Images in one forward pass.")] = 256,
    threads: Threads = None,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Run all exits on the validation and test images, and say what leaving early gives and costs.

    layerwise exits evaluate runs/shapes --policy entropy
    """
    from layerwise.cli.threads import use_threads
    from layerwise.exits.evaluation import exit_curve
    from layerwise.exits.folder import exits_folder, load_exits, save_recorded
    from layerwise.exits.recorded import record_exits
    from layerwise.runs import write_all

    chosen = _policy(policy, ensemble=ensemble)
    if threads is not None:
        use_threads(threads)
    source = _source(run, trust_code=trust_code, may_ask=not as_json)
    net = load_exits(run, source.model, source.data.image_shape, source.description.preprocessing)
    splits = [split for split in ("validation", "test") if split in source.data.split_names]
    recordings = {
        split: record_exits(net, source.data.split(split), batch_size=batch_size, progress=bars) for split in splits
    }
    for recorded in recordings.values():
        save_recorded(run, recorded)
    recorded = recordings[splits[-1]]
    curve = exit_curve(recorded, chosen)
    facts = {"split": curve.split, **exits_summary(recorded, curve), "policy": policy, "ensemble": ensemble}
    write_all(exits_folder(run), {"summary.json": facts, "curve.parquet": curve.table()})
    if as_json:
        print_json({"run": str(run), **facts})
        return
    print_exits(recorded)
    print_curve(curve, policy)
    say(f"Written to {exits_folder(run)}. Thresholds for a budget: layerwise exits budget {run} --loss 0.005")


@exits.command(no_args_is_help=True)
def budget(
    run: Run,
    *,
    loss: Annotated[float | None, typer.Option(help="Accuracy that may be lost, as a share: 0.005.")] = None,
    macs: Annotated[float | None, typer.Option(help="Mean MACs of an image, heads included.")] = None,
    harm: Annotated[
        float | None, typer.Option(help="With a guarantee: share of new images that leaving early may get wrong.")
    ] = None,
    risk: Annotated[float, typer.Option(help="With --harm: how likely the promise may be broken.")] = 0.1,
    policy: Policy = "probability",
    ensemble: Ensemble = False,
    of_test: Annotated[
        float | None, typer.Option(help="Choose on this share of the test images, and report the others.")
    ] = None,
    seed: Annotated[int, typer.Option(help="With --harm and --of-test: which images go where.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Choose thresholds on the validation images, and say what they give on the test images.

    layerwise exits budget runs/shapes --loss 0.005

    layerwise exits budget runs/shapes --harm 0.02 --risk 0.1
    """
    import pandas as pd

    from layerwise.errors import InputError
    from layerwise.exits.budgets import choose_for_accuracy, choose_for_macs, choose_with_guarantee, evaluate_on
    from layerwise.exits.folder import exits_folder, has_recorded, load_recorded
    from layerwise.exits.recorded import split_recorded
    from layerwise.runs import write_all

    if sum(given is not None for given in (loss, macs, harm)) != 1:
        raise InputError("give one budget: --loss 0.005, --macs 20e6, or --harm 0.02 for a guarantee.")
    family = _policy(policy, ensemble=ensemble)
    report = load_recorded(run, "test")
    if of_test is not None:
        calibration, report = split_recorded(report, of_test, seed=seed)
    elif not has_recorded(run, "validation"):
        raise InputError(
            f"{run} held out no validation images, and what is chosen on the test images may not be reported on them.\n"
            "    Choose on a part of them: --of-test 0.5. Or train anew with --validation 0.1."
        )
    else:
        calibration = load_recorded(run, "validation")
    if loss is not None:
        chosen = choose_for_accuracy(calibration, family, loss=loss)
    elif macs is not None:
        chosen = choose_for_macs(calibration, family, macs=macs)
    else:
        chosen = choose_with_guarantee(calibration, family, harm=harm or 0.0, risk=risk, seed=seed)
    summary = evaluate_on(report, chosen)
    facts = budget_summary(chosen, summary, policy, ensemble=ensemble)
    left = pd.DataFrame({"id": report.ids, "exit": summary.exit, "right": summary.right})
    write_all(exits_folder(run), {"budget.json": facts, "left.parquet": left})
    if as_json:
        print_json({"run": str(run), **facts})
        return
    print_budget(chosen, summary)


@exits.command(no_args_is_help=True)
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

    chosen = _chosen_policy(run) if threshold is None else _policy(policy, ensemble=False).with_thresholds(threshold)
    source = _source(run, trust_code=trust_code, may_ask=not as_json)
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
        return _policy(str(budget["policy"]), ensemble=bool(budget["ensemble"])).with_thresholds(thresholds)
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"{path} is not what `layerwise exits budget` writes ({type(error).__name__}: {error})."
        ) from error


def _source(run: Path, *, trust_code: bool, may_ask: bool) -> Source:
    from layerwise.cli.sources import source_of_run

    return source_of_run(run, None, seed=0, model=None, trust_code=trust_code, may_ask=may_ask)


def _policy(name: str, *, ensemble: bool) -> ExitPolicy:
    from layerwise.arrays.policies import EntropyBelow, GeometricEnsemble, MarginAbove, MaxProbabilityAbove, Patience
    from layerwise.errors import UnknownNameError, did_you_mean

    made: tuple[ExitPolicy, ...] = (EntropyBelow(0.0), MaxProbabilityAbove(0.0), MarginAbove(0.0), Patience(0.0))
    name_to_policy = dict(zip(POLICIES, made, strict=True))
    if name not in name_to_policy:
        raise UnknownNameError(
            f'--policy "{name}" is not known.{did_you_mean(name, POLICIES)}\n    Choose one of: {", ".join(POLICIES)}.'
        )
    return GeometricEnsemble(name_to_policy[name]) if ensemble else name_to_policy[name]


def _numbers(text: str) -> list[float]:
    from layerwise.errors import InputError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f'--weights "{text}" is not a list of numbers; write them as 1,0.3,0.3,0.3.') from None
