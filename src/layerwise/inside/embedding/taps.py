"""embed_taps: maps of the pixels and of every tap, each starting from the one before it and turned to it."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from layerwise.arrays.map_quality import map_quality
from layerwise.data.images import ImageData
from layerwise.errors import DataError, InputError, UnknownNameError, did_you_mean
from layerwise.inside.embedding.alignment import aligned_to
from layerwise.inside.embedding.reduction import Reduction, first_plane, is_constant, reduce_features
from layerwise.inside.embedding.result import Embedding, TapMaps
from layerwise.inside.embedding.tsne import Schedule, check_perplexity, draw_tsne
from layerwise.inside.embedding.umap import draw_umap
from layerwise.progress import Progress, silent
from layerwise.recording import record
from layerwise.recording.groups import groups_of_taps
from layerwise.recording.recorder import DEFAULT_LIMIT_BYTES
from layerwise.taps import Tap, find_taps
from layerwise.taps.borrowing import Preprocess

METHODS = ("pca", "tsne", "umap")
QUALITY_NEIGHBORS = 10


@dataclass(frozen=True)
class MapSettings:
    """How maps are drawn.

    Attributes:
        methods: which of "pca", "tsne", "umap".
        dims: principal components from which t-SNE and UMAP start.
        perplexity: of t-SNE.
        schedule: of t-SNE.
        later_schedule: of t-SNE that starts from the map of the tap before, where most is in its place already.
        neighbors: of UMAP.
        seed: draws what is drawn.
        aligned: each tap's map starts from the one before it; if not, each from its own two components.
        batch_size, limit_bytes, device: of the recording.
    """

    methods: tuple[str, ...] = ("pca", "tsne")
    dims: int = 50
    perplexity: float = 30.0
    schedule: Schedule = field(default_factory=Schedule)
    later_schedule: Schedule = field(default_factory=lambda: Schedule(150, 350))
    neighbors: int = 15
    seed: int = 0
    aligned: bool = True
    batch_size: int = 256
    limit_bytes: float = DEFAULT_LIMIT_BYTES
    device: str | None = None

    def __post_init__(self) -> None:
        unknown = [method for method in self.methods if method not in METHODS]
        if unknown or not self.methods:
            name = unknown[0] if unknown else ""
            raise UnknownNameError(
                f'no method for maps is called "{name}".{did_you_mean(name, METHODS)}\n'
                f"    Choose among: {', '.join(METHODS)}."
            )
        if not 1 <= self.perplexity < math.inf:
            raise InputError(f"perplexity = {self.perplexity:g}: give a number of at least 1, such as 30.")
        if self.neighbors < 2:
            raise InputError(f"neighbors = {self.neighbors}: give a whole number of at least 2, such as 15.")

    def facts(self) -> dict[str, Any]:
        """What the maps depend on, for a file."""
        values = asdict(self)
        return {name: values[name] for name in values if name not in ("batch_size", "limit_bytes", "device")}


def embed_taps(
    model: nn.Module,
    data: ImageData,
    place: str | Sequence[str] = "children",
    *,
    preprocessing: Preprocess | None = None,
    settings: MapSettings | None = None,
    finished: Mapping[str, TapMaps] | None = None,
    progress: Progress = silent,
) -> Iterator[TapMaps]:
    """Draw maps of the pixels and of every tap, one tap after another.

    Args:
        model: any network from images to logits; left as it was.
        data: N images with labels.
        place: which taps to find.
        preprocessing: what the network expects to be done to pixels in [0, 1].
        settings: methods and their parameters.
        finished: maps that are drawn already, by tap: they are given back as they are, and the next starts from them.
            A tap that lacks a method gets its map beside the others.
        progress: is shown the batches, and the steps of t-SNE.

    Yields:
        The maps of a tap, in order of execution. A tap at which all images have the same values is left out.

    Warns:
        UserWarning: names a tap that was left out.

    Raises:
        NotEnoughExamplesError: too few images for the perplexity or the neighbours.
        DataError: all images have the same values at every tap.
        The errors of `find_taps` and `record`.
    """
    settings = settings or MapSettings()
    if "tsne" in settings.methods:
        check_perplexity(settings.perplexity, len(data))
    taps = find_taps(model, data.select(slice(0, 1)), place, preprocessing=preprocessing)
    done = dict(finished or {})
    before: Mapping[str, NDArray[np.float32]] = {}
    drawn = 0
    for group in groups_of_taps(list(taps), len(data), settings.limit_bytes):
        missing = [tap.name for tap in group if not _is_whole(done.get(tap.name), settings)]
        activations = (
            record(
                model,
                data,
                taps,
                only=missing,
                logits=False,
                preprocessing=preprocessing,
                batch_size=settings.batch_size,
                limit_bytes=settings.limit_bytes,
                device=settings.device,
                progress=progress,
            )
            if missing
            else None
        )
        for tap in group:
            if activations is not None and tap.name in missing:
                features = activations.flat(tap.name)
                if is_constant(features):
                    warnings.warn(f'no map of tap "{tap.name}": all examples have the same values there.', stacklevel=2)
                    continue
                done[tap.name] = _maps_of(tap, features, data, before, settings, progress, known=done.get(tap.name))
            maps = done.pop(tap.name)
            before = {one.method: one.coordinates for one in maps.maps}
            drawn += 1
            yield maps
        activations = None  # before the next group takes as much
    if not drawn:
        raise DataError(f"all {len(data)} examples have the same values at every tap: there is nothing to draw.")


def embed(
    features: NDArray[np.floating], data: ImageData, *, settings: MapSettings | None = None, progress: Progress = silent
) -> TapMaps:
    """Maps of any vectors (N, D) of N images, say of their pixels, without a network."""
    return _maps_of(Tap("input", 0, features.shape[1:]), features, data, {}, settings or MapSettings(), progress)


def _maps_of(
    tap: Tap,
    features: NDArray[Any],
    data: ImageData,
    before: Mapping[str, NDArray[np.float32]],
    settings: MapSettings,
    progress: Progress,
    *,
    known: TapMaps | None = None,
) -> TapMaps:
    started = time.perf_counter()
    try:
        reduction, values = reduce_features(features, dims=settings.dims, seed=settings.seed)
    except DataError as error:
        raise type(error)(f'at tap "{tap.name}": {error}') from error
    reducing_s = time.perf_counter() - started
    drawn = list(known.maps) if known is not None else []
    for method in settings.methods:
        if known is not None and known.map(method) is not None:
            continue
        started = time.perf_counter()
        coordinates, facts = _draw(method, tap.name, values, before, settings, progress)
        drawn.append(
            Embedding(
                tap.name,
                tap.order,
                method,
                coordinates,
                map_quality(values, coordinates, data.labels, k=min(QUALITY_NEIGHBORS, (len(data) - 1) // 2)),
                data.ids,
                {**facts, **_kept(reduction), "seconds": time.perf_counter() - started, "reducing_s": reducing_s},
            )
        )
    return TapMaps(tuple(drawn), reduction, values)


def _is_whole(maps: TapMaps | None, settings: MapSettings) -> bool:
    """Whether there is a map by every method."""
    return maps is not None and all(maps.map(method) is not None for method in settings.methods)


def _kept(reduction: Reduction) -> dict[str, Any]:
    return {"dims": len(reduction.components), "explained": float(reduction.explained.sum())}


def _draw(
    method: str,
    tap: str,
    values: NDArray[np.float32],
    before: Mapping[str, NDArray[np.float32]],
    settings: MapSettings,
    progress: Progress,
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    plane = first_plane(values)
    follows = settings.aligned and method in before
    start = before[method] if follows else plane
    facts: dict[str, Any] = {}
    if method == "pca":
        coordinates = plane
    elif method == "tsne":
        made = draw_tsne(
            values,
            start=start,
            perplexity=settings.perplexity,
            schedule=settings.later_schedule if follows else settings.schedule,
            seed=settings.seed,
            what=f"t-SNE of {tap}",
            progress=progress,
        )
        coordinates, facts = made.coordinates, {"divergence": made.divergence}
    else:
        coordinates = draw_umap(values, start=start, neighbors=settings.neighbors, seed=settings.seed)
    if follows:
        coordinates = aligned_to(before[method], coordinates)
    return coordinates, facts
