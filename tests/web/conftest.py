"""What the tests of the explorer share."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import cli, toy_folder, toys
from explorer_files import full

__all__ = ["cli", "full", "toy_folder", "toys"]


@pytest.fixture
def toys_to_change(full: Path, tmp_path: Path) -> Iterator[Path]:
    """The same, of one's own, and the current folder."""
    folder = tmp_path / "toys"
    shutil.copytree(full, folder)
    with contextlib.chdir(folder):
        yield folder
