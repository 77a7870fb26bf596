"""`layerwise demo`: the whole tour on drawn shapes, from training to the report."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from layerwise.cli.console import AsJson, print_json, say
from layerwise.cli.difficulty import difficulty
from layerwise.cli.exits.budget import budget as choose_budget
from layerwise.cli.exits.evaluate import evaluate as evaluate_exits
from layerwise.cli.exits.train import train as train_exits
from layerwise.cli.inside import inside
from layerwise.cli.report import report
from layerwise.cli.train import train

SEED = 0
EXITS = "layer1,layer2,layer3"
EXIT_POLICY = "entropy"
EXIT_LOSS = 0.01
SMALLER = "0.5"
MAPS = "tsne"
MAPPED_TAPS = "layer2,layer4"


@dataclass(frozen=True)
class Tour:
    """How much of the job to do."""

    folder: Path
    data: str
    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str
    split: str
    exit_epochs: int


# Plainer than the reference's shapes, for the network has a minute to learn them. Ranges are spelt out even where they
# were once the defaults, so that tuning the defaults leaves the demo as it is.
PLAIN_SHAPES = (
    "shapes?train=1200&test=800&size=0.4,0.6&aspect=1,2&x=0.38,0.62&y=0.38,0.62"
    "&rotation=-35,35&contrast=0.4,0.8&noise=0,0.04&occluded=0"
)
SMALL = Tour(Path("runs/demo"), PLAIN_SHAPES, 4, 32, 2e-3, "onecycle", "test", 3)
REFERENCE = Tour(Path("runs/reference"), "shapes", 10, 256, 1e-4, "none", "test", 3)


def demo(
    *,
    reference: Annotated[
        bool, typer.Option("--reference", help="The job in full: 30,000 images, 10 epochs; most of an hour on 2 cores.")
    ] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The run folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train a ResNet-18 on drawn shapes, measure how hard each image is, let easy ones leave early, map it, report it.

    layerwise demo
    """
    from layerwise.runs import steps_of

    tour = REFERENCE if reference else SMALL
    folder = output or tour.folder
    started = time.perf_counter()
    say(f"1 of 5: train a ResNet-18 on shapes ({tour.data}), {tour.epochs} epochs")
    train(
        "resnet18",
        tour.data,
        folder,
        epochs=tour.epochs,
        batch_size=tour.batch_size,
        learning_rate=tour.learning_rate,
        schedule=tour.schedule,
        validation=0.0,
        seed=SEED,
    )
    say("2 of 5: measure at which layer each image is decided")
    if not (folder / "examples.parquet").exists():
        difficulty(folder, split=tour.split)
    say("3 of 5: put exits after three of its stages, and see who may leave there")
    if not (folder / "exits" / "budget.json").exists():
        train_exits(folder, at=EXITS, heads="mixed", frozen=True, epochs=tour.exit_epochs, seed=SEED)
        evaluate_exits(folder, policy=EXIT_POLICY, smaller=SMALLER)
        choose_budget(folder, policy=EXIT_POLICY, loss=EXIT_LOSS, of_test=0.5, seed=SEED)
    say("4 of 5: map the images as pixels, after two of its four stages, and at the softmax")
    if "maps" not in steps_of(folder):
        inside(folder, embed=MAPS, taps=MAPPED_TAPS, split=tour.split)
    say("5 of 5: write the report")
    report(folder)
    page = folder / "report.html"
    seconds = time.perf_counter() - started
    if as_json:
        print_json({"run": str(folder), "report": str(page), "seconds": round(seconds, 1)})
    else:
        say(f"Done in {seconds:.0f} s. Open this in a browser: {page.resolve()}")
        say(f"Or look around in it: {_as_called()} explore {folder}")


def _as_called() -> str:
    """What to type for this program: a virtual environment that is not active has it in its own folder only."""
    called = sys.argv[0]
    return "layerwise" if Path(called).name != "layerwise" or shutil.which("layerwise") == called else called
