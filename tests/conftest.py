"""What several folders of tests share."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import toy_runs

# A shell that starts the tests in the background lets them ignore Ctrl-C, and the programs that they start, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def no_cache_at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What fixtures of the whole session keep for the next network is not kept in the user's folder."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LAYERWISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def cache_of_ones_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test finds what another one kept."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LAYERWISE_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Path]:
    """Writes a made-up run folder; see `toy_runs.make_run`."""
    return toy_runs.make_run
