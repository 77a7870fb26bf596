"""What several folders of tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import toy_runs


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Path]:
    """Writes a made-up run folder; see `toy_runs.make_run`."""
    return toy_runs.make_run
