"""`layerwise exits train`: heads at taps of a run's network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.cli.console import AsJson, bars, print_json, say
from layerwise.cli.exits.options import Data, Model, Run, Threads, TrustCode, source_of

if TYPE_CHECKING:
    from layerwise.cli.sources import Source

# Heads alone are a convex problem: large steps are safe, and few epochs have to do.
JOINT_RATE, FROZEN_RATE = 1e-3, 0.02


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
    precision: Annotated[str, typer.Option(help="32, or bf16 for mixed precision.")] = "32",
    again: Annotated[bool, typer.Option("--again", help="Replace the exits of an earlier training.")] = False,
    model: Model = None,
    data: Data = None,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Train heads at taps of a run's network, resumably; with the network, or on top of it as it is.

    layerwise exits train runs/shapes --at layer1,layer2,layer3 --heads linear
    """
    from layerwise.cli.sources import named_model, read_place
    from layerwise.cli.threads import use_threads
    from layerwise.training.settings import TrainSettings

    if threads is not None:
        use_threads(threads)
    rate = (FROZEN_RATE if frozen else JOINT_RATE) if learning_rate is None else learning_rate
    settings: dict[str, Any] = {
        "epochs": epochs, "batch_size": batch_size, "optimizer": optimizer, "learning_rate": rate,
        "weight_decay": weight_decay, "schedule": schedule, "augment": augment, "seed": seed, "device": device,
        "precision": precision,
    }  # fmt: skip
    TrainSettings(**settings)  # faults of the settings are told before anything is loaded
    loss = {"weights": None if weights is None else _numbers(weights), "frozen": frozen, "distill": distill}
    designs = [design.strip() for design in heads.split(",")]
    facts = _train_into(
        run,
        source_of(run, data, model, trust_code=trust_code, may_ask=not as_json),
        place=read_place(at),
        heads=designs if len(designs) > 1 else designs[0],
        loss=loss,
        settings=settings,
        again=again,
    )
    if as_json:
        print_json({"run": str(run), "exits": [*facts["at"], "softmax"], "seconds": facts["seconds"]})
        return
    say(f"Exits at {', '.join(facts['at'])}, before the last. Next: layerwise exits evaluate {run}{named_model(run)}")


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
    from layerwise.errors import RunError
    from layerwise.exits.folder import exits_folder, replace_exits, save_exits
    from layerwise.exits.network import ExitNetwork
    from layerwise.exits.training import train_exits
    from layerwise.models.saved import fingerprint
    from layerwise.runs import note_step
    from layerwise.training.settings import TrainSettings

    data, preprocessing = source.data, source.description.preprocessing
    own = fingerprint(source.model)
    seed = settings["seed"]
    net = ExitNetwork(source.model, data.train, place, heads=heads, preprocessing=preprocessing, seed=seed)
    chosen = TrainSettings(**settings, preprocessing=preprocessing)
    # Beside those that are there, which stay until the new ones are trained.
    folder = run / "exits.new" if again else exits_folder(run)
    try:
        history = train_exits(net, data, chosen, **loss, run=folder, progress=bars)
    except RunError as error:
        way = f"Or remove {folder}, which an unfinished --again has left" if again else "Or replace the exits: --again"
        raise type(error)(f"{error} {way}.") from error
    if again:
        replace_exits(run, folder)
    save_exits(run, net)
    facts = {
        "at": net.names[:-1], "heads": net.designs, **loss, "settings": settings,
        "data_fingerprint": data.fingerprint, "model_fingerprint": own,
        "seconds": round(sum(record.time_s for record in history.records), 3),
    }  # fmt: skip
    note_step(run, "exits", facts)
    return facts


def _numbers(text: str) -> list[float]:
    from layerwise.errors import InputError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f'--weights "{text}" is not a list of numbers; write them as 1,0.3,0.3,0.3.') from None
