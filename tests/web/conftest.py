"""What the tests of the explorer share."""

from __future__ import annotations

from command_line import cli, toy_folder, toys

__all__ = ["cli", "toy_folder", "toys"]
