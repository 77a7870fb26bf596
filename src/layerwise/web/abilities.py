"""find_abilities: what a run's network can be asked, found out without loading it.

The page is told at once, and torch takes seconds. What only turns out when the network is loaded, such as images that
have changed, is then told in answer to the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerwise.views.run import RunView
from layerwise.web.measured import difficulty_step

NUMBER_BYTES = 4
CHANNELS = (1, 3)
MAPS, PLACE = "feature maps", "new images"


@dataclass(frozen=True)
class Abilities:
    """What can be asked.

    Attributes:
        feature_maps: whether the network can be asked for feature maps.
        place: whether it can be given new images.
        missing: for what cannot be, `part`, `words` and `command`, as the manifest has them.
    """

    feature_maps: bool
    place: bool
    missing: tuple[Mapping[str, str], ...]

    def told(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """The manifest, with what can be asked."""
        can = {"place": self.place, "feature_maps": self.feature_maps}
        return {**manifest, "can": can, "missing": [*manifest["missing"], *self.missing]}


def find_abilities(
    view: RunView, run: Path, *, model: str | None, data: str | None, trust_code: bool, limit_bytes: float
) -> Abilities:
    """What the run's network can be asked.

    Args:
        view: what the folder holds.
        run: the folder.
        model: the network that takes the run's weights; None for the run's own.
        data: where the run's images lie now; None for where they were.
        trust_code: whether a `FILE.py` that the run names may be run.
        limit_bytes: the most memory for the training images' activations.
    """
    command = f"layerwise explore {run}"
    blind = next(_without_network(view, run, command, model=model, data=data, trust_code=trust_code), None)
    if blind is not None:
        return Abilities(False, False, tuple({"part": part, **blind} for part in (MAPS, PLACE)))
    unplaced = next(_without_base(view, run, command, limit_bytes), None)
    if unplaced is not None:
        return Abilities(True, False, ({"part": PLACE, **unplaced},))
    return Abilities(True, True, ())


def _without_network(
    view: RunView, run: Path, command: str, *, model: str | None, data: str | None, trust_code: bool
) -> Iterator[dict[str, str]]:
    spec, noted = view.model.get("spec"), difficulty_step(view)
    if not (run / "model.safetensors").is_file() or "image_shape" not in view.model:
        words = "The run holds no network."
        yield {"words": words, "command": f"layerwise difficulty --model MODEL --weights FILE --data DATA -o {run}"}
    if model is None and spec is None:
        words = "The network was made in Python, so no name rebuilds it."
        yield {"words": words, "command": f"{command} --model FILE.py:NAME"}
    if model is None and not trust_code and is_file_spec(spec):
        words = f"The run names {spec} as its network. This file would have to be run, and was not."
        yield {"words": words, "command": f"{command} --trust-code"}
    if data is None and not {"data", "data_seed", "validation", "data_fingerprint"} <= set(noted):
        words = "The run does not say which images were measured."
        yield {"words": words, "command": f"layerwise difficulty {run} --again"}


def _without_base(view: RunView, run: Path, command: str, limit_bytes: float) -> Iterator[dict[str, str]]:
    again = f"layerwise difficulty {run} --again"
    channels = view.model["image_shape"][0]
    if channels not in CHANNELS:
        yield {"words": f"The network takes images of {channels} channels; a picture has 1 or 3.", "command": ""}
    if view.base is None or "features" not in view.taps:
        yield {"words": "The run does not say which training images its probes have.", "command": again}
        return
    needed = base_bytes(view)
    if needed > limit_bytes and not (run / "activations" / "base" / "activations.json").is_file():
        yield {
            "words": (
                f"The values of {len(view.base):,} training images at every tap take {needed / 1e9:.1f} GB, over the "
                f"limit of {limit_bytes / 1e9:.1f} GB. They may also be kept as files: {again} --keep-activations"
            ),
            "command": f"{command} --limit-gb {needed / 1e9 + 0.1:.1f}",
        }


def base_bytes(view: RunView) -> int:
    """The memory that the activations of the probes' training images take."""
    fast = difficulty_step(view).get("fast")
    widths = view.taps["features"].to_numpy()
    kept = widths if fast is None else widths.clip(max=int(fast))
    return int(kept.sum()) * NUMBER_BYTES * (0 if view.base is None else len(view.base))


def is_file_spec(spec: object) -> bool:
    """Whether a network's name means a Python file: as `models.from_file` has it, which loads torch."""
    return isinstance(spec, str) and (spec.endswith(".py") or ".py:" in spec)
