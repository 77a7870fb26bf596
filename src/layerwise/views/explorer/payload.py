"""Payload: all that the explorer's page shows of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Payload:
    """What the page is given.

    Attributes:
        manifest: what there is and where it lies; JSON. `Manifest` of webapp/src/payload.ts says each of its names.
        packs: a pack's name to what makes its bytes: arrays, little-endian, one after the other.
        sheets: a file name to what makes that file: small pictures, many to an image file.
    """

    manifest: Mapping[str, Any]
    packs: Mapping[str, Callable[[], bytes]]
    sheets: Mapping[str, Callable[[], bytes]]
