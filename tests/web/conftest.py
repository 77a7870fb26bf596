"""What the tests of the explorer share."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import cli, toy_folder, toys
from explorer_files import make_full_run

__all__ = ["cli", "toy_folder", "toys"]


@pytest.fixture(scope="session")
def full(toy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toys whose measured run has maps and exits; nobody changes them."""
    folder = tmp_path_factory.mktemp("explored") / "toys"
    shutil.copytree(toy_folder, folder)
    make_full_run(folder)
    return folder


@pytest.fixture
def toys_to_change(full: Path, tmp_path: Path) -> Iterator[Path]:
    """The same, of one's own, and the current folder."""
    folder = tmp_path / "toys"
    shutil.copytree(full, folder)
    with contextlib.chdir(folder):
        yield folder
