"""What all commands share: errors as messages with an exit code, progress bars, tables, JSON on the last line."""

from __future__ import annotations

import errno
import json
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import click
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from layerwise.errors import InputError, Interrupted

Item = TypeVar("Item")
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object on the last line.")]

screen = Console(stderr=True, highlight=False)


def run_app(app: typer.Typer) -> None:
    """Run the application and exit with its code."""
    warnings.showwarning = _show_warning
    try:
        app(standalone_mode=False)
    except InputError as error:
        _fail(f"{type(error).__name__}: {error}", code=2)
    except Interrupted as error:
        _fail(str(error), code=130)
    except (KeyboardInterrupt, click.Abort):
        _fail("Interrupted. Finished parts are kept: run the same command again to go on.", code=130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _fail(
                f"the disk is full ({error.filename or 'writing'}). Free some space and run the same command again.", 2
            )
        if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError | NotADirectoryError):
            _fail(f"{type(error).__name__}: {error.filename}: {error.strerror}. Check the path.", 2)
        _fault()
    except Exception:
        _fault()
    sys.exit(0)


def _fail(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(code)


def _fault() -> None:
    traceback.print_exc()
    _fail("This is a fault of layerwise, not of your input. Please report it with the lines above.", code=1)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning):
        print(f"note: {message}", file=sys.stderr)


def bars(items: Iterable[Item], *, total: int, what: str) -> Iterator[Item]:
    """A `Progress` that draws a bar on the error stream; silent when that is not a terminal."""
    if not screen.is_terminal:
        yield from items
        return
    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=screen) as progress:
        yield from progress.track(items, total=total, description=what)


def say(text: str) -> None:
    """A line for people, on the error stream, so that the output stays clean for pipes."""
    screen.print(text, markup=False)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on the standard output; numbers to the right."""
    table = Table(title=title, title_justify="left")
    lines = [tuple(row) for row in rows]
    for place, column in enumerate(columns):
        numeric = all(isinstance(line[place], int | float) or str(line[place])[:1].isdigit() for line in lines)
        table.add_column(column, justify="right" if numeric and lines else "left")
    for line in lines:
        table.add_row(*(str(value) for value in line))
    Console(highlight=False).print(table)


def share_with_interval(share: float, low: float, high: float) -> str:
    """A share with its 95 % interval, or a dash where there is none.

    >>> share_with_interval(0.5, 0.25, 0.75)
    '0.500 (0.250 – 0.750)'
    """
    return f"{share:.3f} ({low:.3f} – {high:.3f})" if share == share else "–"


def print_json(summary: Mapping[str, Any]) -> None:
    """One JSON object on one line."""
    print(json.dumps(summary, ensure_ascii=False, default=str))
