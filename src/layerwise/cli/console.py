"""What all commands share: errors as messages with an exit code, progress bars, tables, JSON on the last line."""

from __future__ import annotations

import errno
import json
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from layerwise.errors import InputError, Interrupted
from layerwise.progress import What, in_words

Item = TypeVar("Item")
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object on the last line.")]

screen = Console(stderr=True, highlight=False)

LINE_EVERY_S = 60.0

WIDE = 200
"""Columns of a table that is written to a file or a pipe: its cells are not broken into lines."""

INTERRUPTED = 130

# Depending on its version typer raises click's errors or its own copy of them: BadParameter is its name for both.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

PATH_FAULTS = frozenset(
    {
        errno.EACCES, errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR,
        errno.EPERM, errno.EROFS,
    }
)  # fmt: skip
"""System errors that come from the path that was given."""


def run_app(app: typer.Typer) -> None:
    """Run the application and exit with its code."""
    warnings.showwarning = _show_warning
    try:
        # Newer versions of typer give back a number instead of raising Abort.
        if app(standalone_mode=False) == INTERRUPTED:
            _interrupted()
    except InputError as error:
        _fail(f"{type(error).__name__}: {error}", code=2)
    except Interrupted as error:
        _fail(str(error), code=INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort):
        _interrupted()
    except UsageError as error:
        error.show()  # type: ignore[attr-defined]
        sys.exit(2)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _fail(
                f"the disk is full ({error.filename or 'writing'}). Free some space and run the same command again.", 2
            )
        if error.errno in PATH_FAULTS:
            _fail(f"{type(error).__name__}: {error.filename}: {error.strerror}. Check the path.", 2)
        _fault()
    except Exception:
        _fault()
    sys.exit(0)


def _interrupted() -> None:
    _fail("Interrupted. Finished parts are kept: run the same command again to go on.", code=INTERRUPTED)


def _fail(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(code)


def _fault() -> None:
    traceback.print_exc()
    _fail("This is a fault of layerwise, not of your input. Please report it with the lines above.", code=1)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning):
        print(f"note: {message}", file=sys.stderr)


def bars(items: Iterable[Item], *, total: int, what: What) -> Iterator[Item]:
    """A `Progress` that draws a bar on the error stream; where that is no terminal, long work says a line a minute."""
    if not screen.is_terminal:
        yield from _lines(items, total=total, what=what)
        return
    # Not above: these take a good part of the time that --help may take.
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=screen) as progress:
        task = progress.add_task(in_words(what), total=total)
        for item in items:
            yield item
            progress.update(task, advance=1, description=in_words(what))


def _lines(items: Iterable[Item], *, total: int, what: What) -> Iterator[Item]:
    started = said = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - said >= LINE_EVERY_S or (done == total and now - started >= LINE_EVERY_S):
            say(f"{in_words(what)}: {done:,} of {total:,} after {now - started:.0f} s")
            said = now


def confirm(question: str) -> bool:
    """Ask on the terminal; where there is none nobody is asked, which is no."""
    if not (sys.stdin.isatty() and screen.is_terminal):
        return False
    # Not typer's: it writes a part of the question to the output.
    screen.print(f"{question} [y/N] ", end="", markup=False, emoji=False, soft_wrap=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def say(text: str) -> None:
    """A line for people, on the error stream, so that the output stays clean for pipes."""
    screen.print(text, markup=False, emoji=False, soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on the standard output; numbers to the right."""
    from rich.table import Table
    from rich.text import Text

    table = Table()
    lines = [tuple(row) for row in rows]
    for place, column in enumerate(columns):
        numeric = all(isinstance(line[place], int | float) or str(line[place])[:1].isdigit() for line in lines)
        table.add_column(Text(column), justify="right" if numeric and lines else "left")
    for line in lines:
        table.add_row(*(Text(str(value)) for value in line))  # as it is: a name may look like markup
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    console.print(Text(title, style="bold"), soft_wrap=True)  # the title of a table is broken where the table ends
    console.print(table)


def share_with_interval(share: float, low: float, high: float) -> str:
    """A share with its 95 % interval, or a dash where there is none.

    >>> share_with_interval(0.5, 0.25, 0.75)
    '0.500 (0.250 – 0.750)'
    """
    return f"{share:.3f} ({low:.3f} – {high:.3f})" if share == share else "–"


def print_json(summary: Mapping[str, Any]) -> None:
    """One JSON object on one line; what is not known (NaN) is null, for JSON has no other word."""
    from layerwise.runs import json_values

    print(json.dumps(json_values(summary), ensure_ascii=False, default=str, allow_nan=False))
