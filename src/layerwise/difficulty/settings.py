"""ProbeSettings: k, limits and folders of a measurement, in one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProbeSettings:
    """How the probes are built.

    Attributes:
        k: neighbours in a vote.
        batch_size: images in one forward pass.
        limit_bytes: the most memory for recorded activations.
        keep: a folder (path or string) for the activations, which are otherwise dropped after use.
        device: where to compute; by default where the model is.
        cache: a folder (path or string) where the neighbours of the raw images are kept for the next network on the
            same images, such as `layerwise.difficulty.input_cache.cache_folder()`; by default they are not.
        fast: project taps with more features than this to so many numbers, which takes less memory and time. Votes are
            then approximate, and the result says how many of a sample are the exact ones. By default nothing is.
    """

    k: int = 30
    batch_size: int = 256
    limit_bytes: float = 4e9
    keep: Path | str | None = None
    device: str | None = None
    cache: Path | str | None = None
    fast: int | None = None
