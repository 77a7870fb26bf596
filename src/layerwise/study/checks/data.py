"""What a careful experimenter looks at in images before training on them.

check_balance    as many images of each class
check_copies     no image in two splits, or twice in training
check_borders    things are drawn up to all borders
check_specks     no lone black or white pixels, as wrapped bytes leave them
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from layerwise.data.images import CHUNK, ImageData
from layerwise.seeds import stream
from layerwise.study.checks.check import Check, judge

MOST_LOOKED_AT = 2000
"""Images whose pixels are looked at, drawn at random; copies are looked for in all."""

UNBALANCED = 1.5
"""A class this many times as large as another tells."""

COPIES = 0.005
"""The share of images that may be copies: few stripes can be drawn twice by chance, and move no accuracy by a point."""

FAR = 0.05
"""Of the range, how far a pixel lies from its image's median at least to count as drawn on."""

EVENTS = 10
"""Images of which none has a drawn last line although this many have a first one: by chance once in a thousand."""

END, HALF = 0.1, 0.5
"""A speck lies within a tenth of the range of black or white, and half the range from what is around it."""

SPECKS = 0.08
"""The share of a class with specks. Wrapped overshoot of turned stripes leaves them in 15 %, stripes of one pixel in at
most 5 %, and of 1,500 photographs (CIFAR-10) none has one."""

UNLIKE = 0.7
"""Neighbouring pixels differ by this part of what any two differ: more in shuffled images and drawings of 8 × 8."""


def check_data(data: ImageData) -> tuple[Check, ...]:
    """Look at classes, copies, borders and specks of labelled images."""
    rows = np.sort(stream(0, "checks", "images").permutation(len(data))[:MOST_LOOKED_AT])
    some = data.select(rows)
    images = some.batch(slice(0, len(some)))
    specks = check_specks(images, some.labels, data.class_names)
    return check_balance(data), check_copies(data), check_borders(images), specks


def check_balance(data: ImageData) -> Check:
    """Whether each split has as many images of each class, but for chance."""
    faults, told = [], []
    for split in data.split_names:
        counts = np.bincount(data.labels[data.splits == split], minlength=data.num_classes)
        low, high = int(counts.min()), int(counts.max())
        told.append(f"{split} {low}" + (f" to {high}" if high > low else ""))
        if high > UNBALANCED * low and stats.chisquare(counts).pvalue < 0.01:
            most, least = data.class_names[int(counts.argmax())], data.class_names[int(counts.argmin())]
            faults.append(f"{split} has {high} images of {most}, {low} of {least}")
    do = "draw as many of each class, or report the accuracy of each class"
    return judge("classes balanced", faults, otherwise=f"images of a class: {', '.join(told)}", do=do)


def check_copies(data: ImageData) -> Check:
    """Whether images stand in more than one split, or twice in training, byte by byte; those of one grey aside."""
    seen: set[bytes] = set()
    faults, told = [], []
    for split in data.split_names:
        digests = [digest for digest in _digests(data.split(split)) if digest]
        if not digests:
            continue
        within = len(digests) - len(set(digests)) if split == "train" else 0
        across = sum(digest in seen for digest in digests)
        seen.update(digests)
        for copies, where in ((within, "of train stand there twice"), (across, f"of {split} stand in another split")):
            words = f"{copies} of {len(digests)} images {where}"
            if copies > COPIES * len(digests):
                faults.append(words)
            elif copies:
                told.append(words)
    otherwise = "; ".join(told) or f"no copies among {len(data)} images"
    return judge("no copies", faults, otherwise=otherwise, do="leave copies out before the images are split")


def check_borders(images: NDArray[np.float32]) -> Check:
    """Whether things are drawn up to one border but never onto the opposite one, as by an exclusive upper bound.

    A line counts as drawn on where most of its pixels are far from the image's median. It must never be, although the
    line before it and its opposite are, so that centred images (whose borders are alike) do not tell.

    Args:
        images: shape (N, C, H, W).
    """
    name, do = "drawn up to the borders", "include the upper bound of the position: a draw often leaves it out"
    if min(images.shape[2:]) < 4 or not _has_neighbourhood(images):
        return Check(name, True, "not judged: neighbouring pixels are no more alike than others")
    far = np.abs(images - np.median(images, axis=(2, 3), keepdims=True)) > FAR * np.ptp(images)
    rows, columns = ((far.mean(axis=axis) > 0.5).any(axis=1).sum(axis=0) for axis in (3, 2))
    counts = {"row and column": rows[[0, 1, -2, -1]] + columns[[0, 1, -2, -1]], "row": rows, "column": columns}
    for what, count in counts.items():
        for words, other, (edge, beside, opposite) in (
            ("last", "first", (count[-1], count[-2], count[0])),
            ("first", "last", (count[0], count[1], count[-1])),
        ):
            if edge == 0 and min(beside, opposite) >= EVENTS:
                saw = f"the {words} {what} is never drawn on in {len(images)} images, the {other} {opposite} times"
                return Check(name, False, saw, do)
    told = ", ".join(f"{what} {count[0]} and {count[-1]}" for what, count in list(counts.items())[1:])
    return Check(name, True, f"drawn on, first and last: {told} times")


def check_specks(images: NDArray[np.float32], labels: NDArray[np.int64], class_names: Sequence[str]) -> Check:
    """Whether a class has lone black or white pixels, as when values over the end of a byte wrap round.

    A speck stands out from all eight pixels around it, or all but one (the end of a row of specks).

    Args:
        images: shape (N, C, H, W).
        labels: shape (N,).
        class_names: K names.
    """
    name, do = "no specks", "clip values to the range before they become bytes"
    if min(images.shape[2:]) < 3 or not _has_neighbourhood(images):
        return Check(name, True, "not judged: neighbouring pixels are no more alike than others")
    has_speck = find_specks(images)
    counts, specked = (np.bincount(some, minlength=len(class_names)) for some in (labels, labels[has_speck]))
    share = specked / np.maximum(counts, 1)
    worst = int(share.argmax())
    saw = f"{specked[worst]} of {counts[worst]} images of {class_names[worst]} have lone black or white pixels"
    is_fine = share[worst] < SPECKS or specked[worst] < EVENTS
    return Check(name, True, saw if specked[worst] else "none") if is_fine else Check(name, False, saw, do)


def find_specks(images: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which images (N, C, H, W) have a speck inside, shape (N,); see `check_specks`."""
    low, span = images.min(), np.ptp(images)
    inner = images[..., 1:-1, 1:-1]
    height, width = inner.shape[-2:]
    around = np.stack(
        [
            images[..., down : down + height, right : right + width]
            for down in range(3)
            for right in range(3)
            if (down, right) != (1, 1)
        ]
    )  # (8, N, C, H - 2, W - 2)
    around.partition((1, 6), axis=0)
    bright = (inner > low + (1 - END) * span) & (inner - around[6] > HALF * span)
    dark = (inner < low + END * span) & (around[1] - inner > HALF * span)
    found: NDArray[np.bool_] = (bright | dark).any(axis=(1, 2, 3))
    return found


def _has_neighbourhood(images: NDArray[np.float32]) -> bool:
    """Whether neighbours are more alike than any two pixels of an image; in shuffled images they are not."""
    flat = images.reshape(*images.shape[:2], -1)
    order = stream(0, "checks", "pixels").permutation(flat.shape[2])
    beside, any_two = np.abs(np.diff(images, axis=3)).mean(), np.abs(flat - flat[:, :, order]).mean()
    return bool(beside < UNLIKE * any_two)


def _digests(data: ImageData) -> list[bytes]:
    """A hash of each image; empty for one of one colour, of which there are few different ones."""
    digests = []
    for start in range(0, len(data), CHUNK):
        for image in data.images[start : start + CHUNK]:
            plain = bool((np.ptp(image, axis=(1, 2)) == 0).all())
            digests.append(b"" if plain else hashlib.blake2b(image.tobytes(), digest_size=16).digest())
    return digests
