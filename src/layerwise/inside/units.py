"""measure_units: what each unit does on a data set: how often it fires, whether it is dead, what excites it.

A unit is a channel of a feature map, or one number of a vector. All of it is gathered in one forward pass, batch by
batch; nothing of the size of the activations is kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.data.images import ImageData
from layerwise.errors import InputError, NonFiniteError, NotEnoughExamplesError
from layerwise.models.layout import fast_layout, laid_out
from layerwise.progress import Progress, silent
from layerwise.recording.reduction import position_axes
from layerwise.taps import INPUT, SOFTMAX, Tap, Taps, find_taps
from layerwise.taps.borrowing import Preprocess, borrowed, prepare

TOP = 9
NEAR_BOUND = 0.05
"""A value in the outer twentieth of an activation's range is saturated."""

MOSTLY = 0.95
"""A unit is saturated when so many of its values are."""

BOUNDED = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "hardsigmoid": (0.0, 1.0), "relu6": (-math.inf, 6.0)}


@dataclass(frozen=True, eq=False)
class UnitReport:
    """What the units of a network do on N images.

    Attributes:
        units: a row per unit, in order of execution: `tap`, `order`, `unit`, `fires` (share of its values above 0, over
            images and positions), `images` (share of the images on which it fires anywhere), `low`, `high`, `mean`,
            `dead` (the same value on every image, everywhere), `never_fires` (no value above 0), `saturated_share`
            (values near a bound of its activation; NaN where it has none), `saturated`.
        top: shape (U, k), rows of the data: the images with the unit's largest values, largest first; -1 for none.
        top_values: shape (U, k), these values.
        class_means: shape (U, K), its mean on the images of each class; NaN for a class without images.
        ids: shape (N,), of the images.
        class_names: K names.
    """

    units: pd.DataFrame
    top: NDArray[np.int64]
    top_values: NDArray[np.float32]
    class_means: NDArray[np.float64]
    ids: NDArray[np.str_]
    class_names: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """`units`, with the class that excites each most and the ids of its top images."""
        known = np.where(np.isnan(self.class_means), -np.inf, self.class_means)
        return self.units.assign(
            excited_by=[self.class_names[best] for best in known.argmax(axis=1)],
            top_ids=[", ".join(self.ids[row[row >= 0]]) for row in self.top],
        )

    def selectivity(self) -> NDArray[np.float64]:
        """How much more a unit is excited by one class than by the others, shape (U,): 0 alike, 1 by that class alone.

        The mean of the best class less that of all others, over their sum; NaN where these are not above 0, for which
        it has no meaning.

        Source: Morcos, Barrett, Rabinowitz and Botvinick (2018), On the importance of single directions, section 2.3.
        """
        known = np.where(np.isnan(self.class_means), -np.inf, self.class_means)
        best = known.max(axis=1)
        classes = (~np.isnan(self.class_means)).sum(axis=1)
        others = (np.nansum(self.class_means, axis=1) - best) / np.maximum(classes - 1, 1)
        defined = (classes > 1) & (best > 0) & (others >= 0)
        return np.where(defined, (best - others) / np.where(defined, best + others, 1), np.nan)

    def layers(self) -> pd.DataFrame:
        """A row per tap: `tap`, `units`, how many are `dead`, `never_fires`, `saturated`, and the median of `fires`."""
        grouped = self.units.groupby(["order", "tap"], sort=True)
        counted = grouped.agg(
            units=("unit", "size"),
            dead=("dead", "sum"),
            never_fires=("never_fires", "sum"),
            saturated=("saturated", "sum"),
            median_fires=("fires", "median"),
        )
        return counted.reset_index().drop(columns="order")


def measure_units(
    model: nn.Module,
    data: ImageData,
    place: str | Sequence[str] = "children",
    *,
    preprocessing: Preprocess | None = None,
    top: int = TOP,
    batch_size: int = 256,
    device: str | None = None,
    progress: Progress = silent,
) -> UnitReport:
    """Run a network over a data set once, and gather what each unit does.

    Args:
        model: any network from images to logits; left as it was.
        data: N images with labels.
        place: which taps' units; the pixels and the softmax have none.
        preprocessing: what the network expects to be done to pixels in [0, 1].
        top: how many images of each unit.
        batch_size: images in one forward pass.
        device: where to compute; by default where the model is.
        progress: is shown the batches.

    Raises:
        InputError: `batch_size` or `top` is below 1.
        NotEnoughExamplesError: there is no image, or no tap with units.
        NonFiniteError: NaN or infinity at a tap; names it.
        The errors of `find_taps`.
    """
    if batch_size < 1 or top < 1:
        raise InputError(f"batch_size and top must be at least 1; got {batch_size} and {top}.")
    taps = find_taps(model, data.select(slice(0, 1)), place, preprocessing=preprocessing)
    places = [tap for tap in taps if tap.name not in (INPUT, SOFTMAX)]
    if not places:
        raise NotEnoughExamplesError(f"{taps.network} has no tap with units among these. Choose others: --taps leaves")
    gathered = _gather(model, data, taps, places, preprocessing, top, batch_size, device, progress)
    one = [gathered[tap.name] for tap in places]
    counts = np.bincount(data.labels, minlength=data.num_classes)
    with np.errstate(invalid="ignore"):
        means = np.concatenate([part.class_sums.numpy().T for part in one]) / np.where(counts, counts, np.nan)
    return UnitReport(
        units=pd.concat([part.table() for part in one], ignore_index=True),
        top=np.concatenate([part.top_rows.numpy() for part in one]),
        top_values=np.concatenate([part.top_values.numpy() for part in one]),
        class_means=means,
        ids=data.ids,
        class_names=data.class_names,
    )


def _gather(
    model: nn.Module,
    data: ImageData,
    taps: Taps,
    places: list[Tap],
    preprocessing: Preprocess | None,
    top: int,
    batch_size: int,
    device: str | None,
    progress: Progress,
) -> dict[str, _Gathered]:
    gathered = {
        tap.name: _Gathered(
            tap, position_axes(tap.shape, data.image_shape), top, data.num_classes, _bounds(model, tap.name)
        )
        for tap in places
    }
    with borrowed(model, device=device), ExitStack() as opened:
        layout = fast_layout(model, prepare(torch.tensor(data.batch(slice(0, 2))), model, preprocessing))
        forward = opened.enter_context(taps.reader.open(model))
        starts = range(0, len(data), batch_size)
        for start in progress(starts, total=len(starts), what=f"Units at {len(places)} taps"):
            rows = slice(start, min(start + batch_size, len(data)))
            labels = torch.from_numpy(data.labels[rows])

            def add(tap: str, value: Tensor, rows: slice = rows, labels: Tensor = labels) -> None:
                if tap in gathered and not gathered[tap].add(value, rows.start, labels):
                    raise _nonfinite(f'tap "{tap}" holds', rows.stop)

            pixels = torch.tensor(data.batch(rows))
            logits = forward(laid_out(prepare(pixels, model, preprocessing), layout), add)
            if isinstance(logits, Tensor) and not logits.isfinite().all():
                raise _nonfinite("the logits hold", rows.stop)
    return gathered


def _nonfinite(where: str, examples: int) -> NonFiniteError:
    return NonFiniteError(
        f"{where} NaN or infinity for some of the first {examples} examples.\n"
        "    Look for them in the weights, the preprocessing and the images."
    )


class _Gathered:
    """Sums over the batches of one tap, a number for each of its U units.

    Args:
        tap: the place.
        axes: of one example's value that count positions.
        top: images to keep for each unit.
        num_classes: K.
        bounds: of its activation, if it has some.
    """

    def __init__(
        self, tap: Tap, axes: tuple[int, ...], top: int, num_classes: int, bounds: tuple[float, float] | None
    ) -> None:
        self._tap, self._top, self._bounds = tap, top, bounds
        self._axes = [axis + 1 for axis in axes]
        self._positions = math.prod(tap.shape[axis] for axis in axes)
        self._images = 0
        units = tap.features // self._positions
        self.low, self.high = torch.full((units,), torch.inf), torch.full((units,), -torch.inf)
        self.fires, self.images, self.saturated = (torch.zeros(units, dtype=torch.int64) for _ in range(3))
        self.class_sums = torch.zeros(num_classes, units, dtype=torch.float64)  # (K, U)
        self.top_values = torch.full((units, top), -torch.inf)
        self.top_rows = torch.full((units, top), -1)

    def add(self, value: Tensor, first_row: int, labels: Tensor) -> bool:
        """Add a batch (B, …); gives whether all its values are finite."""
        numbers = value.float()
        high, mean = self._over_positions(numbers)  # (B, U)
        self._images += len(high)
        low = numbers.amin(dim=[0, *self._axes]).flatten().cpu()
        self.low = torch.minimum(self.low, low)
        self.high = torch.maximum(self.high, high.amax(dim=0).cpu())
        self.fires += (numbers > 0).sum(dim=[0, *self._axes]).flatten().cpu()
        self.images += (high > 0).sum(dim=0).cpu()
        if self._bounds is not None:
            inner_low, inner_high = _inner(self._bounds)
            near = (numbers < inner_low) | (numbers > inner_high)
            self.saturated += near.sum(dim=[0, *self._axes]).flatten().cpu()
        mean = mean.cpu().double()
        self.class_sums.index_add_(0, labels, mean)
        rows = torch.arange(first_row, first_row + len(high)).expand(high.shape[1], -1)
        values = torch.cat([self.top_values, high.T.cpu()], dim=1)
        ordered, places = values.sort(dim=1, descending=True, stable=True)  # of equal ones the first image comes first
        self.top_values = ordered[:, : self._top]
        self.top_rows = torch.cat([self.top_rows, rows], dim=1).gather(1, places[:, : self._top])
        return bool(torch.isfinite(mean).all())

    def table(self) -> pd.DataFrame:
        """A row per unit."""
        values = self._images * self._positions
        saturated = self.saturated.numpy() / values if self._bounds else np.full(len(self.low), np.nan)
        return pd.DataFrame(
            {
                "tap": self._tap.name,
                "order": self._tap.order,
                "unit": np.arange(len(self.low)),
                "fires": self.fires.numpy() / values,
                "images": self.images.numpy() / self._images,
                "low": self.low.numpy(),
                "high": self.high.numpy(),
                "mean": self.class_sums.sum(dim=0).numpy() / self._images,
                "dead": (self.low == self.high).numpy() & (values > 1),
                "never_fires": (self.high <= 0).numpy(),
                "saturated_share": saturated,
                "saturated": saturated >= MOSTLY,
            }
        )

    def _over_positions(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        if not self._axes:
            return numbers.flatten(1), numbers.flatten(1)
        return numbers.amax(dim=self._axes).flatten(1), numbers.mean(dim=self._axes).flatten(1)


def _bounds(model: nn.Module, tap: str) -> tuple[float, float] | None:
    """The range of the activation whose output the tap shows; None if it has no upper bound, or is no activation."""
    modules = dict(model.named_modules())
    module = modules.get(tap, modules.get(re.sub(r"_\d+$", "", tap)))  # the second call of "act" is "act_1"
    if isinstance(module, nn.Hardtanh):  # ReLU6 is one, whose lower bound is its rest
        return (-torch.inf if module.min_val == 0 else module.min_val, module.max_val)
    kind = type(module).__name__ if module is not None else tap.rpartition(".")[2].partition("_")[0]
    return BOUNDED.get(kind.lower())


def _inner(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    margin = NEAR_BOUND * (high - max(low, 0.0 if low == -torch.inf else low))
    return low + margin, high - margin
