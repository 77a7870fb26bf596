"""`layerwise train`: a network and images in, a run folder out; the same command goes on where it stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.cli.console import AsJson, bars, print_json, print_table, say, share_with_interval
from layerwise.cli.names import IMAGES, LIST_IMAGES, LIST_NETWORKS, NETWORKS

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from layerwise.data.images import ImageData
    from layerwise.models.preprocessing import Preprocessing
    from layerwise.training.history import TrainingHistory

NORMALIZATIONS = ("data", "none", "imagenet")


def train(
    model: Annotated[str, typer.Argument(help=f"A network: {NETWORKS}. List the names: {LIST_NETWORKS}")],
    data: Annotated[str, typer.Argument(help=f"Images: {IMAGES}. List all: {LIST_IMAGES}")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The run folder.")],
    *,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Images in one step.")] = 128,
    optimizer: Annotated[str, typer.Option(help="adam, adamw or sgd.")] = "adam",
    learning_rate: Annotated[float, typer.Option("--lr", "--learning-rate", help="The highest one.")] = 1e-3,
    weight_decay: Annotated[float, typer.Option(help="0 for none.")] = 0.0,
    momentum: Annotated[float, typer.Option(help="Of sgd.")] = 0.9,
    schedule: Annotated[str, typer.Option(help="Of the learning rate: none, cosine or onecycle.")] = "none",
    label_smoothing: Annotated[float, typer.Option(help="0 for none.")] = 0.0,
    augment: Annotated[str, typer.Option(help="none, or flip-crop: mirrored, and moved by up to 4 pixels.")] = "none",
    normalize: Annotated[
        str, typer.Option(help="Mean and deviation: of the training data, of imagenet, or none.")
    ] = "data",
    validation: Annotated[
        float | None, typer.Option(help="Share of the training images held out; by default 0.1 where none are.")
    ] = None,
    early_stop: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a lower validation loss; keep the best.")
    ] = None,
    log_dynamics: Annotated[
        bool, typer.Option("--log-dynamics", help="Note what each training image goes through: dynamics.parquet.")
    ] = False,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="Keep the weights after each epoch: RUN/checkpoints/epochs.")
    ] = False,
    weights: Annotated[Path | None, typer.Option(help="Start from these: safetensors, state dict, checkpoint.")] = None,
    seed: Annotated[int, typer.Option(help="Of initial weights, hold-out, order, augmentation and dropout.")] = 0,
    threads: Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    precision: Annotated[str, typer.Option(help="32, or bf16 for mixed precision.")] = "32",
    as_json: AsJson = False,
) -> None:
    """Train a network, resumably: after a kill or Ctrl-C, the same command goes on.

    layerwise train resnet20 digits -o runs/digits --epochs 5

    layerwise train resnet20 parquet:cifar10 -o runs/cifar10 --optimizer sgd --lr 0.2 --schedule onecycle
    """
    from layerwise.cli.finished import is_finished, kept_besides, needs_repair
    from layerwise.cli.threads import use_threads

    settings = {
        "epochs": epochs, "batch_size": batch_size, "optimizer": optimizer, "learning_rate": learning_rate,
        "weight_decay": weight_decay, "momentum": momentum, "schedule": schedule, "label_smoothing": label_smoothing,
        "augment": augment, "early_stop": early_stop, "seed": seed, "precision": precision,
    }  # fmt: skip
    asked = {
        "model": model, "weights": None if weights is None else str(weights), "data": data, "data_seed": seed,
        "validation": validation, "normalize": normalize, "settings": settings,
        **{name: True for name, given in (("log_dynamics", log_dynamics), ("keep_weights", keep_weights)) if given},
    }  # fmt: skip
    if threads is not None:
        use_threads(threads)
    if not is_finished(output, asked):
        train_into(output, asked, device=device)
    elif needs_repair(output):
        train_into(output, {**asked, **kept_besides(output)}, device=device)
    else:
        say(f"{output} is finished: this very training is in it.")
    _report(output, as_json=as_json)


def train_into(run: Path, asked: Mapping[str, Any], *, device: str) -> None:
    """Load, train, and save the network and what was done into the run folder."""
    from layerwise.models.catalog import load_model
    from layerwise.models.saved import ModelDescription, save_model
    from layerwise.runs import note_step
    from layerwise.training.dynamics_log import DynamicsLog
    from layerwise.training.fit import train as fit
    from layerwise.training.settings import TrainSettings

    _check_normalize(asked["normalize"])
    given = {**asked["settings"], "device": device}
    TrainSettings(**given)  # faults of the settings are told before anything is loaded
    images, validation = _load_images(asked["data"], asked["validation"], seed=asked["data_seed"])
    classes, shape = images.num_classes, images.image_shape
    weights = None if asked["weights"] is None else Path(asked["weights"])
    seed = asked["data_seed"]
    network = load_model(asked["model"], num_classes=classes, in_channels=shape[0], weights=weights, seed=seed)
    preprocessing = _preprocessing(asked["normalize"], images)
    command = {**asked, "validation": validation, "images": _count(images)}
    log = DynamicsLog(len(images.train), classes, curves=True) if asked.get("log_dynamics") else None
    settings = TrainSettings(**given, preprocessing=preprocessing)
    kept = bool(asked.get("keep_weights"))
    with _command_noted(run, command):
        history = fit(network, images, settings, log=log, run=run, keep_weights=kept, progress=bars)
    description = ModelDescription(asked["model"], classes, shape, images.class_names, preprocessing)
    save_model(run, network, description)
    note_step(run, "train", {**command, "folder": str(Path.cwd()), **_facts(network, images, history)})


@contextlib.contextmanager
def _command_noted(run: Path, command: Mapping[str, Any]) -> Iterator[None]:
    """The command stands in the folder before its first checkpoint; one that is refused before that leaves nothing."""
    from layerwise.cli.finished import COMMAND_FILE
    from layerwise.errors import InputError
    from layerwise.runs import write_json
    from layerwise.training.checkpoints import checkpoint_path

    checkpoint, note = checkpoint_path(run), run / COMMAND_FILE
    made = [folder for folder in (note.parent, run) if not folder.exists()]
    if not checkpoint.exists():
        write_json(note, command)
    try:
        yield
    except InputError:
        if not checkpoint.exists():
            note.unlink()
            for folder in made:
                folder.rmdir()
        raise


def _load_images(spec: str, validation: float | None, *, seed: int) -> tuple[ImageData, float]:
    """The images, and the share of the training images that was held out."""
    from layerwise.cli.finished import DEFAULT_VALIDATION
    from layerwise.data.catalog import load_data
    from layerwise.data.splits import hold_out

    images = load_data(spec, seed=seed)
    share = validation
    if share is None:
        share = 0.0 if "validation" in images.split_names else DEFAULT_VALIDATION
    return (images, 0.0) if share == 0 else (hold_out(images, share, seed=seed), share)


def _count(images: ImageData) -> dict[str, int]:
    return {name: int((images.splits == name).sum()) for name in images.split_names}


def _facts(network: nn.Module, images: ImageData, history: TrainingHistory) -> dict[str, Any]:
    import torch

    from layerwise.models.saved import fingerprint

    return {
        "data_fingerprint": images.fingerprint,
        "model_fingerprint": fingerprint(network),
        "kept_epoch": history.kept_epoch,
        "threads": torch.get_num_threads(),
        "seconds": round(sum(record.time_s for record in history.records), 3),
    }


def _check_normalize(name: str) -> None:
    from layerwise.errors import UnknownNameError, did_you_mean

    if name not in NORMALIZATIONS:
        raise UnknownNameError(
            f'--normalize "{name}" is not known.{did_you_mean(name, NORMALIZATIONS)}\n'
            f"    Choose one of: {', '.join(NORMALIZATIONS)}."
        )


def _preprocessing(name: str, images: ImageData) -> Preprocessing | None:
    from layerwise.models.preprocessing import Preprocessing

    if name == "none":
        return None
    if name == "imagenet":
        return Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    train_split, chunk = images.train, 1000
    starts = range(0, len(train_split), chunk)
    return Preprocessing.of_images(train_split.batch(slice(start, start + chunk)) for start in starts)


def _report(run: Path, *, as_json: bool) -> None:
    from layerwise.cli.sources import named_model
    from layerwise.runs import read_table, steps_of

    facts, history = steps_of(run)["train"], read_table(run / "history.parquet")
    kept = history[history["epoch"] == facts["kept_epoch"]]
    if as_json:
        print_json(_summary(run, facts, kept))
        return
    print_table(
        f"{facts['model']} on {facts['data']}, after epoch {facts['kept_epoch']} ({facts['seconds']:.0f} s)",
        ("split", "images", "loss", "accuracy (95 % interval)"),
        [
            (
                row["split"],
                facts["images"][row["split"]],
                f"{row['loss']:.4f}",
                share_with_interval(*_interval(row, facts)),
            )
            for row in kept.to_dict("records")
        ],
    )
    say(f"Written to {run}. Next: layerwise difficulty {run}{named_model(run)}")


def _interval(row: Mapping[Any, Any], facts: Mapping[str, Any]) -> tuple[float, float, float]:
    from layerwise.arrays.intervals import wilson_interval

    count = facts["images"][row["split"]]
    low, high = wilson_interval(round(row["accuracy"] * count), count)
    return row["accuracy"], float(low), float(high)


def _summary(run: Path, facts: Mapping[str, Any], kept: pd.DataFrame) -> dict[str, Any]:
    splits = {}
    for row in kept.to_dict("records"):
        accuracy, low, high = _interval(row, facts)
        splits[row["split"]] = {"loss": row["loss"], "accuracy": accuracy, "accuracy_95": [low, high]}
    return {"run": str(run), "epoch": facts["kept_epoch"], "seconds": facts["seconds"], "splits": splits}
