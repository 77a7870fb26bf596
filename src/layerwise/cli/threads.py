"""use_threads: how many processor threads a command may use."""

from __future__ import annotations

MOST = 1024
"""OpenMP starts as many as it is told, until the process dies."""


def use_threads(threads: int) -> None:
    """Let torch use so many processor threads.

    Raises:
        InputError: less than one, or more than any machine has.
    """
    import torch

    from layerwise.errors import InputError

    if not 1 <= threads <= MOST:
        raise InputError(f"--threads must be 1 to {MOST}; got {threads}.")
    torch.set_num_threads(threads)
