"""use_threads: how many processor threads a command may use."""

from __future__ import annotations


def use_threads(threads: int) -> None:
    """Let torch use so many processor threads.

    Raises:
        InputError: less than one.
    """
    import torch

    from layerwise.errors import InputError

    if threads < 1:
        raise InputError(f"--threads must be at least 1; got {threads}.")
    torch.set_num_threads(threads)
