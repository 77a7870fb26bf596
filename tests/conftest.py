"""What several folders of tests share."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import toy_runs

# A shell that starts the tests in the background lets them ignore Ctrl-C, and the programs that they start, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Path]:
    """Writes a made-up run folder; see `toy_runs.make_run`."""
    return toy_runs.make_run
