"""recorded_lines: all that run.json and model.json say, as lines to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from layerwise.views.run import RunView


def recorded_lines(view: RunView) -> list[tuple[str, str]]:
    """What was recorded of a run: dotted keys and values; not in whose folder it was, for a page travels."""
    steps = view.run.get("steps", view.run)
    return [
        *((key, value) for key, value in _flat(steps) if not key.endswith(".folder")),
        *((f"model.json: {key}", value) for key, value in _flat(view.model)),
    ]


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested keys joined by dots, in their order; lists on one line."""
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", ", ".join(map(str, item)) if isinstance(item, list) else str(item)
