"""`layerwise exits`: heads at taps of a trained network, what leaving gives and costs, thresholds for a budget."""

from __future__ import annotations

import typer

from layerwise.cli.exits.budget import budget
from layerwise.cli.exits.evaluate import evaluate
from layerwise.cli.exits.export import export
from layerwise.cli.exits.train import train

exits = typer.Typer(
    help="How much of the network each image needs: heads at taps, early exit that truly stops, a budget.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
for command in (train, evaluate, budget, export):
    exits.command(no_args_is_help=True)(command)
