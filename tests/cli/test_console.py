"""What all commands share: tables and lines that show names as they are, bars, shares, exit codes of system errors."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from layerwise.cli import console
from layerwise.errors import Interrupted


def app_that(work: Callable[[], object]) -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command()(lambda: work())
    return app


def end_of(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("sys.argv", ["layerwise"])
    with pytest.raises(SystemExit) as end:
        console.run_app(app_that(work))
    return end.value.code


def raising(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def test_a_command_that_ends_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    assert end_of(lambda: None, monkeypatch) == 0


def test_ctrl_c_exits_with_130_whatever_typer_makes_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of(raising(KeyboardInterrupt()), monkeypatch) == 130
    assert end_of(raising(typer.Abort()), monkeypatch) == 130
    assert end_of(raising(Interrupted("stopped after 2 of 3 epochs.")), monkeypatch) == 130
    message = "Interrupted. Finished parts are kept: run the same command again to go on."
    assert [line for line in capsys.readouterr().err.splitlines() if line] == [
        message,
        message,
        "stopped after 2 of 3 epochs.",
    ]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "PermissionError: /out: Permission denied"),
        (errno.ENOTDIR, "NotADirectoryError: /out: Not a directory"),
        (errno.EEXIST, "FileExistsError: /out: File exists"),
        (errno.EROFS, "OSError: /out: Read-only file system"),
        (errno.ENAMETOOLONG, "OSError: /out: File name too long"),
    ],
)
def test_paths_that_cannot_be_used_are_the_input_not_a_fault_of_ours(
    number: int, reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = OSError(number, errno_text(number), "/out")
    assert end_of(raising(error), monkeypatch) == 2
    assert capsys.readouterr().err == f"{reason}. Check the path.\n"


def errno_text(number: int) -> str:
    import os

    return os.strerror(number)


def test_a_full_disk_outside_of_our_own_files_is_told_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of(raising(OSError(errno.ENOSPC, "No space left on device")), monkeypatch) == 2
    assert capsys.readouterr().err == "the disk is full (writing). Free some space and run the same command again.\n"


def test_names_that_look_like_markup_or_emoji_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_table("npz:[/x].npz", ("tap", "[b]n"), [("[red]conv1", 3), (":cat:", 4)])
    console.say("Written to [/x]:cat:")
    printed = capsys.readouterr()
    assert [cell in printed.out for cell in ("npz:[/x].npz", "[b]n", "[red]conv1", ":cat:")] == [True] * 4
    assert printed.err == "Written to [/x]:cat:\n"


def test_a_line_with_a_long_path_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("/", *["folder"] * 40)
    console.say(f"Written to {path}")
    assert capsys.readouterr().err == f"Written to {path}\n"


def test_a_table_for_a_file_or_a_pipe_keeps_each_row_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"features.denseblock4.denselayer{n}.conv2", "0.500 (0.250 – 0.750)", "x" * 40) for n in range(3)]
    console.print_table("taps", ("name", "share", "more"), rows)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert [tuple(cell.strip() for cell in line.split("│")[1:-1]) for line in lines] == rows


def test_bars_pass_the_items_on_and_are_silent_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(console.bars(iter("abc"), total=3, what="letters")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_bars_are_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from rich.console import Console

    drawn = io.StringIO()
    monkeypatch.setattr(console, "screen", Console(file=drawn, force_terminal=True, width=120))
    assert list(console.bars(iter("abc"), total=3, what="letters")) == ["a", "b", "c"]
    assert "letters" in drawn.getvalue()
    assert "3/3" in drawn.getvalue()


def test_the_share_of_nothing_is_a_dash() -> None:
    assert console.share_with_interval(float("nan"), float("nan"), float("nan")) == "–"


def test_notes_go_to_the_error_stream_and_other_warnings_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import warnings

    def warn() -> None:
        warnings.simplefilter("always")
        warnings.warn("left out of w.pth, and not run: builtins.open.", UserWarning, stacklevel=1)
        warnings.warn("for programmers", DeprecationWarning, stacklevel=1)

    with warnings.catch_warnings():
        assert end_of(warn, monkeypatch) == 0
    assert capsys.readouterr() == ("", "note: left out of w.pth, and not run: builtins.open.\n")


def test_json_is_one_line_and_keeps_letters(capsys: pytest.CaptureFixture[str]) -> None:
    summary: dict[str, Any] = {"run": Path("é"), "n": 1}
    console.print_json(summary)
    assert capsys.readouterr().out == '{"run": "é", "n": 1}\n'


def test_what_is_not_known_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"a": float("nan"), "b": [np.float64("inf"), 1.5], "c": {"d": (float("-inf"), None, True)}})
    assert capsys.readouterr().out == '{"a": null, "b": [null, 1.5], "c": {"d": [null, null, true]}}\n'


def test_where_there_is_no_terminal_long_work_says_a_line_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    for _ in console.bars(range(5), total=5, what="Recording"):
        now[0] += 25
    assert capsys.readouterr().err.splitlines() == ["Recording: 3 of 5 after 75 s", "Recording: 5 of 5 after 125 s"]
    for _ in console.bars(range(5), total=5, what="Searching"):
        now[0] += 1
    assert not capsys.readouterr().err
