"""The command line: one file per command; each parses, calls one public function, saves, and prints a table.

Commands import what they need when they run, so that `layerwise --help` answers at once.
"""

from __future__ import annotations

import typer

from layerwise.cli.console import run_app
from layerwise.cli.data import data
from layerwise.cli.demo import demo
from layerwise.cli.difficulty import difficulty
from layerwise.cli.exits import exits
from layerwise.cli.explore import explore
from layerwise.cli.inside import inside
from layerwise.cli.report import report
from layerwise.cli.study import study
from layerwise.cli.taps import taps
from layerwise.cli.train import train

app = typer.Typer(
    help="Look at an image classifier layer by layer and example by example.",
    epilog="Begin with: layerwise demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for command in (demo, data, taps, train, difficulty, inside, report, explore):
    app.command(no_args_is_help=command is not demo)(command)
app.add_typer(exits, name="exits")
app.add_typer(study, name="study")


def main() -> None:
    """Run the command line and exit: 0 done, 2 the input cannot be used, 130 interrupted, 1 a fault of ours."""
    run_app(app)
