"""What groups_of_taps promises."""

from __future__ import annotations

import pytest

from layerwise.errors import ActivationsTooLargeError
from layerwise.recording.groups import groups_of_taps
from layerwise.taps import Tap


def test_taps_are_grouped_in_order_and_one_over_the_limit_is_refused() -> None:
    taps = [Tap(name, order, (features,)) for order, (name, features) in enumerate([("a", 3), ("b", 4), ("c", 8)])]
    assert [[tap.name for tap in group] for group in groups_of_taps(taps, 10, 320)] == [["a", "b"], ["c"]]
    with pytest.raises(ActivationsTooLargeError) as caught:
        groups_of_taps([Tap("conv1", 1, (64, 32, 32))], 50_000, 4e9)
    assert str(caught.value).startswith(
        'tap "conv1" needs 13.1 GB (50000 × 64 × 32 × 32 float32), over the limit of 4.0 GB.'
    )
