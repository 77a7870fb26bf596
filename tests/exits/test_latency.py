"""Predicted time is the sum over segments of what was timed for as many images as are there."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from exits.toys import small_exits
from layerwise.arrays.policies import EntropyBelow, Patience
from layerwise.errors import InputError
from layerwise.exits.latency import SegmentTimes, time_segments

TIMES = SegmentTimes(
    batch_sizes=np.array([1, 2, 4]),
    seconds=np.array([[1.0, 10.0], [2.0, 14.0], [3.0, 20.0]]),
    plain=np.array([10.5, 15.0, 22.0]),
    names=("one", "softmax"),
)


def test_times_between_and_beyond_the_timed_batch_sizes() -> None:
    assert TIMES.at(np.array([3, 3])).tolist() == [2.5, 17.0]
    assert TIMES.at(np.array([8, 0])).tolist() == [6.0, 0.0]


def test_a_routed_run_takes_the_time_of_those_who_are_there() -> None:
    # Batches of two: (0, 1) has one image left for the second segment, (0, 0) none, (1,) one.
    assert TIMES.predict(np.array([0, 1, 0, 0, 1]), batch_size=2) == (2 + 10) + 2 + (1 + 10)


def test_an_image_of_the_network_without_exits() -> None:
    assert TIMES.plain_per_image(4) == 5.5


def test_times_survive_json() -> None:
    again = SegmentTimes.from_dict(json.loads(json.dumps(TIMES.to_dict())))
    assert (again.seconds == TIMES.seconds).all()
    assert (again.plain == TIMES.plain).all()
    assert (again.batch_sizes.tolist(), again.names) == ([1, 2, 4], ("one", "softmax"))
    with pytest.raises(ValueError, match="2 batch sizes"):
        SegmentTimes.from_dict({**TIMES.to_dict(), "batch_sizes": [1, 2]})


@pytest.mark.parametrize("policy", [EntropyBelow(0.5), EntropyBelow([0.5, -np.inf, 0.5]), Patience(0)], ids=str)
def test_every_segment_is_timed_at_every_batch_size(policy: EntropyBelow) -> None:
    net = small_exits()
    times = time_segments(net, torch.rand(4, 1, 8, 8), policy, batch_sizes=(1, 4), repeats=2)
    assert times.seconds.shape == (2, 4)
    assert (times.seconds > 0).all()
    assert times.plain.shape == (2,)
    assert (times.plain > 0).all()
    assert times.names == net.names


REFUSED: list[dict[str, object]] = [{"batch_sizes": (8,)}, {"batch_sizes": (0, 2)}, {"batch_sizes": ()}, {"repeats": 0}]


@pytest.mark.parametrize("options", REFUSED)
def test_what_cannot_be_timed_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"batches of 8 needs as many images; got 4|must be at least 1"):
        time_segments(small_exits(), torch.rand(4, 1, 8, 8), EntropyBelow(0.5), **options)  # type: ignore[arg-type]
