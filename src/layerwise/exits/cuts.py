"""Cuts: whether a network can be left at a tap by some examples of a batch while the others go on.

It can where everything that comes later depends on the tap's value alone, example by example. An addition around the
tap, a batch norm that uses the batch's own statistics, or a batch size that was read before the tap break that, some
of them only when a single example is left, for then its value is broadcast in silence. So it is tried, with 4, 3, 2
and 1 of 5 images left, and the logits of those that stay must be what they are without any exit.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from layerwise.errors import LayerwiseError, ModelError
from layerwise.seeds import stream_seed
from layerwise.taps import INPUT, SOFTMAX, Taps, find_taps
from layerwise.taps.borrowing import Preprocess, borrowed, prepare
from layerwise.taps.finding import Images, as_pixels
from layerwise.taps.readers import Forward

__all__ = ["clean_cuts", "refuse_unclean"]

_SURVIVORS = ((0, 2, 3, 4), (1, 2, 4), (1, 3), (2,))
_TOLERANCE = 1e-4
"""Of the largest logit: far above what rounding does in another batch size, far below what a mixed-up example does."""


def clean_cuts(
    model: nn.Module, taps: Taps, images: Images, *, preprocessing: Preprocess | None = None
) -> dict[str, str]:
    """Try each tap between input and softmax: its name to "" if the network can be left there, else to why not.

    Args:
        model: in any mode, left as it was; tried in evaluation mode.
        taps: of this network.
        images: a few (N, C, H, W), as `find_taps` takes them; equal ones are replaced by noise.
        preprocessing: what the network expects to be done to pixels in [0, 1].
    """
    with borrowed(model), taps.reader.open(model) as forward:
        inputs = prepare(_different(as_pixels(images)), model, preprocessing)
        whole = forward(inputs, _go_on)
        names = [tap.name for tap in taps if tap.name not in (INPUT, SOFTMAX)]
        return {name: _problem(name, forward, inputs, whole) for name in names}


def refuse_unclean(model: nn.Module, taps: Taps, images: Images, *, preprocessing: Preprocess | None = None) -> None:
    """Refuse taps at which the network cannot be left.

    Raises:
        ModelError: there are such; names them all, why, and the nearest taps at which it can be left.
    """
    problems = clean_cuts(model, taps, images, preprocessing=preprocessing)
    faults = [
        f'the network cannot be left at "{name}": {problem}.{_nearest(name, model, images, preprocessing)}'
        for name, problem in problems.items()
        if problem
    ]
    if faults:
        raise ModelError("\n".join(faults))


def _go_on(tap: str, value: Tensor) -> None:
    """Change nothing."""


def _problem(tap: str, forward: Forward, inputs: Tensor, whole: Tensor) -> str:
    for rows in _SURVIVORS:
        kept = torch.tensor(rows, device=inputs.device)
        count = f"{len(rows)} of {len(inputs)} images"

        def leave(name: str, value: Tensor, kept: Tensor = kept) -> Tensor | None:
            return value[kept] if name == tap else None

        try:
            logits = forward(inputs, leave)
        except LayerwiseError as error:
            return str(error).splitlines()[0].rstrip(".")
        except (RuntimeError, ValueError, IndexError) as error:
            reason = (str(error).strip().splitlines() or [""])[0].rstrip(".")
            return f"with {count} left, what comes later fails ({type(error).__name__}: {reason})"
        expected = whole[kept]
        if logits.shape != expected.shape:
            return f"with {count} left, there are {len(logits)} rows of logits: a path leads around the tap"
        if not torch.allclose(logits, expected, rtol=0, atol=_TOLERANCE * max(1.0, float(whole.abs().max()))):
            return f"with {count} left, their logits change: what comes later mixes examples, or a path leads around"
    return ""


def _nearest(name: str, model: nn.Module, images: Images, preprocessing: Preprocess | None) -> str:
    """The nearest clean taps before and after, in words; nothing when they cannot be told."""
    placements = (find_taps(model, images, place, preprocessing=preprocessing) for place in ("children", "blocks"))
    places = [tap for placed in placements for tap in placed.names[1:-1]]
    try:
        taps = find_taps(model, images, [*places, name], preprocessing=preprocessing)
    except ModelError:
        return ""  # modules and operations that cannot be read in one pass have no common order
    clean = [
        tap for tap, problem in clean_cuts(model, taps, images, preprocessing=preprocessing).items() if not problem
    ]
    order = taps.names.index(name)
    before = [tap for tap in clean if taps.names.index(tap) < order][-1:]
    after = [tap for tap in clean if taps.names.index(tap) > order][:1]
    near = " and ".join(f'"{tap}"' for tap in (*before, *after))
    return f"\n    It can be left at {near}." if near else ""


def _different(pixels: Tensor) -> Tensor:
    """The images if no two are equal, else noise: equal ones hide that they were mixed up."""
    if len(torch.unique(pixels, dim=0)) == len(pixels):
        return pixels
    generator = torch.Generator().manual_seed(stream_seed(0, "exits", "probe"))
    return torch.rand(pixels.shape, generator=generator)


def rewritten_in_place(
    model: nn.Module, taps: Taps, images: Images, *, preprocessing: Preprocess | None = None
) -> frozenset[str]:
    """Names of the taps whose value a later operation rewrites: a head that is trained must read a copy of it."""
    seen: dict[str, tuple[Tensor, int]] = {}

    def note(tap: str, value: Tensor) -> None:
        seen[tap] = value, value._version

    with borrowed(model), taps.reader.open(model) as forward:
        forward(prepare(as_pixels(images), model, preprocessing), note)
    return frozenset(tap for tap, (value, version) in seen.items() if value._version != version)


def clean_names(problems: Mapping[str, str], place: str) -> list[str]:
    """The taps of a placement at which the network can be left, from what `clean_cuts` gives.

    Raises:
        ModelError: there is none; says why for the first.
    """
    clean = [name for name, problem in problems.items() if not problem]
    if not clean:
        why = next((f'; not at "{name}": {problem}' for name, problem in problems.items()), "")
        raise ModelError(f'the network can be left at none of its {len(problems)} taps of "{place}"{why}.')
    return clean
