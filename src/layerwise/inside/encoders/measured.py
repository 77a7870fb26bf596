"""measure_encoders: what each encoder keeps of images that it has not seen; plan_encoders does it one by one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.data.images import ImageData
from layerwise.errors import DataError, NotEnoughExamplesError, UnknownNameError, did_you_mean
from layerwise.inside.embedding.placing import NEIGHBORS as FEWEST_POINTS
from layerwise.inside.embedding.placing import Ground, place_points
from layerwise.inside.embedding.reduction import first_plane, is_constant, reduce_features
from layerwise.inside.embedding.tsne import check_perplexity, check_tsne, draw_tsne
from layerwise.inside.encoders.autoencoder import Autoencoder
from layerwise.inside.encoders.base import Encoder
from layerwise.inside.encoders.linear import LinearAutoencoder
from layerwise.inside.encoders.parametric_tsne import ParametricTsne
from layerwise.inside.pixels import small_pixels
from layerwise.neighbors.search import find_neighbors
from layerwise.progress import Progress, silent
from layerwise.recording import record
from layerwise.recording.groups import groups_of_taps
from layerwise.recording.recorder import DEFAULT_LIMIT_BYTES
from layerwise.seeds import stream
from layerwise.taps import INPUT, SOFTMAX, Taps, find_taps
from layerwise.taps.borrowing import Preprocess

KINDS = ("linear", "autoencoder", "tsne")
CODE_DIMS = 32
VOTERS = 10
HELD_OUT = 5
"""One image in so many is held out, drawn at random."""

RECONSTRUCTED = 10


@dataclass(frozen=True, eq=False)
class MeasuredEncoder:
    """An encoder that was fitted to the images that are not held out.

    Attributes:
        kind: "linear", "autoencoder" or "tsne".
        tap: whose values it encodes.
        encoder: fitted.
        coordinates: shape (N, 2), all images on its map; None of one that draws none.
        reconstructions: shape (M, C, h, w), of the images of `EncoderReport.pictures`; None where there is no way back.
        facts: the numbers of its row in the table.
    """

    kind: str
    tap: str
    encoder: Encoder
    coordinates: NDArray[np.float32] | None
    reconstructions: NDArray[np.float32] | None
    facts: dict[str, Any]


@dataclass(frozen=True, eq=False)
class EncoderReport:
    """Encoders, fitted to four fifths of the images and measured on the others.

    Attributes:
        encoders: in the order asked for.
        held_out: shape (N,), which images no encoder was fitted to.
        pictures: shape (M, C, h, w), some held-out images as the autoencoders saw them: large ones averaged.
        data: the N images.
    """

    encoders: tuple[MeasuredEncoder, ...]
    held_out: NDArray[np.bool_]
    pictures: NDArray[np.float32]
    data: ImageData

    def table(self) -> pd.DataFrame:
        """A row per encoder.

        `encoder`, `tap`, `dims` of a code; `error` and `error_held_out`, the squared error of the reconstruction as a
        share of the variance; `labels_features` and `labels_codes`, how often the 10 nearest by features and by codes
        vote for the label of a held-out image; `labels_map`, the same on the autoencoder's t-SNE map; `seconds`.
        """
        return pd.DataFrame([{"encoder": one.kind, "tap": one.tap, **one.facts} for one in self.encoders])


def measure_encoders(
    model: nn.Module,
    data: ImageData,
    kinds: Sequence[str] = KINDS,
    place: str | Sequence[str] = "children",
    *,
    preprocessing: Preprocess | None = None,
    perplexity: float = 30.0,
    seed: int = 0,
    limit_bytes: float = DEFAULT_LIMIT_BYTES,
    progress: Progress = silent,
) -> EncoderReport:
    """Fit encoders to four fifths of the images, and measure them on the fifth that is held out.

    "linear" and "autoencoder" encode the pixels in 32 numbers, of images larger than 32 × 32 averages over squares. The
    latter's codes get a t-SNE map, onto which held-out images are placed. "tsne" is parametric t-SNE, of the pixels and
    of the last tap before the softmax.

    Args:
        model: any network from images to logits; left as it was.
        data: N images with labels.
        kinds: which encoders.
        place: which taps to find; the last one is encoded.
        preprocessing: what the network expects to be done to pixels in [0, 1].
        perplexity: of t-SNE.
        seed: draws who is held out, weights and orders.
        limit_bytes: the most memory for the values at a tap.
        progress: is shown what is going on.

    Raises:
        UnknownNameError: no encoder is called so.
        NotEnoughExamplesError: too few images.
        DataError: all images have the same values.
        ActivationsTooLargeError: the values at a tap are over the limit.
        The errors of `find_taps` and `record`.
    """
    plan = plan_encoders(
        model,
        data,
        kinds,
        place,
        preprocessing=preprocessing,
        perplexity=perplexity,
        seed=seed,
        limit_bytes=limit_bytes,
        progress=progress,
    )
    return EncoderReport(tuple(map(plan.measure, plan.wanted)), plan.held_out, plan.pictures, data)


def plan_encoders(
    model: nn.Module,
    data: ImageData,
    kinds: Sequence[str] = KINDS,
    place: str | Sequence[str] = "children",
    *,
    preprocessing: Preprocess | None = None,
    perplexity: float = 30.0,
    seed: int = 0,
    limit_bytes: float = DEFAULT_LIMIT_BYTES,
    progress: Progress = silent,
) -> EncoderPlan:
    """Check all that `measure_encoders` would refuse, and say what it would measure, one after the other."""
    chosen = _checked_kinds(kinds)
    order = stream(seed, "encoders", "held out").permutation(len(data))
    held_out = np.zeros(len(data), bool)
    held_out[order[: len(data) // HELD_OUT]] = True
    _check_enough(chosen, held_out, perplexity)
    taps = find_taps(model, data.select(slice(0, 1)), place, preprocessing=preprocessing)
    last = [tap.name for tap in taps if tap.name not in (INPUT, SOFTMAX)][-1:]
    wanted = [(kind, tap) for kind in chosen for tap in ([INPUT, *last] if kind == "tsne" else [INPUT])]
    encoded = dict.fromkeys(tap for kind, tap in wanted if kind == "tsne")
    groups_of_taps([taps[name] for name in encoded], len(data), limit_bytes)  # refuses one that is too large
    pixels = small_pixels(data)  # (N, C, h, w)
    if is_constant(pixels[~held_out].reshape(int((~held_out).sum()), -1)):
        raise DataError(f"all {len(data)} images have the same pixels: there is nothing to encode.")
    return EncoderPlan(
        model, data, taps, tuple(wanted), held_out, pixels, preprocessing, perplexity, seed, limit_bytes, progress
    )


@dataclass(frozen=True, eq=False)
class EncoderPlan:
    """What is to be measured, and how.

    Attributes:
        model, taps: the network, and where it is read.
        data: the N images.
        wanted: kinds, each with the tap that is encoded.
        held_out: shape (N,), which images no encoder is fitted to.
        pixels: shape (N, C, h, w), large images averaged.
        preprocessing, perplexity, seed, limit_bytes, progress: as given to `measure_encoders`.
    """

    model: nn.Module
    data: ImageData
    taps: Taps
    wanted: tuple[tuple[str, str], ...]
    held_out: NDArray[np.bool_]
    pixels: NDArray[np.float32]
    preprocessing: Preprocess | None
    perplexity: float
    seed: int
    limit_bytes: float
    progress: Progress

    @property
    def pictures(self) -> NDArray[np.float32]:
        """Shape (M, C, h, w): some held-out images, of which reconstructions are shown."""
        return self.pixels[self._shown]

    @property
    def _shown(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.held_out)[:RECONSTRUCTED]

    def measure(self, one: tuple[str, str]) -> MeasuredEncoder:
        """Fit one of the wanted encoders, and measure it on the images that are held out."""
        kind, tap = one
        if kind != "tsne":
            return self._autoencoder(kind)
        recorded = record(
            self.model,
            self.data,
            self.taps,
            only=[tap],
            logits=False,
            preprocessing=self.preprocessing,
            limit_bytes=self.limit_bytes,
            progress=self.progress,
        )
        return self._parametric(tap, recorded.flat(tap))

    def _autoencoder(self, kind: str) -> MeasuredEncoder:
        flat = self.pixels.reshape(len(self.pixels), -1)
        learned = flat[~self.held_out]
        started = time.perf_counter()
        encoder = (
            LinearAutoencoder(CODE_DIMS, seed=self.seed).fit(learned)
            if kind == "linear"
            else Autoencoder(CODE_DIMS, seed=self.seed).fit(learned, progress=self.progress)
        )
        facts: dict[str, Any] = {"seconds": time.perf_counter() - started}
        codes = encoder.transform(flat)
        back = encoder.inverse_transform(codes)
        mean = learned.mean(axis=0)
        for name, rows in (("error", ~self.held_out), ("error_held_out", self.held_out)):
            facts[name] = _lost(back[rows], flat[rows], mean)
        coordinates = None
        if kind == "autoencoder":
            coordinates = self._map_of(codes)
            facts |= {"labels_map": self._voted(coordinates), "perplexity": self.perplexity}
        facts |= self._labels(flat, codes)
        reconstructions = back[self._shown].reshape(self.pictures.shape)
        return MeasuredEncoder(kind, INPUT, encoder, coordinates, reconstructions, facts)

    def _parametric(self, tap: str, features: NDArray[np.float32]) -> MeasuredEncoder:
        started = time.perf_counter()
        encoder = ParametricTsne(self.perplexity, seed=self.seed)
        encoder.fit(features[~self.held_out], progress=self.progress)
        seconds = time.perf_counter() - started
        codes = encoder.transform(features)
        facts = {"seconds": seconds, "perplexity": self.perplexity, **self._labels(features, codes)}
        return MeasuredEncoder("tsne", tap, encoder, codes, None, facts)

    def _map_of(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """A t-SNE map of the codes that were learned, the held-out ones placed on it."""
        reduction, values = reduce_features(codes[~self.held_out], seed=self.seed)
        made = draw_tsne(
            values,
            start=first_plane(values),
            perplexity=self.perplexity,
            seed=self.seed,
            what="t-SNE of the codes",
            progress=self.progress,
        )
        coordinates = np.empty((len(codes), 2), np.float32)
        coordinates[~self.held_out] = made.coordinates
        ground = Ground(values, made.coordinates)
        coordinates[self.held_out] = place_points([reduction.apply(codes[self.held_out])], [ground])[0]
        return coordinates

    def _labels(self, features: NDArray[np.float32], codes: NDArray[np.float32]) -> dict[str, Any]:
        return {
            "dims": codes.shape[1],
            "labels_features": self._voted(features),
            "labels_codes": self._voted(codes),
        }

    def _voted(self, vectors: NDArray[np.float32]) -> float:
        """How often the nearest of the learned vectors vote for the label of a held-out one."""
        parts = [torch.from_numpy(np.ascontiguousarray(vectors[rows])) for rows in (self.held_out, ~self.held_out)]
        votes = find_neighbors(parts[0], parts[1], VOTERS).votes(
            self.data.labels[~self.held_out], self.data.num_classes
        )
        return float((votes == self.data.labels[self.held_out]).mean())


def _lost(back: NDArray[np.float32], given: NDArray[np.float32], mean: NDArray[np.float32]) -> float:
    """The squared error as a share of the squared distance to the mean; NaN where all are the mean."""
    apart = float(np.square(given - mean).sum(dtype=np.float64))
    return float(np.square(back - given).sum(dtype=np.float64)) / apart if apart else float("nan")


def _checked_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        name = unknown[0] if unknown else ""
        raise UnknownNameError(
            f'no encoder is called "{name}".{did_you_mean(name, KINDS)}\n    Choose among: {", ".join(KINDS)}.'
        )
    return tuple(dict.fromkeys(kinds))


def _check_enough(kinds: Sequence[str], held_out: NDArray[np.bool_], perplexity: float) -> None:
    """Refuse too few images, and what else t-SNE would refuse, before anything is trained."""
    learned = int((~held_out).sum())
    with_map = bool(set(kinds) & {"autoencoder", "tsne"})
    least = FEWEST_POINTS if "autoencoder" in kinds else VOTERS
    if not held_out.any() or learned <= least:
        raise NotEnoughExamplesError(
            f"encoders need more than {least} images to learn from, and a fourth as many held out; got {len(held_out)}."
        )
    if with_map:
        check_perplexity(perplexity, learned)
        check_tsne()
