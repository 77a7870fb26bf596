"""Predicted time is the sum over segments of what was timed for as many images as are there."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch

from exits.toys import small_exits
from layerwise.arrays.policies import EntropyBelow, ExitPolicy, MaxProbabilityAbove, Patience
from layerwise.errors import InputError
from layerwise.exits.latency import SegmentTimes, time_segments

TIMES = SegmentTimes(
    batch_sizes=np.array([1, 2, 4]),
    segments=np.array([[0.5, 10.0], [1.5, 14.0], [2.0, 20.0]]),
    heads=np.array([[0.5], [0.5], [1.0]]),
    plain=np.array([10.5, 15.0, 22.0]),
    names=("one", "softmax"),
)


SOME = EntropyBelow(0.5)


def test_a_routed_run_takes_the_time_of_those_who_are_there() -> None:
    # Batches of two: (0, 1) has one image left for the second segment, (0, 0) none, (1,) one.
    assert TIMES.predict(np.array([0, 1, 0, 0, 1]), SOME, batch_size=2) == (2 + 10) + 2 + (1 + 10)


def test_times_between_and_beyond_the_timed_batch_sizes() -> None:
    assert TIMES.predict(np.array([1, 1, 1]), SOME, batch_size=3) == (1.75 + 0.75) + 17
    assert TIMES.predict(np.zeros(8, int), SOME, batch_size=8) == 2 * (2 + 1)
    assert TIMES.plain_per_image(3) == pytest.approx(18.5 / 3)
    assert TIMES.plain_per_image(8) == 44 / 8


def test_a_closed_exit_costs_no_head() -> None:
    never = EntropyBelow(-np.inf)
    assert TIMES.predict(np.array([1, 1]), never, batch_size=2) == 15
    assert TIMES.per_image(np.array([1]), never, batch_size=4) == TIMES.plain_per_image(4)
    three = SegmentTimes(
        batch_sizes=np.array([1]),
        segments=np.array([[1.0, 2.0, 4.0]]),
        heads=np.array([[10.0, 20.0]]),
        plain=np.array([7.0]),
        names=("one", "two", "softmax"),
    )
    assert three.predict(np.array([2]), EntropyBelow([-np.inf, 0.5]), batch_size=1) == 1 + 2 + 20 + 4
    assert three.predict(np.array([2]), Patience([-np.inf, np.inf]), batch_size=1) == 1 + 10 + 2 + 20 + 4


def test_an_image_is_timed_in_full_batches() -> None:
    assert TIMES.per_image(np.array([1, 1, 1]), SOME, batch_size=2) == pytest.approx((2 + 14) / 2)


def test_times_survive_json() -> None:
    again = SegmentTimes.from_dict(json.loads(json.dumps(TIMES.to_dict())))
    assert (again.segments == TIMES.segments).all()
    assert (again.heads == TIMES.heads).all()
    assert (again.plain == TIMES.plain).all()
    assert (again.batch_sizes.tolist(), again.names) == ([1, 2, 4], ("one", "softmax"))
    with pytest.raises(ValueError, match="2 batch sizes"):
        SegmentTimes.from_dict({**TIMES.to_dict(), "batch_sizes": [1, 2]})


@pytest.mark.parametrize("policy", [EntropyBelow(0.5), EntropyBelow([0.5, -np.inf, 0.5]), Patience(0)], ids=str)
def test_every_segment_is_timed_at_every_batch_size(policy: EntropyBelow) -> None:
    net = small_exits()
    times = time_segments(net, torch.rand(4, 1, 8, 8), policy, batch_sizes=(1, 4), repeats=2)
    assert times.segments.shape == (2, 4)
    assert times.heads.shape == (2, 3)
    assert (times.segments > 0).all()
    assert times.plain.shape == (2,)
    assert (times.plain > 0).all()
    assert times.names == net.names


@pytest.mark.parametrize(
    "policy", [EntropyBelow([np.inf, 0.5, -np.inf]), MaxProbabilityAbove(-np.inf), Patience(0)], ids=str
)
def test_heads_are_timed_as_they_are_asked_and_nobody_leaves(policy: ExitPolicy) -> None:
    net, sizes, asked = small_exits(), [], [0, 0, 0]
    net.model.get_submodule("linear").register_forward_hook(lambda *given: sizes.append(len(given[2])))
    for index, head in enumerate(net.heads):
        head.register_forward_hook(lambda *_, index=index: asked.__setitem__(index, asked[index] + 1))
    time_segments(net, torch.rand(4, 1, 8, 8), policy, batch_sizes=(1, 4), repeats=1)
    assert sizes == [1, 1, 4, 4] * 2
    assert asked == [4 * policy.asks(index) for index in range(3)]


def test_each_round_times_every_size_once_with_and_without_exits(monkeypatch: pytest.MonkeyPatch) -> None:
    net, sizes = small_exits(), []
    monkeypatch.setattr(net.model, "forward", _noting(sizes, net.model.forward))
    time_segments(net, torch.rand(4, 1, 8, 8), EntropyBelow(0.5), batch_sizes=(4, 1), repeats=2)
    assert sizes[-12:] == [1, 1, 4, 4] * 3


def _noting(sizes: list[int], forward: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    def noting(images: torch.Tensor) -> torch.Tensor:
        sizes.append(len(images))
        return forward(images)

    return noting


REFUSED: list[dict[str, object]] = [{"batch_sizes": (8,)}, {"batch_sizes": (0, 2)}, {"batch_sizes": ()}, {"repeats": 0}]


@pytest.mark.parametrize("options", REFUSED)
def test_what_cannot_be_timed_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"batches of 8 needs as many images; got 4|must be at least 1"):
        time_segments(small_exits(), torch.rand(4, 1, 8, 8), EntropyBelow(0.5), **options)  # type: ignore[arg-type]
