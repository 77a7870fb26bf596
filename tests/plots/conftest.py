"""`make_run`: writes a made-up run folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Path]:
    spec = importlib.util.spec_from_file_location("toy_runs", Path(__file__).parents[1] / "toy_runs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_run
