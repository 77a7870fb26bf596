"""What runs commands, and a folder to run them in; see `command_line`."""

from __future__ import annotations

from command_line import cli, toy_folder, toys

__all__ = ["cli", "toy_folder", "toys"]
