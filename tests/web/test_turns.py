"""A queue in front of a lock."""

from __future__ import annotations

import threading

import pytest

from layerwise.errors import BusyError
from layerwise.web.turns import Turns


def test_who_comes_to_a_full_queue_is_told_so_at_once() -> None:
    turns = Turns(threading.Lock(), seats=2, what="images")
    with turns.seat(), turns.seat(), pytest.raises(BusyError) as error, turns.seat():
        pass
    assert str(error.value) == "2 images are under way already.\n    Wait for them, then try again."
    with turns.seat():
        pass


def test_a_lock_that_is_not_free_in_time_is_told() -> None:
    lock = threading.Lock()
    first, second = (Turns(lock, seats=1, what=what, patience_s=0.05) for what in ("images", "feature maps"))
    with first.turn(), pytest.raises(BusyError, match="the network was busy for 0 s"), second.turn():
        pass
    with second.turn():
        pass


def test_a_seat_is_free_again_after_a_fault() -> None:
    turns = Turns(threading.Lock(), seats=1, what="images")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), turns.seat(), turns.turn():
            raise ZeroDivisionError
